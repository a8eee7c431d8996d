"""account add, list, remove, test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crmmail.cli import caldav, new_account, shapes
from crmmail.cli.arguments import (
    argument,
    checked,
    choice,
    option,
    password_command,
    password_env,
    some,
)
from crmmail.cli.new_account import NewAccount
from crmmail.cli.output import AsJson, confirm, count, examples, note, open_store, print_json, table
from crmmail.cli.problems import ArgumentError, NotFoundError
from crmmail.cli.signing_in import say_folders, sign_in, tried, trying
from crmmail.errors import CrmmailError
from crmmail.store import accounts, companies, people

if TYPE_CHECKING:
    import sqlite3

group = typer.Typer(
    no_args_is_help=True,
    help="The mailboxes that crmmail reads.",
    epilog=examples("crmmail account add ann@example.org", "crmmail account list"),
)

_SERVER = checked(lambda text: text == "none" or new_account.server(text, "tls"))
Email = Annotated[str, argument("EMAIL", some, "The account's address.")]
Imap = Annotated[
    str,
    option(check=_SERVER, words="The IMAP server; else it is looked for.", metavar="HOST[:PORT]"),
]
Security = Annotated[str, choice(accounts.SECURITIES, "Encryption; tls if not said.")]
Username = Annotated[str, option(check=some, words="To sign in with, if not the address.")]
PasswordEnv = Annotated[str, password_env("The environment variable with the password.")]
PasswordCommand = Annotated[str, password_command("The command that prints the password.")]
OAuth = Annotated[
    str,
    option(
        check=checked(new_account.issuer_name),
        words="Sign in in the browser, with tokens.",
        metavar="google|microsoft|NAME",
    ),
]
Device = Annotated[
    bool, typer.Option("--device", help="With --oauth: on another device, with a code.")
]
Pin = Annotated[
    str,
    option(
        check=checked(new_account.read_pin),
        words="Trust the certificate with this fingerprint only.",
        metavar="SHA256",
    ),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Allow no encryption to another machine.")
]
NoTest = Annotated[bool, typer.Option("--no-test", help="Save it without trying to sign in.")]


@group.command(
    epilog=examples(
        "crmmail account add ann@example.org",
        "crmmail account add ann@example.org --imap imap.example.org:993 "
        "--password-command 'pass show mail/ann' --alias sales@example.org",
        "crmmail account add ann@example.org --imap 127.0.0.1:1143 --security none "
        "--username ann --password-env ANN_PASSWORD",
    ),
)
def add(
    email: Annotated[
        str,
        typer.Argument(metavar="EMAIL", callback=checked(new_account.address), help="Its address."),
    ],
    imap: Imap = "",
    security: Security = "",
    username: Username = "",
    password_env: PasswordEnv = "",
    password_command: PasswordCommand = "",
    oauth: OAuth = "",
    device: Device = False,
    policy: Annotated[
        str,
        choice(
            accounts.POLICIES,
            "Who becomes a contact: those I wrote to, also who wrote to me, nobody.",
        ),
    ] = "sent",
    alias: Annotated[
        list[str] | None,
        typer.Option(
            callback=checked(new_account.address), help="Another address of mine; may be repeated."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the account.")] = "",
    pin: Pin = "",
    insecure: Insecure = False,
    no_test: NoTest = False,
    caldav_url: caldav.Url = "",
    caldav_username: caldav.Username = "",
    caldav_password_env: caldav.PasswordEnv = "",
    caldav_password_command: caldav.PasswordCommand = "",
) -> None:
    """Add a mailbox. Asks for what is not given; the password goes into the system keyring.

    Signs in once before anything is saved. Nothing on the server is ever changed.
    """
    wanted = new_account.Wanted(
        imap,
        security,
        username,
        password_env,
        password_command,
        pin=pin,
        oauth=oauth,
        device=device,
        insecure=insecure,
        test=not no_test,
    )
    wish = caldav.Wish(
        *(caldav_url, caldav_username, caldav_password_env, caldav_password_command),
        insecure=insecure,
        test=not no_test,
    )
    if imap == caldav_url == caldav.NONE:
        raise ArgumentError("--imap none and --caldav none leave nothing to read. Leave out one.")
    aliases = [new_account.address(one) for one in alias or ()]
    with open_store() as store:
        _refuse_known(store.read(), email)
        new = new_account.gather(email, wanted)
        if not no_test:
            new = tried(new)
        found = caldav.Found()
        if wish or not new.tokens:  # calendars take passwords only
            new, found = _calendars(new, wish)
        if not new.host and not found.url:
            raise CrmmailError(
                f"{new.email} has neither mail nor calendars to read: it was not added.",
                "Name its calendars: --caldav URL",
            )
        new.keep()
        accounts.add(
            store,
            new.email,
            host=new.host,
            port=new.port,
            security=new.security,
            username=new.username,
            secret=new.secret,
            policy=policy,
            aliases=aliases,
            name=name,
            pin=new.pin,
        )
        if found.url or found.why:
            found.keep(store, new.email)
    _forget(new.email, "", new.secret)
    note(f"Added {new.email}. Fetch what it holds: crmmail sync")


@group.command(
    epilog=examples(
        "crmmail account reconnect ann@example.org",
        "crmmail account reconnect ann@example.org --imap mail.example.org:993",
    )
)
def reconnect(
    email: Email,
    imap: Imap = "",
    security: Security = "",
    username: Username = "",
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password, to keep in the keyring.")
    ] = False,
    password_env: PasswordEnv = "",
    password_command: PasswordCommand = "",
    oauth: OAuth = "",
    device: Device = False,
    pin: Pin = "",
    insecure: Insecure = False,
    no_test: NoTest = False,
) -> None:
    """Sign in again: after a new password, a move to another server, a revoked permission.

    What is not given stays as it is; a password in the keyring is asked for. Signs in before
    anything is saved; a running sync goes on with it by itself.
    """
    wanted = new_account.Wanted(
        imap,
        security,
        username,
        password_env,
        password_command,
        password,
        pin,
        oauth,
        device,
        insecure,
        not no_test,
    )
    with open_store() as store:
        account = known(store.read(), email)
        new = new_account.gather(account.email, wanted, account)
        if not no_test:
            new = tried(new)
        new.keep()
        login = ("host", "port", "security", "username", "secret", "pin")
        accounts.set_login(store, new.email, **{name: getattr(new, name) for name in login})
    _forget(new.email, account.secret, new.secret)
    note(f"{new.email} is signed in again.")


@group.command("list", epilog=examples("crmmail account list", "crmmail account list --json"))
def list_(as_json: AsJson = False) -> None:
    """List the accounts."""
    with open_store() as store:
        db = store.read()
        found = [shapes.account(db, row) for row in accounts.all_accounts(db)]
    if as_json:
        print_json(found)
    elif not found:
        note("No account yet. Add one: crmmail account add --help")
    else:
        head = ("email", "server", "security", "username", "password", "policy", "aliases")
        table(head, map(_cells, found))


@group.command(
    epilog=examples("crmmail account remove ann@example.org", "crmmail account remove x@y.z --yes")
)
def remove(
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an account, its mail in the store, and its password in the keyring.

    The mail on the server stays as it is, and so do people, companies and notes.
    """
    with open_store() as store:
        found = known(store.read(), email)
        if not yes:
            confirm(f"Remove {found.email} and its mail from the store?")
        caldav.drop(store, found)
        accounts.remove(store, found.email, count)
        stay = _staying(store.read())
    _forget(found.email, found.secret)
    note(f"Removed {found.email}. Its mail on the server is as it was.")
    if stay:
        note(f"In the store stay {stay}.")


@group.command(
    "test",
    epilog=examples(
        "crmmail account test ann@example.org", "crmmail account test ann@example.org --json"
    ),
)
def try_out(email: Email, as_json: AsJson = False) -> None:
    """Sign in to an account and list its folders and calendars. Nothing is fetched or changed."""
    with open_store() as store:
        account = known(store.read(), email)
    folders = sign_in(account) if account.host else []
    names = caldav.try_out(account)
    if as_json:
        shown = [
            {"name": f.name, "role": f.role, "messages": f.messages, "selectable": f.selectable}
            for f in folders
        ]
        print_json({"email": account.email, "folders": shown, "calendars": names})
        return
    if names:
        note(f"Calendars: {', '.join(names)}.")
    if not account.host:
        return
    say_folders(folders)
    rows = [(f.name, f.role, f"{f.messages:,}") for f in folders if f.selectable]
    table(("folder", "role", "messages"), rows, ("messages",))


def known(db: sqlite3.Connection, email: str) -> accounts.AccountRow:
    """The account of that address, or an error in words."""
    if (found := accounts.get(db, email)) is None:
        raise NotFoundError(f"There is no account {email}.", "List them: crmmail account list")
    return found


def _calendars(new: NewAccount, wish: caldav.Wish) -> tuple[NewAccount, caldav.Found]:
    """The calendars of a new account; a password that nothing has tried yet is tried now."""

    def find(one: NewAccount) -> caldav.Found:
        return caldav.find(wish, one.email, one.password, one.username, one.host)

    return (new, find(new)) if new.host or wish.has_password else trying(new, find)


def _forget(email: str, before: str, now: str = "") -> None:
    """Take what an account no longer signs in with out of the keyring."""
    from crmmail.accounts import leaving

    try:
        leaving.forget(email, before, now)
    except CrmmailError as problem:
        note(f"{problem} {problem.hint}")


def _refuse_known(db: sqlite3.Connection, email: str) -> None:
    if (found := accounts.get(db, email)) is not None:
        raise CrmmailError(
            f"{found.email} is an account already.",
            f"To set it up again, remove it first: crmmail account remove {found.email}",
        )


def _staying(db: sqlite3.Connection) -> str:
    """The records that outlive an account, in words; "" where there are none."""
    counts = (
        (len(people.view(db)), "person", "people"),
        (len(companies.view(db)), "company", "companies"),
    )
    return " and ".join(f"{n:,} {one if n == 1 else many}" for n, one, many in counts if n)


def _cells(shape: dict[str, Any]) -> tuple[str, ...]:
    server = f"{shape['host']}:{shape['port']}" if shape["host"] else "no mailbox"
    plain = (shape[key] for key in ("security", "username", "password", "policy"))
    return (shape["email"], server, *plain, ", ".join(shape["aliases"]))
