"""The app's way to the server for what stayed there: attachments, raw messages."""

from __future__ import annotations

import threading
from contextlib import suppress

from crmmail.errors import CrmmailError
from crmmail.screens.fetching import Arrived, Fetched, Wanted
from crmmail.store.database import Store


def start(store: Store, wanted: Wanted) -> None:
    """Fetch in a thread that nobody has to wait for; the asker gets the answer as a message."""
    threading.Thread(target=_run, args=(store, wanted), name="crmmail-fetch", daemon=True).start()


def _run(store: Store, wanted: Wanted) -> None:
    found: Fetched | CrmmailError
    try:
        found = _fetch(store, wanted)
    except CrmmailError as problem:
        found = problem
    except Exception as problem:  # a thread of its own: nobody else would hear of it
        found = CrmmailError(f"The server's answer cannot be used: {problem}")
    with suppress(RuntimeError):  # the app is closing
        wanted.asker.post_message(Arrived(wanted, found))


def _fetch(store: Store, wanted: Wanted) -> Fetched:
    from crmmail.sync import opening

    if wanted.position is None:
        return Fetched("message.eml", opening.source(store, wanted.message_id))
    opened = opening.attachment(store, wanted.message_id, wanted.position)
    return Fetched(opened.name, opened.data)
