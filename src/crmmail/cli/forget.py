"""forget, remember: every trace of somebody, gone; and back again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from crmmail.cli.arguments import checked
from crmmail.cli.backup import tell_made
from crmmail.cli.output import AsJson, confirm, examples, note, open_store, print_json
from crmmail.store import copies, forgetting, mail_rules, remembering
from crmmail.store.backup import has
from crmmail.store.forgetting import Traces
from crmmail.widgets.words import plural

FORGET_EXAMPLES = examples("crmmail forget ann@acme.example")
REMEMBER_EXAMPLES = examples("crmmail remember ann@acme.example")
Address = Annotated[
    str,
    typer.Argument(
        metavar="ADDRESS",
        callback=checked(mail_rules.as_address),
        help="Any of the person's addresses.",
    ),
]


def forget(
    address: Address,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove every trace of a person from this computer, and keep it out.

    The person with all addresses, notes and history, all mail and meetings in which they take part,
    and what the skip list says of them, also in the copies that crmmail keeps of the store. On the
    servers nothing changes. Backups and exports that you made are yours to delete.
    """
    with open_store() as store:
        found = forgetting.traces(store.read(), address)
        if not yes:
            note(f"{', '.join(filter(None, (found.name, *found.addresses)))}:")
            note(f"  {', '.join(_counts(found))}")
            confirm("Remove all this from this computer?")
        gone = forgetting.forget(store, address)
        left = forgetting.mentions(store.read(), gone.addresses)
        made = [one for one in copies.made(store.path) if has(one.path, gone)]
    if gone.remains is not None:
        note(f"Not all of it is gone yet: {gone.remains} {gone.remains.hint}".strip())
    if as_json:
        print_json(_shape(gone, left))
        return
    note(f"Forgotten: {', '.join(_counts(gone))}.")
    if left:
        note(f"{plural(left, 'message')} of others have the address in their text. They stay.")
    tell_made(made)


def remember(address: Address) -> None:
    """Let the mail and meetings of somebody who was forgotten in again, with the next sync."""
    with open_store() as store:
        remembering.remember(store, address)
    note("The next sync fetches what there is: crmmail sync")


def _counts(found: Traces) -> Iterator[str]:
    yield plural(len(found.addresses), "address", "addresses")
    yield plural(found.messages, "message")
    yield plural(found.meetings, "meeting")
    yield plural(found.notes, "note")
    yield f"{found.skipped:,} in the skip list"


def _shape(found: Traces, left: int) -> dict[str, Any]:
    return {
        "addresses": len(found.addresses),
        "messages": found.messages,
        "meetings": found.meetings,
        "notes": found.notes,
        "skipped": found.skipped,
        "mentions": left,
    }
