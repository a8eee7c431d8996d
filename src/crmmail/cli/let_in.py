"""let-in: exceptions from the rules, and the way in for what is in the skip list."""

from __future__ import annotations

from typing import Annotated

import typer

from crmmail.cli import accounts as account_commands
from crmmail.cli.arguments import checked, some
from crmmail.cli.output import AsJson, examples, note, open_store, print_list
from crmmail.cli.problems import NotFoundError
from crmmail.cli.rules import Pattern
from crmmail.errors import CrmmailError
from crmmail.store import contact_ledger, ledger, letting, mail_rules, meeting_ledger
from crmmail.store.database import Store
from crmmail.store.ledger import Filter
from crmmail.widgets.words import plural

_NEXT = "The next sync fetches it."
_MOST = 1_000  # meetings that one UID may have, in as many calendars
_Rule = Annotated[
    bool, typer.Option("--rule", help="Where it cannot be let in alone: change the rule.")
]

group = typer.Typer(
    no_args_is_help=True,
    help="Let in what a rule keeps out: a message, a meeting, a sender, a folder, a contact.",
    epilog=examples(
        "crmmail let-in message '<20260314.1234@acme.example>'",
        "crmmail let-in sender news@acme.example",
        "crmmail let-in list",
    ),
)


@group.command(epilog=examples("crmmail let-in message '<20260314.1234@acme.example>'"))
def message(
    message_id: Annotated[
        str, typer.Argument(metavar="MESSAGE-ID", callback=some, help="As `skipped` has it.")
    ],
    rule: _Rule = False,
) -> None:
    """Let in one skipped message; says which setting that changes."""
    with open_store() as store:
        wanted = message_id.strip("<> ")
        rows = [row for row in ledger.find(store.read(), wanted) if row.message_id == wanted]
        if not rows:
            raise NotFoundError(
                f"There is no message <{wanted}> in the skip list.", "Find it: crmmail why WORDS"
            )
        for row in rows:
            _let_in(store, row, f"crmmail let-in message '<{wanted}>'", rule=rule)


@group.command(epilog=examples("crmmail let-in meeting 4f2a-77@acme.example"))
def meeting(
    uid: Annotated[
        str, typer.Argument(metavar="UID", callback=some, help="As `skipped --meetings` has it.")
    ],
    rule: _Rule = False,
) -> None:
    """Let in one skipped meeting with all its times; says which setting that changes."""
    with open_store() as store:
        rows = [row for row in meeting_ledger.find(store.read(), uid, _MOST) if row.uid == uid]
        if not rows:
            raise NotFoundError(f"No skipped meeting has the UID {uid!r}.", "crmmail skipped")
        for row in rows:
            _let_in(store, row, f"crmmail let-in meeting {uid!r}", rule=rule)


def _let_in(store: Store, row: letting.Skipped, command: str, *, rule: bool) -> None:
    """Let in one thing alone; only with `rule` by what lets in others too."""
    ways = letting.ways(store.read(), row)
    if not ways:
        raise CrmmailError(f"It is {row.words}.", letting.otherwise(row))
    way = ways[0]
    if not (way.alone or rule):
        raise CrmmailError(
            f"It cannot be let in alone ({row.words}).",
            f"{way.words} (changes {way.setting}): {command} --rule",
        )
    letting.let_in(store, row, way.key)
    note(f"{way.words} ({way.setting}). {_NEXT}")


@group.command(epilog=examples("crmmail let-in sender news@acme.example"))
def sender(
    pattern: Pattern,
) -> None:
    """Let in all mail from an address or a domain, whatever M4 to M7 say of it."""
    with open_store() as store:
        known = mail_rules.allow(store, pattern)
        note(f"Mail from {known} enters now (exceptions: {known}). {_NEXT}")
        if known in mail_rules.blocked(store.read()):
            note(f"It is on the blocklist, which is stronger: crmmail block remove {known}")


@group.command(epilog=examples("crmmail let-in folder ann@acme.com Newsletters"))
def folder(
    email: account_commands.Email,
    name: Annotated[
        str, typer.Argument(metavar="FOLDER", callback=some, help="As the server names it.")
    ],
) -> None:
    """Read a folder that is not read (M1)."""
    with open_store() as store:
        account = account_commands.known(store.read(), email)
        mail_rules.select_folder(store, account.id, name, on=True)
        note(f"{name} is read now (folders of {account.email}). {_NEXT}")


@group.command(epilog=examples("crmmail let-in contact ann@acme.com"))
def contact(
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            callback=some,
            help="Name, address or domain: `skipped --contacts`.",
        ),
    ],
) -> None:
    """Bring a deleted person or company back, with mail, meetings and notes (C5)."""
    with open_store() as store:
        db = store.read()
        found = contact_ledger.window(db, contact_ledger.view(db, Filter(match=who)))
        if not found:
            raise NotFoundError(
                f"No deleted contact matches {who!r}.", "crmmail skipped --contacts"
            )
        if len(found) > 1:
            names = ", ".join(f"{row.name} ({row.known})" for row in found[:5])
            raise CrmmailError(f"{who!r} matches {len(found)}: {names}.", "Say more of one.")
        letting.let_in(store, found[0], letting.RULE)
        note(f"{found[0].name} is back, with {plural(found[0].messages, 'message')}.")


@group.command(epilog=examples("crmmail let-in remove news@acme.example"))
def remove(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN",
            callback=checked(mail_rules.as_exception),
            help="As `let-in list` has it.",
        ),
    ],
) -> None:
    """End an exception: the rules judge that mail again."""
    with open_store() as store:
        known = mail_rules.disallow(store, pattern)
    note(f"No exception for {known} any more. The next sync applies it to the mail that is here.")


@group.command("list", epilog=examples("crmmail let-in list --json"))
def list_(as_json: AsJson = False) -> None:
    """List the exceptions."""
    with open_store() as store:
        found = mail_rules.allowed(store.read())
    print_list(found, as_json, "There is no exception: the rules judge all mail.")
