"""What an import costs the store, counted, not timed: it creeps up with every trigger and index."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from benchmarks.generator import generate
from benchmarks.maildir import fill
from tests.conftest import Mailbox
from tests.servers import Dovecot
from tests.sync.conftest import connect, sync

from crmmail.store.database import Store

MESSAGES = 1_000


def test_an_import_takes_few_statements_and_rows_a_message(
    store: Store, dovecot: Dovecot, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured: 11.7 statements, those of the search indexes among them, and 14.8 rows.

    With messages that come to the index of words in the wrong order it was 14.5 and 18.0.
    """
    box = generate(1, MESSAGES, heavy=False)
    fill(dovecot, mailbox.user, box)
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    connect(store, mailbox, box.settings.email, policy="sent")
    statements = _count(store)
    before = _rows(store)
    (report,) = sync(store)
    assert report.listed == MESSAGES
    assert report.messages > MESSAGES / 3
    assert statements() < 13 * MESSAGES
    assert _rows(store) - before < 16.4 * MESSAGES


def _count(store: Store) -> Callable[[], int]:
    """Count the statements of the writer from now on; what is returned tells how many."""
    seen = list[None]()
    with store.write() as (db, _):
        db.set_trace_callback(lambda _: seen.append(None))
    return lambda: len(seen)


def _rows(store: Store) -> int:
    """Rows written since the store was opened, those of the indexes among them."""
    with store.write() as (db, _):
        return db.total_changes
