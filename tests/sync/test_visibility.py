"""Visibility (rules.md V): what a level forbids is not asked for, not written, and wiped."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.recorder import Recorder
from tests.servers import PASSWORD, Dovecot
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.errors import CrmmailError
from crmmail.export import letters
from crmmail.store import accounts, levels, mail_rules, search
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.sync import opening, rejudge, rules

SUBJECT, TEXT, FILE = "zqsubjectmark", "xjtextmark", "wkfilemark"
"""Words that nothing else in a store begins like: the index shortens what is alike."""
FORBIDDEN = {
    Level.METADATA: (SUBJECT, TEXT, FILE),
    Level.SUBJECT: (TEXT, FILE),
    Level.EVERYTHING: (),
}
SECOND = "me@second.example"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both accounts sign in with it."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", PASSWORD)


@pytest.fixture(scope="module")
def filled(new_mailbox: Callable[[], Mailbox]) -> Mailbox:
    """A mailbox with mail of every kind that a level changes. No test writes to it."""
    mailbox = new_mailbox()
    marked = {"subject": f"{SUBJECT} offer", "text": f"Dear all, {TEXT}.\r\n\r\n> {TEXT} quoted"}
    mailbox.append(
        "INBOX",
        letter(1, **marked),
        letter(2, subject=f"Re: {SUBJECT} offer", text=TEXT),  # T2: joins by its subject only
        letter(3, **marked, more="List-Id: <l.example>"),
        letter(4, **marked, sender="Bo Berg <bo@other.com>").replace(
            b"Message-ID: <4@test>\r\n", b""
        ),
        letter(5, **marked, sender="Bo <bo@pest.com>", more="List-Id: <x>").replace(
            b"Message-ID: <5@test>\r\n", b""
        ),
        with_file(6, b"x"),
        with_file(7, b"y" * 90_000),
        invitation(8),
        letter(9, refs="<1@test>", **marked),
        b"From: Nobody <cy@third.com>\r\nTo: me@home.example\r\nDate: Thu, 01 Jan 2026 09:00:00 "
        b"+0000\r\nMessage-ID: <10@test>\r\n\r\n",
    )
    mailbox.append("Archive", letter(11, **marked, sender=f"Me <{ME}>", to="Dee <dee@fourth.com>"))
    mailbox.append("Sent", letter(12, sender=f"Me <{ME}>", to="info@acme.com", **marked))
    return mailbox


def with_file(number: int, content: bytes) -> bytes:
    """A letter with an attachment."""
    message = _begun(number)
    message.set_content(f"See the file. {TEXT}")
    message.add_attachment(content, "application", "octet-stream", filename=f"{FILE}.bin")
    return message.as_bytes()


def invitation(number: int) -> bytes:
    """A message that only its parts show to be an invitation (M6)."""
    message = _begun(number)
    message.set_content(TEXT)
    message.add_alternative("BEGIN:VCALENDAR\r\nEND:VCALENDAR", "calendar")
    message.get_payload(1).set_param("method", "REQUEST")  # type: ignore[union-attr]
    return message.as_bytes()


def _begun(number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Ann Lee <ann@acme.com>", ME
    message["Subject"] = f"{SUBJECT} {number}"
    message["Date"] = format_datetime(START.replace(hour=number))
    message["Message-ID"] = f"<{number}@test>"
    return message


def leftovers(folder: Path) -> dict[str, set[str]]:
    """The marked words in each file of a folder and those below, unpacked where packed."""
    found = {}
    for path in filter(Path.is_file, folder.rglob("*")):
        content = path.read_bytes()
        content = (gzip.decompress(content) if path.suffix == ".gz" else content).lower()
        found[path.name] = {mark for mark in (SUBJECT, TEXT, FILE) if mark.encode() in content}
    return found


def has(store: Store) -> set[str]:
    """The marked words in any file of the store, a backup made now included."""
    backup = store.path.with_name("backup")
    backup.unlink(missing_ok=True)
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("VACUUM INTO ?", [str(backup)])
    return set().union(*leftovers(store.path.parent).values())


def imported(folder: Path, mailbox: Mailbox, level: Level) -> Store:
    """A fresh import at a level."""
    folder.mkdir()
    store = Store(folder / "crmmail.db")
    connect(store, mailbox)
    mail_rules.change(store, 1, mail_level=int(level))
    sync(store)
    return store


@pytest.fixture(scope="module")
def fresh(filled: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> dict[Level, list[str]]:
    """What a fresh import ends in, by level."""
    folder = tmp_path_factory.mktemp("fresh")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRMMAIL_PASSWORD", PASSWORD)
        for level in Level:
            store = imported(folder / level.name, filled, level)
            found[level] = dumped(store)
            store.close()
    return found


@pytest.mark.parametrize("level", [Level.METADATA, Level.SUBJECT], ids=str)
def test_no_forbidden_byte_is_asked_for_received_or_written(
    tmp_path: Path, filled: Mailbox, level: Level
) -> None:
    with Recorder(filled.server) as wire:
        store = imported(tmp_path / "store", Mailbox(wire, filled.user), level)  # type: ignore[arg-type]
        sync(store)
    answered, asked = bytes(wire.answered).lower(), bytes(wire.asked).upper()
    assert b"ann@acme.com" in answered
    for mark in FORBIDDEN[level]:
        assert mark.encode() not in answered
    assert asked.count(b"BODY") == asked.count(b"BODY.PEEK[HEADER.FIELDS")
    assert (b"SUBJECT" in asked) == (level == Level.SUBJECT)
    assert (SUBJECT.encode() in answered) == (level == Level.SUBJECT)
    assert has(store).isdisjoint(FORBIDDEN[level])
    assert store.read().execute("SELECT count(*) FROM attachment").fetchone() == (0,)
    store.close()


@pytest.mark.parametrize("then", Level, ids=str)
@pytest.mark.parametrize("first", Level, ids=str)
def test_a_changed_level_ends_like_a_fresh_import_and_wipes_what_it_forbids(
    tmp_path: Path, filled: Mailbox, fresh: dict[Level, list[str]], first: Level, then: Level
) -> None:
    store = imported(tmp_path / "store", filled, first)
    assert dumped(store) == fresh[first]
    assert has(store).isdisjoint(FORBIDDEN[first])
    if first == Level.EVERYTHING:
        assert has(store) == {SUBJECT, TEXT, FILE}  # the search does find them
    copy = store.path.with_name(f"{store.path.name}.before-1")
    kept = store.path.with_name(f"{store.path.name}.kept-2026-03-14-090000")
    for one in (copy, kept):
        one.write_bytes(store.path.read_bytes())
    mail_rules.change(store, 1, mail_level=int(then))
    sync(store)
    assert dumped(store) == fresh[then]
    if then < first:
        assert has(store).isdisjoint(FORBIDDEN[then])
        assert not copy.exists()
        assert not kept.exists()
    store.close()


def test_what_is_raised_is_found_again(tmp_path: Path, filled: Mailbox) -> None:
    store = imported(tmp_path / "store", filled, Level.METADATA)
    assert search.find(store.read(), TEXT) == search.find(store.read(), SUBJECT) == []
    mail_rules.change(store, 1, mail_level=int(Level.SUBJECT))
    sync(store)
    assert search.find(store.read(), TEXT) == []
    assert len(search.find(store.read(), SUBJECT)) == 9  # the invitation too (M6)
    mail_rules.change(store, 1, mail_level=int(Level.EVERYTHING))
    sync(store)
    assert len(search.find(store.read(), TEXT)) == len(search.find(store.read(), SUBJECT)) == 8
    store.close()


def test_raising_fetches_the_newest_first(
    tmp_path: Path, filled: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmmail.sync.account._STEP", 1)
    store = imported(tmp_path / "store", filled, Level.SUBJECT)
    raised: list[int] = []

    def note(_: object) -> None:
        found = store.read().execute("SELECT max(level), min(id) FROM message WHERE level = 2")
        raised.extend(lowest for top, lowest in found if top and lowest not in raised)

    store.subscribe(note)
    mail_rules.change(store, 1, mail_level=int(Level.EVERYTHING))
    sync(store)
    assert raised == sorted(raised, reverse=True)
    assert len(raised) == 9
    store.close()


def test_lowering_that_is_killed_half_way_goes_on(
    tmp_path: Path, filled: Mailbox, fresh: dict[Level, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejudge, "_BATCH", 2)
    store = imported(tmp_path / "store", filled, Level.EVERYTHING)
    mail_rules.change(store, 1, mail_level=int(Level.METADATA))
    steps = iter(range(4))
    rejudge.apply(store, rules.load(store.read(), 1), lambda: next(steps, None) is None)
    kept = dict(store.read().execute("SELECT level, count(*) FROM message GROUP BY level"))
    assert kept.keys() == {Level.METADATA, Level.EVERYTHING}
    store.close()
    again = Store(store.path)
    sync(again)
    assert dumped(again) == fresh[Level.METADATA]
    assert has(again) == set()
    again.close()


def test_a_wipe_that_another_reader_hinders_comes_with_the_next_pass(
    tmp_path: Path, filled: Mailbox
) -> None:
    store = imported(tmp_path / "store", filled, Level.EVERYTHING)
    with closing(sqlite3.connect(store.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchone()
        mail_rules.change(store, 1, mail_level=int(Level.SUBJECT))
        sync(store)
        ((ordered,),) = store.read().execute("SELECT name FROM chore").fetchall()
        assert ordered.startswith("wipe")
    sync(store)
    assert store.read().execute("SELECT name FROM chore").fetchall() == []
    assert has(store) == {SUBJECT}
    store.close()


class TestTwoAccounts:
    """V4: a message in two accounts takes the more permissive level."""

    @pytest.fixture
    def both(self, tmp_path: Path, dovecot: Dovecot, mailbox: Mailbox) -> Iterator[Store]:
        other = Mailbox(dovecot, dovecot.add_user(f"second-{mailbox.user}"))
        for place in (mailbox, other):
            place.append("INBOX", letter(1, subject=SUBJECT, text=TEXT))
        mailbox.append("INBOX", letter(2, subject=f"{SUBJECT} two", text=TEXT))
        store = Store(tmp_path / "crmmail.db")
        connect(store, mailbox)
        connect(store, other, SECOND)
        mail_rules.change(store, 1, mail_level=int(Level.METADATA))
        yield store
        store.close()

    def kept(self, store: Store) -> dict[str, tuple[int, str]]:
        """Level and subject by Message-ID."""
        rows = store.read().execute("SELECT message_id, level, subject FROM message")
        return {mid: (level, subject) for mid, level, subject in rows}

    def test_the_other_account_adds_what_it_may(self, both: Store) -> None:
        sync(both)
        assert self.kept(both) == {"1@test": (2, SUBJECT), "2@test": (0, "")}
        assert len(search.find(both.read(), TEXT)) == 1

    def test_lowering_the_other_takes_it(self, both: Store) -> None:
        sync(both)
        mail_rules.change(both, 2, mail_level=int(Level.SUBJECT))
        sync(both)
        assert self.kept(both) == {"1@test": (1, SUBJECT), "2@test": (0, "")}

    def test_removing_the_other_takes_it(self, both: Store) -> None:
        sync(both)
        accounts.remove(both, SECOND)
        assert self.kept(both) == {"1@test": (0, ""), "2@test": (0, "")}
        sync(both)
        assert has(both) == set()

    def test_a_copy_that_vanishes_in_the_other_takes_it(
        self, both: Store, dovecot: Dovecot, mailbox: Mailbox
    ) -> None:
        sync(both)
        with dovecot.client(f"second-{mailbox.user}") as client:
            client.select_folder("INBOX")
            client.delete_messages([1])
            client.expunge()
        sync(both)
        assert self.kept(both)["1@test"] == (0, "")


def test_nothing_is_opened_that_may_not_be_here(tmp_path: Path, filled: Mailbox) -> None:
    with Recorder(filled.server) as wire:
        store = imported(tmp_path / "store", Mailbox(wire, filled.user), Level.SUBJECT)  # type: ignore[arg-type]
        (message_id,) = store.read().execute("SELECT max(id) FROM message").fetchone()
        wire.forget()
        for fetch in (opening.source, lambda *one: opening.attachment(*one, 0)):
            with pytest.raises(CrmmailError, match="does not keep texts"):
                fetch(store, message_id)
        written = letters.to_mbox(store, tmp_path / "mbox", offline=False, progress=lambda *_: None)
        assert written.messages == written.rebuilt > 0
    assert TEXT.encode() not in (tmp_path / "mbox").read_bytes().lower()
    assert b"BODY" not in wire.asked
    store.close()


def test_the_effect_of_a_level_is_said_before(tmp_path: Path, filled: Mailbox) -> None:
    store = imported(tmp_path / "store", filled, Level.EVERYTHING)
    (count,) = store.read().execute("SELECT count(*) FROM message").fetchone()
    effect = levels.effect(store.read(), 1, Level.SUBJECT)
    assert (effect.texts, effect.subjects) == (count, 0)
    effect = levels.effect(store.read(), 1, Level.METADATA)
    assert (effect.texts, effect.subjects) == (count, count)
    assert levels.effect(store.read(), 1, Level.EVERYTHING) == levels.Effect(0, 0)
    store.close()
