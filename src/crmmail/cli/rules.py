"""account set, account folders, block: the rules of what enters, applied by the next sync (M9)."""

from __future__ import annotations

import sqlite3
from typing import Annotated

import typer

from crmmail.cli import accounts as account_commands
from crmmail.cli import caldav
from crmmail.cli.accounts import Email
from crmmail.cli.arguments import argument, checked, choice, quoted, some
from crmmail.cli.output import AsJson, examples, note, open_store, print_json, print_list, table
from crmmail.cli.problems import ArgumentError
from crmmail.errors import CrmmailError
from crmmail.store import accounts, levels, mail_rules
from crmmail.store.kinds import Level

_NEXT = "The next sync applies it to the mail that is here."
_LEVELS = ("everything", "subject", "metadata")
_ADDRESS = checked(mail_rules.as_address)
_DOMAIN = checked(mail_rules.as_domain)


@account_commands.group.command(
    "set",
    epilog=examples(
        "crmmail account set ann@acme.com --policy sent_and_received",
        "crmmail account set ann@acme.com --alias sales@acme.com --no-group",
        "crmmail account set ann@acme.com --since 2024-01-01",
        "crmmail account set ann@acme.com --visibility subject",
    ),
)
def set_(
    email: Email,
    policy: Annotated[str, choice(accounts.POLICIES, "Who becomes a contact (C2).")] = "",
    alias: Annotated[
        list[str] | None, typer.Option(callback=_ADDRESS, help="An address of mine.")
    ] = None,
    drop_alias: Annotated[
        list[str] | None, typer.Option(callback=_ADDRESS, help="Not an address of mine.")
    ] = None,
    internal: Annotated[
        list[str] | None, typer.Option(callback=_DOMAIN, help="A domain of colleagues.")
    ] = None,
    drop_internal: Annotated[
        list[str] | None, typer.Option(callback=_DOMAIN, help="Not a domain of colleagues.")
    ] = None,
    group: Annotated[
        bool | None, typer.Option("--group/--no-group", help="Let group mail in (M5).")
    ] = None,
    colleagues: Annotated[
        bool | None,
        typer.Option("--colleagues/--no-colleagues", help="Let internal mail in (M4)."),
    ] = None,
    free_mail: Annotated[
        bool | None,
        typer.Option("--free-mail/--no-free-mail", help="Contacts at free providers (C3)."),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            metavar="DATE|all",
            callback=checked(lambda day: _epoch(day)),
            help="No mail from before that day (M10).",
        ),
    ] = "",
    visibility: Annotated[str, choice(_LEVELS, "What is kept of its mail (V).")] = "",
    meetings: Annotated[
        str, choice(("everything", "metadata"), "What is kept of its meetings (V5).")
    ] = "",
    meeting_policy: Annotated[
        str, choice(accounts.MEETING_POLICIES, "Who of a meeting becomes a contact (C2).")
    ] = "",
    meeting_colleagues: Annotated[
        bool | None,
        typer.Option(
            "--meeting-colleagues/--no-meeting-colleagues",
            help="Let meetings of colleagues in (K7).",
        ),
    ] = None,
    private: Annotated[
        bool | None,
        typer.Option("--private/--no-private", help="Let private meetings in (K7)."),
    ] = None,
    pause: Annotated[
        bool | None, typer.Option("--pause/--resume", help="Stop or go on syncing it.")
    ] = None,
    caldav_url: caldav.Url = "",
    caldav_username: caldav.Username = "",
    caldav_password_env: caldav.PasswordEnv = "",
    caldav_password_command: caldav.PasswordCommand = "",
) -> None:
    """Change the rules of an account. Mail that is here already is judged again, both ways."""
    values: dict[str, object] = {
        "policy": policy or None,
        "exclude_group": None if group is None else not group,
        "sync_internal": colleagues,
        "exclude_free": None if free_mail is None else not free_mail,
        "mail_since": _epoch(since),
        "meeting_policy": meeting_policy or None,
        "sync_internal_meetings": meeting_colleagues,
        "sync_private": private,
        "mail_level": _level(visibility),
        "meeting_level": _level(meetings),
        "paused": pause,
    }
    values = {name: value for name, value in values.items() if value is not None}
    lists = (
        (mail_rules.add_alias, alias),
        (mail_rules.drop_alias, drop_alias),
        (mail_rules.add_internal, internal),
        (mail_rules.drop_internal, drop_internal),
    )
    wish = caldav.Wish(caldav_url, caldav_username, caldav_password_env, caldav_password_command)
    if not values and not any(given for _, given in lists) and not wish:
        raise ArgumentError("Say what to change. See: crmmail account set --help")
    with open_store() as store:
        account = account_commands.known(store.read(), email)
        if (level := _level(visibility)) is not None:
            note(_effect(store.read(), account, level))
        mail_rules.change(store, account.id, **values)
        for act, given in lists:
            for one in given or ():
                act(store, account.id, one)
        if wish:
            caldav.change(store, account, wish)
    if values.keys() == {"paused"} and not any(given for _, given in lists) and not wish:
        note(f"{account.email} is {'paused' if pause else 'synced again'}.")
    elif wish and not values and not any(given for _, given in lists):
        reads = caldav_url != caldav.NONE
        note(f"Changed {account.email}.{' The next sync reads its calendars.' if reads else ''}")
    else:
        note(f"Changed {account.email}. {_NEXT}")


@account_commands.group.command(
    epilog=examples(
        "crmmail account folders ann@acme.com",
        "crmmail account folders ann@acme.com --off Newsletters",
    )
)
def folders(
    email: Email,
    on: Annotated[list[str] | None, typer.Option(callback=some, help="Read this folder.")] = None,
    off: Annotated[
        list[str] | None, typer.Option(callback=some, help="Do not read this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List an account's folders, and choose which are read (M1)."""
    with open_store() as store:
        account = account_commands.known(store.read(), email)
        for name in on or ():
            mail_rules.select_folder(store, account.id, name, on=True)
        for name in off or ():
            mail_rules.select_folder(store, account.id, name, on=False)
        rows = accounts.folders(store.read(), account.id)
    if as_json:
        print_json(
            [
                {"name": row.name, "role": row.role, "read": row.selected, "messages": row.messages}
                for row in rows
            ]
        )
        return
    table(
        ("folder", "role", "read", "messages"),
        [(r.name, r.role, "yes" if r.selected else "no", f"{r.messages:,}") for r in rows],
        ("messages",),
    )
    if on or off:
        note(_NEXT)


block_group = typer.Typer(
    no_args_is_help=True,
    help="Addresses and domains that never enter (M3).",
    epilog=examples("crmmail block add @pest.example", "crmmail block list"),
)
_PATTERNS = "ann@acme.com, or @acme.com."
Pattern = Annotated[str, argument("PATTERN", checked(mail_rules.as_pattern), _PATTERNS)]
NewPattern = Annotated[
    str, argument("PATTERN", checked(lambda typed: _blockable(typed)), _PATTERNS)
]


@block_group.command("add", epilog=examples("crmmail block add @pest.example"))
def block_add(pattern: NewPattern) -> None:
    """Block an address, or a domain with its subdomains.

    Mail of it that is stored leaves with the next sync.
    """
    with open_store() as store:
        note(f"Blocked {mail_rules.block(store, pattern)}. {_NEXT}")


@block_group.command("remove", epilog=examples("crmmail block remove @pest.example"))
def block_remove(pattern: Pattern) -> None:
    """Let an address or a domain in again."""
    with open_store() as store:
        note(f"Unblocked {mail_rules.unblock(store, pattern)}. {_NEXT}")


@block_group.command("list", epilog=examples("crmmail block list --json"))
def block_list(as_json: AsJson = False) -> None:
    """List what is blocked."""
    with open_store() as store:
        found = mail_rules.blocked(store.read())
    print_list(found, as_json, "Nothing is blocked.")


def _blockable(typed: str) -> None:
    """Refuse a domain without a dot: it is mostly one whose end was forgotten."""
    pattern = mail_rules.as_pattern(typed)
    if pattern.startswith("@") and "." not in pattern:
        raise CrmmailError(f"{quoted(typed)} is not a whole domain.", "It looks like @acme.com.")


def _level(said: str) -> int | None:
    return int(Level[said.upper()]) if said else None


def _effect(db: sqlite3.Connection, account: accounts.AccountRow, level: int) -> str:
    """What another visibility will do, in words."""
    return levels.words(account.mail_level, level, levels.effect(db, account.id, level))


def _epoch(day: str) -> int | None:
    if not day:
        return None
    if day == "all":
        return 0
    try:
        return mail_rules.as_day(day)
    except mail_rules.RuleError:
        raise CrmmailError(
            f"{quoted(day)} is not a day.", "Give one as 2024-01-31, or all."
        ) from None
