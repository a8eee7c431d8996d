"""How SQLite finds what a sync asks for: by an index, however large the tables are.

SQLite plans without statistics, so that a small store has the plans of a large one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, sync
from tests.sync.letters import ME, letter

from crmmail.store import mail_rules
from crmmail.store.database import Store
from crmmail.sync import taking_back

LARGE = """
    address attachment attendee calendar_object company company_domain former_id manual_link meeting
    meeting_link message message_text occurrence participant person placement record_change skipped
    thread thread_link thread_ref
""".split()
SMALL_INDEXES = """
    ix_address_written ix_message_orphaned ix_placement_wanted ix_skipped_readmit
    ix_skipped_unreadable
""".split()
"""Of the few rows that something is to be done about, or a few addresses."""
WHOLE_FOLDER = re.compile(
    r"SELECT \(SELECT count\(\*\) FROM placement WHERE folder_id = \d+\) "
    r"\+ \(SELECT count\(\*\) FROM skipped WHERE folder_id = \d+\)"  # upkeep.count_local
    r"|SELECT uid FROM placement WHERE folder_id = \d+ UNION ALL"  # upkeep.local_uids
    r"|SELECT \(SELECT count\(\*\) FROM placement WHERE folder_id = \d+ AND NOT fl"  # upkeep.unread
    r"|.*EXISTS \( ?SELECT 1 FROM placement WHERE folder_id = folder\.id\)"  # one row is enough
    r"|SELECT uid FROM placement JOIN message .* ORDER BY uid DESC LIMIT 2"  # so are two
    r"|WITH listed AS MATERIALIZED"  # believing.elsewhere, where messages are missing
    r"|SELECT coalesce\(sum\(messages\), 0\)|SELECT count\(\*\), count\(DISTINCT thread_id\)"
    r"|SELECT reason, count\(\*\) FROM skipped"  # the report of `sync --once`
    r"|SELECT named\.value ->> 2, uid FROM skipped"  # rule_changes.in_skip_list
    r"|SELECT ifnull\(sum\(\(SELECT count\(\*\) FROM placement"  # once for a changed rule
)
"""Statements that may read a folder from one end to the other."""
COUNTS = re.compile(r"SELECT \(SELECT count\(\*\) FROM placement WHERE folder_id = \d+\)")
WHOLE_TABLE = re.compile(
    r"SELECT id FROM message WHERE outgoing != "  # once for a changed rule, and not in a write
    r"|SELECT id FROM address WHERE NOT written AND EXISTS"
    r"|SELECT id, address, no_contact, person_id FROM address$"
)
"""Statements that may read a large table from one end to the other."""
ANY = [f"SELECT 1 FROM {table} LIMIT 1" for table in LARGE]
STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\b", re.IGNORECASE)


class Tracer:
    """The statements that a process gives to SQLite, while they are listened to."""

    def __init__(self) -> None:
        self._heard: list[str] | None = None

    def hear(self, statement: str) -> None:
        if self._heard is not None:
            self._heard.append(" ".join(statement.split()))

    @contextmanager
    def listen(self) -> Iterator[list[str]]:
        """What is asked inside the block."""
        self._heard = found = list[str]()
        try:
            yield found
        finally:
            self._heard = None


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Tracer:
    """Hears every connection of every store that is opened from now on."""
    tracer, opened = Tracer(), Store._connect

    def connect(store: Store, cache_kb: int) -> sqlite3.Connection:
        connection = opened(store, cache_kb)
        connection.set_trace_callback(tracer.hear)
        return connection

    monkeypatch.setattr(Store, "_connect", connect)
    return tracer


@pytest.fixture
def store(tracer: Tracer, tmp_path: Path) -> Iterator[Store]:
    """An empty store that is listened to."""
    with closing(Store(tmp_path / "crmmail.db")) as opened:
        yield opened


def slow(store: Store, statements: Iterable[str]) -> list[str]:
    """Statements that read a large table whole, or a folder of one, with the step that does."""
    return [
        f"{step}: {statement[:400]}"
        for statement in sorted(set(statements))
        if STATEMENT.match(statement) and statement not in ANY
        for step in plan(store, statement)
        if (reads_all(step) and not WHOLE_TABLE.match(statement))
        or (reads_folder(step) and not WHOLE_FOLDER.match(statement))
    ]


def plan(store: Store, statement: str) -> list[str]:
    """The steps in which SQLite runs a statement; a list that is parsed for each row is "AGAIN"."""
    question = f"EXPLAIN QUERY PLAN {statement}"
    try:
        rows = store.read().execute(question).fetchall()
    except sqlite3.Error:  # it writes, or has tables of the writer's own
        with store.write() as (db, _):
            rows = db.execute(question).fetchall()
    before = set[int]()
    steps = list[str]()
    for _, parent, _, step in rows:
        inner = parent in before and "VIRTUAL TABLE" in step and not step.startswith("SCAN named")
        steps.append(f"AGAIN {step}" if inner else step)
        if step.startswith(("SCAN", "SEARCH")):
            before.add(parent)
    return steps


def reads_all(step: str) -> bool:
    if step.startswith("AGAIN "):
        return True
    words = step.split()
    return words[0] == "SCAN" and words[1] in LARGE and words[-1] not in SMALL_INDEXES


def reads_folder(step: str) -> bool:
    return step in (
        f"SEARCH {table} USING PRIMARY KEY (folder_id=?)" for table in ("placement", "skipped")
    )


def test_a_statement_that_reads_a_table_or_a_folder_whole_is_found(store: Store) -> None:
    """The test of the tests below."""
    quadratic = """UPDATE placement SET flags = told.value ->> 1 FROM json_each('[[1, 2]]') AS told
                   WHERE folder_id = 1 AND uid = told.value ->> 0"""
    for statement in (
        "SELECT facts FROM skipped WHERE facts != ''",
        "SELECT 1 FROM manual_link WHERE kind = 1 AND record_id = 2",
        "SELECT 1 FROM placement WHERE folder_id IN (SELECT id FROM folder) AND wanted = 2",
        quadratic,
    ):
        assert slow(store, [statement]), statement
    assert slow(store, ["SELECT 1 FROM placement WHERE folder_id = 1 AND uid = 2"]) == []


def fill(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", *(letter(n, sender=f"P{n} <p{n}@s{n}.com>") for n in range(1, 9)))
    mailbox.append("INBOX", letter(9, sender="news@paper.com", more="List-Id: <l.example>"))
    mailbox.append("Sent", letter(10, sender=ME, to="info@acme.com, Cy <cy@acme.com>"))
    mailbox.append("Archive", letter(11), letter(1, sender="P1 <p1@s1.com>"))


@pytest.fixture
def synced(
    tracer: Tracer, store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> Tracer:
    """An account whose mail is all here, with something that the user did by hand."""
    fill(mailbox)
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    connect(store, mailbox)
    sync(store)
    return tracer


def test_a_pass_without_news_reads_no_large_table(store: Store, synced: Tracer) -> None:
    with synced.listen() as asked:
        sync(store)
    assert len(asked) > 20
    assert slow(store, asked) == []


def test_a_process_counts_what_is_here_once(store: Store, synced: Tracer) -> None:
    """Then only where a number of the folder has changed; here it is another one's first pass."""
    with closing(Store(store.path)) as other:
        with synced.listen() as first:
            sync(other)
        with synced.listen() as second:
            sync(other)
    assert any(COUNTS.match(statement) for statement in first)
    assert not any(COUNTS.match(statement) for statement in second)


def test_a_pass_with_news_of_every_kind_reads_no_large_table(
    store: Store, synced: Tracer, mailbox: Mailbox
) -> None:
    """New mail, an answer, changed flags, a draft, a message moved and one deleted."""
    mailbox.append("INBOX", letter(20, refs="<1@test>"), letter(21, sender="info@acme.com"))
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.add_flags([1, 2, 9], [b"\\Flagged"])
        client.add_flags([3], [b"\\Draft"])
        client.delete_messages([4])
        client.expunge()
        client.copy([5], "Archive")
        client.delete_messages([5])
        client.expunge()
    with synced.listen() as asked:
        sync(store)
    assert any(one.startswith("DELETE FROM message ") for one in asked)
    assert any(one.startswith("UPDATE placement SET flags") for one in asked)
    assert slow(store, asked) == []


def test_a_rule_that_is_set_back_reads_the_skip_list_once_and_not_in_a_write(
    store: Store, synced: Tracer, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many people are looked at. Who has no mail, in the skip list neither, stays."""
    monkeypatch.setattr(taking_back, "_BATCH", 2)
    undo = mail_rules.set_values(store, 1, exclude_free=False)
    free = {n: f"F{n} <f{n}@gmail.com>" for n in range(30, 37)}
    mailbox.append("Archive", *(letter(n, sender=one) for n, one in free.items()))
    mailbox.append("INBOX", letter(40, sender=free[31], more="List-Id: <l.example>"))
    sync(store)
    with mailbox.client() as client:
        client.select_folder("Archive")
        client.delete_messages(client.search(["OR", "FROM", "f30@", "FROM", "f31@"]))
        client.expunge()
    sync(store)
    undo()
    with synced.listen() as asked:
        sync(store)
    looks = [one for one in inside_writes(asked) if "json_each(facts" in one[1]]
    folders = store.read().execute("SELECT count(*) FROM folder").fetchone()
    assert [inside for inside, _ in looks].count(False) == folders[0]
    assert all("FROM json_each(" in one for inside, one in looks if inside)  # by place
    assert slow(store, asked) == []
    names = store.read().execute("SELECT name FROM person WHERE name LIKE 'F%'").fetchall()
    assert names == [("F30",)]


def inside_writes(asked: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """Each statement, and whether it was asked inside a write."""
    inside = False
    for one in asked:
        inside = one.startswith("BEGIN IMMEDIATE") or (inside and one != "COMMIT")
        yield inside, one
