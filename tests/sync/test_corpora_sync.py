"""All real mail that there is, in one mailbox: each message ends in the store or the ledger."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, sync

from crmmail.store.database import Store
from crmmail.sync import intake

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
ARCHIVES = ("spamassassin", "bounces", "stalwart", "ruby-mail", "rspamd")
SLOWEST = 1.0
"""Seconds that no single message may take."""


def real_mail() -> list[tuple[str, bytes]]:
    """(name, bytes) of every message of the corpora."""
    found = []
    for name in ARCHIVES:
        with zipfile.ZipFile(CORPORA / f"{name}.zip") as archive:
            found += [
                (f"{name}/{entry.filename}", archive.read(entry))
                for entry in archive.infolist()
                if not entry.is_dir() and not entry.filename.endswith((".json", ".md", "LICENSE"))
            ]
    return [(name, raw) for name, raw in found if raw.strip()]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the shared corpora are not here")
def test_every_real_message_is_stored_or_in_the_ledger(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    messages = real_mail()
    assert len(messages) > 4_000
    mailbox.append("INBOX", *[raw.replace(b"\0", b" ") for _, raw in messages])
    slow = []
    parse = intake._parse

    def timed(one: intake.Fetched, *rest: Any) -> object:
        started = time.thread_time()
        try:
            return parse(one, *rest)
        finally:
            if (took := time.thread_time() - started) > SLOWEST:
                slow.append((one.listed.uid, took))

    monkeypatch.setattr(intake, "_parse", timed)
    connect(store, mailbox)
    with store.write() as (db, _):
        db.execute("UPDATE account SET exclude_group = 0")
    report = sync(store)[0]
    assert report.listed == len(messages)
    assert slow == []
    broken = (
        store.read()
        .execute("SELECT uid, detail FROM skipped WHERE reason = 'unreadable'")
        .fetchall()
    )
    assert [messages[uid - 1][0] for uid, _ in broken] == []
    (empty,) = (
        store.read()
        .execute(
            """SELECT count(*) FROM message AS m JOIN message_text AS t ON t.message_id = m.id
               WHERE trim(t.text) = '' AND NOT m.attachments"""
        )
        .fetchone()
    )
    assert empty < 0.02 * len(messages)
