"""A server whose HIGHESTMODSEQ does not move with each change of flags is noticed (S3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.fake_imap import CLOSE, Answer
from tests.sync.letters import letter
from tests.sync.unwell import HEADER, LETTERS, Tamper, Unwell, always, at, of, put

from crmmail.store.kinds import Flag
from crmmail.sync import reflagging
from crmmail.sync.account import AccountSync
from crmmail.sync.session import account_rows, sign_in

_SEEN, _FLAGGED = rb"\Seen", rb"\Flagged"
_WEEK, _MONTH = 7 * 86_400, 30 * 86_400


def _stuck(number: bytes) -> Tamper:
    return lambda answer: re.sub(rb"HIGHESTMODSEQ \d+", b"HIGHESTMODSEQ " + number, answer)


@pytest.fixture(params=[b"1", b"7", b"70000"])
def stuck(request: pytest.FixtureRequest) -> Tamper:
    return _stuck(request.param)


@pytest.fixture
def read_once(unwell: Unwell, stuck: Tamper, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unwell]:
    """A mailbox that was read once; three of its messages count as new."""
    monkeypatch.setattr(reflagging, "NEWEST", 3)
    report = unwell.sync({}, stuck)
    assert (report.errors, report.stored) == ([], len(LETTERS))
    yield unwell
    unwell.ends_well()


def _mark(unwell: Unwell, uid: int, flag: bytes, folder: str = "INBOX") -> None:
    with unwell.mailbox.client() as client:
        client.select_folder(folder)
        client.add_flags([uid], [flag])


def _flags(unwell: Unwell) -> dict[int, int]:
    rows = "SELECT uid, flags FROM placement WHERE flags"
    return dict(unwell.store.read().execute(rows).fetchall())


def _age(unwell: Unwell, seconds: int) -> None:
    """Everything that was noted with its time was noted so long ago."""
    with unwell.store.write() as (db, _):
        db.execute("UPDATE folder SET flags_at = flags_at - ?", [seconds])
        db.execute("UPDATE sync_state SET miscounts_at = max(miscounts_at - ?, 0)", [seconds])


def _asked_counts(unwell: Unwell) -> bool:
    """Whether the last list of folders was asked for HIGHESTMODSEQ."""
    assert unwell.fake is not None
    lists = [call for call in unwell.fake.calls if call.name in ("LIST", "STATUS")]
    return "HIGHESTMODSEQ" in lists[-1].arguments


def test_new_mail_shows_that_the_number_stands_still(read_once: Unwell, stuck: Tamper) -> None:
    _mark(read_once, 7, _FLAGGED)
    read_once.mailbox.append("INBOX", letter(80))
    report = read_once.sync({}, stuck)
    assert (report.errors, report.stored) == ([], len(LETTERS) + 1)
    assert _flags(read_once) == {7: Flag.FLAGGED}
    _mark(read_once, 54, _FLAGGED)
    assert read_once.sync({}, stuck).errors == []
    assert _flags(read_once) == {7: Flag.FLAGGED, 54: Flag.FLAGGED}


def test_the_count_of_unread_shows_it_too(read_once: Unwell, stuck: Tamper) -> None:
    _mark(read_once, 7, _SEEN)
    _mark(read_once, 8, _FLAGGED)
    assert read_once.sync({}, stuck).errors == []
    assert _flags(read_once) == {7: Flag.SEEN, 8: Flag.FLAGGED}
    assert not _asked_counts(read_once)


def test_what_no_number_shows_is_found_within_a_week(read_once: Unwell, stuck: Tamper) -> None:
    _mark(read_once, 7, _FLAGGED)
    assert read_once.sync({}, stuck).errors == []
    _age(read_once, _WEEK)
    assert read_once.sync({}, stuck).errors == []
    assert _flags(read_once) == {7: Flag.FLAGGED}
    _mark(read_once, 53, _FLAGGED)
    assert read_once.sync({}, stuck).errors == []
    assert _flags(read_once) == {7: Flag.FLAGGED, 53: Flag.FLAGGED}


def test_what_the_server_tells_in_passing_shows_it(read_once: Unwell, stuck: Tamper) -> None:
    read_once.tamper = stuck
    (account,) = account_rows(read_once.store)
    with closing(sign_in(account)) as mailbox:
        sync = AccountSync(read_once.store, account.id, mailbox)
        sync.settle()
        sync._session.examine_again("INBOX")
        _mark(read_once, 53, _FLAGGED)
        sync.settle()
        assert (sync.errors, _flags(read_once)) == ([], {53: Flag.FLAGGED})


def test_a_status_that_is_late_is_no_sign(unwell: Unwell) -> None:
    unwell.sync()
    (modseq,) = unwell.row("SELECT modseq FROM folder WHERE name = 'INBOX'")
    unwell.mailbox.append("INBOX", letter(80))
    late = rb"(STATUS [^\r\n]*HIGHESTMODSEQ) \d+"
    report = unwell.sync({}, put(late, rb"\1 %d" % modseq))
    assert (report.errors, report.stored) == ([], len(LETTERS) + 1)
    assert unwell.row("SELECT miscounts_at FROM sync_state") == (0,)
    unwell.ends_well()


@pytest.mark.parametrize("answer", ["NO [UNAVAILABLE] try later", "BAD confused"])
@pytest.mark.parametrize("passes", [1, 2])
def test_new_mail_that_is_refused_for_a_while_is_no_sign(
    unwell: Unwell, answer: str, passes: int
) -> None:
    unwell.sync()
    unwell.mailbox.append("INBOX", letter(80))
    _mark(unwell, 7, _FLAGGED)
    for _ in range(passes):
        assert unwell.sync(always(answer, HEADER)).errors != []
    assert _flags(unwell) == {7: Flag.FLAGGED}
    report = unwell.sync()
    assert (report.errors, report.stored) == ([], len(LETTERS) + 1)
    assert unwell.row("SELECT miscounts_at FROM sync_state") == (0,)
    assert _asked_counts(unwell)
    unwell.ends_well()


_GARBLED = of(7, put(rb"FLAGS \(.*", b'FLAGS (x "\r\n'))


@pytest.mark.parametrize("fault", [(at(7, CLOSE, "FLAGS"), bytes), ({}, _GARBLED)])
def test_a_flag_that_could_not_be_read_before_is_no_sign(
    unwell: Unwell, fault: tuple[dict[str, Answer], Tamper]
) -> None:
    unwell.sync()
    _mark(unwell, 7, _FLAGGED)
    _mark(unwell, 8, _FLAGGED)
    report = unwell.sync(*fault)
    assert (report.errors, _flags(unwell)) == ([], {8: Flag.FLAGGED})
    for _ in range(2):
        _age(unwell, _WEEK)
        assert unwell.sync().errors == []
        assert _flags(unwell) == {7: Flag.FLAGGED, 8: Flag.FLAGGED}
        assert unwell.row("SELECT miscounts_at FROM sync_state") == (0,)
        assert unwell.row("SELECT max(flags_failed) FROM folder") == ("",)
    unwell.ends_well()


def test_such_a_flag_hides_no_other(read_once: Unwell, stuck: Tamper) -> None:
    _mark(read_once, 7, _FLAGGED)
    _age(read_once, _WEEK)
    read_once.sync({}, lambda answer: _GARBLED(stuck(answer)))
    _mark(read_once, 53, _FLAGGED)
    _age(read_once, _WEEK)
    assert read_once.sync({}, stuck).errors == []
    assert _flags(read_once) == {7: Flag.FLAGGED, 53: Flag.FLAGGED}
    assert read_once.row("SELECT miscounts_at > 0 FROM sync_state") == (1,)


@pytest.mark.parametrize("number", [b"1", b"300"])
def test_one_number_for_all_folders_is_doubted_at_each_connection(
    unwell: Unwell, number: bytes
) -> None:
    unwell.mailbox.append("Archive", letter(90), letter(91))
    assert unwell.sync({}, _stuck(number)).errors == []
    for uid, folder in ((54, "INBOX"), (2, "Archive")):
        _mark(unwell, uid, _FLAGGED, folder)
    assert unwell.sync({}, _stuck(number)).errors == []
    assert _flags(unwell) == {54: Flag.FLAGGED, 2: Flag.FLAGGED}
    unwell.ends_well()


def test_the_server_gets_another_chance_after_a_month(read_once: Unwell, stuck: Tamper) -> None:
    read_once.mailbox.append("INBOX", letter(80))
    for _ in range(2):
        read_once.sync({}, stuck)
    assert not _asked_counts(read_once)
    _age(read_once, _MONTH)
    assert read_once.sync().errors == []
    assert _asked_counts(read_once)


def test_a_server_that_counts_is_believed(unwell: Unwell) -> None:
    unwell.sync()
    for number in (80, 81):
        unwell.mailbox.append("INBOX", letter(number))
        _mark(unwell, number - 70, _SEEN)
        with unwell.mailbox.client() as client:
            client.select_folder("INBOX")
            client.delete_messages([number - 60])
            client.expunge()
        _age(unwell, _WEEK)
        assert unwell.sync().errors == []
        assert _asked_counts(unwell)
    assert _flags(unwell) == {10: Flag.SEEN, 11: Flag.SEEN}
    assert unwell.row("SELECT miscounts_at FROM sync_state") == (0,)
