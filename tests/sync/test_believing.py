"""Absence is not deletion: what a server leaves out stays until later runs say the same (M12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped
from tests.sync.letters import START, letter
from tests.sync.liar import Liar, before, delete, lying, numbered

from crmmail.store import mail_rules
from crmmail.store.database import Store
from crmmail.sync import believing
from crmmail.sync.account import AccountSync
from crmmail.sync.believing import APART, Looks
from crmmail.sync.loop import sync_once
from crmmail.sync.session import account_rows, sign_in


@pytest.fixture
def liar(store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Liar]:
    """A mailbox with 60 letters in INBOX and 10 more in Deals."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    with lying(store, mailbox, INBOX=range(60), Deals=range(100, 110)) as liar:
        yield liar


NO_STATUS = (rb"\* STATUS [^\n]*\n", b"")
NO_DEALS = (rb'\* (LIST|STATUS) [^\n]*"?Deals"?[^\n]*\n', b"")


@pytest.mark.parametrize(
    "lie",
    [
        [NO_DEALS],
        [(rb"LIST \([^)]*\)([^\n]*Deals)", rb"LIST (\\Noselect)\1")],
        [(rb"LIST \([^)]*\)([^\n]*Deals)", rb"LIST (\\NonExistent)\1"), NO_STATUS],
    ],
    ids=["missing", "noselect", "nonexistent"],
)
def test_a_folder_that_is_not_listed_for_two_runs_keeps_its_mail_and_says_so(
    liar: Liar, lie: list[tuple[bytes, bytes]]
) -> None:
    before = dumped(liar.store)
    for run in ("1 of 3", "2 of 3"):
        (told,) = liar.sync(*lie).errors
        assert told.startswith("Deals: the server does not list this folder any more; its 10 ")
        assert run in told
        (said,) = liar.store.read().execute("SELECT error FROM sync_state").fetchone()
        assert said == told
        assert dumped(liar.store) == before
    assert liar.sync().errors == []
    assert dumped(liar.store) == before
    assert "(1 of 3)" in liar.sync(*lie).errors[0]  # what was said before counts no more


def test_a_folder_that_was_turned_off_is_still_off_after_it_was_not_listed(liar: Liar) -> None:
    mail_rules.select_folder(liar.store, 1, "Deals", on=False)
    assert liar.sync().skipped == {"folder": 10}
    assert liar.sync(NO_DEALS).errors
    assert liar.sync().skipped == {"folder": 10}


@pytest.mark.parametrize("answer", ["NO [UNAVAILABLE] Internal error", "BAD what", "NO no"])
def test_a_refused_status_says_nothing_of_the_folder(liar: Liar, answer: str) -> None:
    before = dumped(liar.store)
    report = liar.sync((b"LIST-STATUS", b""), STATUS=answer)
    assert report.errors == []
    assert dumped(liar.store) == before


def test_a_folder_that_neither_status_nor_examine_opens_is_an_error_and_keeps_its_mail(
    liar: Liar,
) -> None:
    before = dumped(liar.store)
    report = liar.sync((b"LIST-STATUS", b""), STATUS="NO no", EXAMINE="NO [SERVERBUG] no")
    assert "INBOX: The server said: [SERVERBUG] no." in report.errors
    assert any(told.startswith("Deals: ") for told in report.errors)
    assert dumped(liar.store) == before
    assert liar.sync().errors == []


def test_a_status_line_that_is_left_out_changes_nothing(liar: Liar, mailbox: Mailbox) -> None:
    mailbox.append("Deals", letter(200))
    assert liar.sync(NO_STATUS).errors == []
    assert len(liar.held()) == 71


SHORT = (rb"SEARCH [\d ]+", b"SEARCH 3 4")
EMPTY = (rb"SEARCH [\d ]+", b"SEARCH")
NO_FLAGS = (rb"\* \d+ FETCH \(UID \d+ FLAGS \([^)]*\)( MODSEQ \(\d+\))?\)\r\n", b"")


@pytest.mark.parametrize("lie", [SHORT, EMPTY, (rb"\* SEARCH[^\n]*\n", b"")])
def test_a_short_search_is_checked_against_fetch(
    liar: Liar, mailbox: Mailbox, lie: tuple[bytes, bytes]
) -> None:
    delete(mailbox, "INBOX", 5)
    mailbox.append("INBOX", *[letter(number) for number in range(300, 305)])
    report = liar.sync(lie)
    assert report.errors == []
    assert report.listed == 70
    assert {f"{number}@test" for number in range(300, 305)} <= liar.held()
    assert not {f"{number}@test" for number in range(5)} & liar.held()


@pytest.mark.parametrize(
    "lie",
    [
        (rb"(\* ESEARCH [^\n]*?)ALL [\d:,]+", rb"\1ALL 6"),
        (rb"(\* ESEARCH \([^)]*\) UID)[^\r\n]*", rb"\1 ALL 6:7 COUNT 2"),
        (rb"(\* ESEARCH \([^)]*\) UID)[^\r\n]*", rb"\1 COUNT 0"),
        (rb"\* ESEARCH[^\n]*\n", b""),
    ],
    ids=["does not add up", "is short", "is empty", "is missing"],
)
def test_so_is_a_short_list_of_ranges(
    liar: Liar, mailbox: Mailbox, lie: tuple[bytes, bytes]
) -> None:
    liar.packs = True
    delete(mailbox, "INBOX", 5)
    mailbox.append("INBOX", *[letter(number) for number in range(300, 305)])
    report = liar.sync(lie)
    assert (report.errors, report.listed) == ([], 70)
    assert {f"{number}@test" for number in range(300, 305)} <= liar.held()
    assert not {f"{number}@test" for number in range(5)} & liar.held()


def test_where_the_list_and_the_count_disagree_nothing_is_deleted(
    liar: Liar, mailbox: Mailbox
) -> None:
    delete(mailbox, "INBOX", 5)
    for _ in range(4):
        (told,) = liar.sync(SHORT, NO_FLAGS).errors
        assert told.startswith("INBOX: The server counts 55 messages and lists 2.")
        assert len(liar.held()) == 70
    assert liar.sync().errors == []
    assert len(liar.held()) == 65


def test_a_first_import_with_an_empty_list_says_so_and_is_made_up_for(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", *map(numbered, range(60)))
    with before(store, mailbox) as liar:
        for _ in range(2):
            assert "counts 60 messages and lists 0" in liar.sync(EMPTY, NO_FLAGS).errors[0]
        assert liar.sync().errors == []
        assert len(liar.held()) == 60


TWENTY = [
    (rb"\* 60 EXISTS", b"* 20 EXISTS"),
    (rb"MESSAGES 60", b"MESSAGES 20"),
    (rb"\* SEARCH( \d+)( \d+)+", b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(1, 21))),
]


def test_more_than_half_of_a_folder_waits_for_later_runs_whatever_the_numbers_say(
    liar: Liar,
) -> None:
    before = dumped(liar.store)
    for run in ("1 of 3", "2 of 3"):
        (told,) = liar.sync(*TWENTY).errors
        assert told.startswith("INBOX: the server does not list 40 of its messages any more; they")
        assert run in told
        assert len(liar.held()) == 70
    assert liar.sync().errors == []
    assert dumped(liar.store) == before


def test_ten_of_sixty_leave_at_once(liar: Liar, mailbox: Mailbox) -> None:
    delete(mailbox, "INBOX", 10)
    assert liar.sync().errors == []
    assert len(liar.held()) == 60


def test_what_waited_for_numbers_that_agree_leaves_when_they_do(
    liar: Liar, mailbox: Mailbox
) -> None:
    delete(mailbox, "INBOX", 5)
    report = liar.sync((rb"MESSAGES \d+", b"MESSAGES 0"))
    assert "INBOX: the server does not list 5 of its messages any more" in report.errors[0]
    assert len(liar.held()) == 70
    assert liar.sync().errors == []
    assert len(liar.held()) == 65


def test_more_than_half_that_was_really_deleted_leaves_with_the_third_run(
    liar: Liar, mailbox: Mailbox
) -> None:
    delete(mailbox, "INBOX", 40)
    assert "(1 of 3)" in liar.sync().errors[0]
    delete(mailbox, "INBOX", 3)  # a few more wait for nobody
    assert "(2 of 3)" in liar.sync().errors[0]
    assert len(liar.held()) == 67
    report = liar.sync()
    assert (report.errors, report.listed, report.stored) == ([], 27, 27)
    assert len(liar.held()) == 27


def test_new_messages_do_not_end_the_wait_of_more_than_half(liar: Liar, mailbox: Mailbox) -> None:
    before = liar.held()
    delete(mailbox, "INBOX", 40)
    assert "(1 of 3)" in liar.sync().errors[0]
    mailbox.append("INBOX", *[(numbered(number), (), START) for number in range(200, 300)])
    assert "(2 of 3)" in liar.sync().errors[0]
    assert liar.held() > before
    delete(mailbox, "INBOX", 2)  # so do others that leave meanwhile
    report = liar.sync()
    assert report.errors == []
    assert len(liar.held()) == 70 + 100 - 42


def test_what_was_moved_waits_for_nobody(liar: Liar, mailbox: Mailbox) -> None:
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.move(client.search(), "Archive")
    assert liar.sync().errors == []
    assert len(liar.held()) == 70


def move(mailbox: Mailbox, uids: list[int]) -> None:
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.move(uids, "Deals")


def test_what_was_moved_and_cannot_be_listed_there_stays_until_it_can(
    liar: Liar, mailbox: Mailbox
) -> None:
    """Also when its place in the skip list is no error any more, after three passes (M8)."""
    before = liar.texts()
    move(mailbox, [5, 6])
    hidden = (rb"\* \d+ FETCH \(UID 1[12] FLAGS[^)]*\) INTERNALDATE[^\0]*", b"")
    for _ in range(5):
        report = liar.sync(hidden)
        assert report.skipped == {"unreadable": 2}
        assert liar.texts() == before
    assert report.errors == []
    assert liar.sync().errors == []
    assert len(liar.held()) == 70


def test_what_was_deleted_leaves_in_the_run_that_reads_what_could_not_be_read(
    liar: Liar, mailbox: Mailbox
) -> None:
    """What stays because an unreadable message may be it waits for that message only (M12)."""
    mailbox.append("Deals", letter(200))
    delete(mailbox, "INBOX", 2)
    hidden = (rb"\* \d+ FETCH \(UID 11 FLAGS[^)]*\) INTERNALDATE[^\0]*", b"")
    assert liar.sync(hidden).errors
    assert len(liar.texts()) == 70
    assert liar.sync().errors == []
    assert liar.texts() == liar.held()
    assert len(liar.held()) == 69


def test_what_was_moved_to_an_account_with_an_error_stays(
    liar: Liar, mailbox: Mailbox, new_mailbox: Callable[[], Mailbox]
) -> None:
    other, before = new_mailbox(), liar.texts()
    connect(liar.store, other, "other@home.example")
    with liar.store.write() as (db, _):
        db.execute("UPDATE account SET port = 1 WHERE port = ?", [other.port])
    sync_once(liar.store)
    delete(mailbox, "INBOX", 2)
    for _ in range(2):
        assert [bool(report.errors) for report in sync_once(liar.store)] == [False, True]
    assert liar.texts() == before
    with liar.store.write() as (db, _):
        db.execute("UPDATE account SET port = ? WHERE port = 1", [other.port])
    for _ in range(2):
        assert [report.errors for report in sync_once(liar.store)] == [[], []]
    assert len(liar.texts()) == 68


def test_a_renamed_folder_waits_for_nobody(liar: Liar, mailbox: Mailbox) -> None:
    with mailbox.client() as client:
        client.rename_folder("Deals", "Closed")
    report = liar.sync()
    assert (report.errors, report.listed) == ([], 70)
    assert len(liar.held()) == 70


def renumber(mailbox: Mailbox, numbers: range) -> None:
    """Deals gets a new UIDVALIDITY on the server, with these letters in it."""
    with mailbox.client() as client:
        client.delete_folder("Deals")
    mailbox.append("Deals", *[(letter(number), (), START) for number in numbers])


def test_a_new_uidvalidity_is_followed_while_what_it_does_not_have_waits(
    liar: Liar, mailbox: Mailbox
) -> None:
    renumber(mailbox, range(107, 114))
    for run in ("1 of 3", "2 of 3"):
        (told,) = liar.sync().errors
        assert "Deals: the server has numbered it anew, and 7 of its messages are not in" in told
        assert run in told
        assert {f"{number}@test" for number in range(100, 114)} <= liar.held()
    report = liar.sync()
    assert (report.errors, report.listed, report.stored) == ([], 67, 67)
    assert {f"{number}@test" for number in range(100, 107)}.isdisjoint(liar.held())


def test_a_uidvalidity_that_is_new_for_one_run_loses_nothing(liar: Liar) -> None:
    before = dumped(liar.store)
    new = (rb"UIDVALIDITY \d+", b"UIDVALIDITY 77")
    assert liar.sync(new).errors == []
    assert dumped(liar.store) == before
    assert liar.sync((rb"UIDVALIDITY \d+", b"UIDVALIDITY 78"), EMPTY, NO_FLAGS).errors
    assert len(liar.held()) == 70
    assert liar.sync().errors == []
    assert dumped(liar.store) == before


def test_a_uidvalidity_that_is_left_out_is_not_a_new_one(liar: Liar) -> None:
    before = dumped(liar.store)
    gone = (rb" UIDVALIDITY \d+|\* OK \[UIDVALIDITY[^\n]*\n", b"")
    assert liar.sync(gone).errors == []
    assert dumped(liar.store) == before


def test_an_empty_folder_that_begins_to_count_anew_waits_however_small_it_is(
    liar: Liar, mailbox: Mailbox
) -> None:
    delete(mailbox, "Deals", 7)
    assert "(1 of 3)" in liar.sync().errors[0]
    empty = [
        (rb"\* 3 EXISTS", b"* 0 EXISTS"),
        (rb"MESSAGES 3", b"MESSAGES 0"),
        (rb"UIDNEXT 11", b"UIDNEXT 1"),
        EMPTY,
        NO_FLAGS,
    ]
    assert "10 of its messages" in liar.sync(*empty).errors[0]
    assert len(liar.held()) == 70


class TestLooks:
    """Which runs are later ones."""

    def test_a_second_look_in_the_same_run_does_not_count(self) -> None:
        once = Looks()
        assert once.counts(1, believing.FOLDER, 0, 100)
        assert not once.counts(1, believing.FOLDER, 100, 5_000)
        assert once.counts(2, believing.FOLDER, 0, 5_000)
        assert Looks().counts(1, believing.FOLDER, 100, 101)

    def test_while_crmmail_stays_open_a_quarter_of_an_hour_must_pass(self) -> None:
        staying = Looks(APART)
        assert staying.counts(1, believing.FOLDER, 0, 10_000)
        assert not staying.counts(1, believing.FOLDER, 10_000, 10_899)
        assert staying.counts(1, believing.FOLDER, 10_000, 10_900)
        assert staying.counts(1, believing.FOLDER, 10_000, 9_000)  # the clock was put back

    def test_passes_that_push_brings_about_do_not_count(
        self, liar: Liar, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with mailbox.client() as client:
            client.delete_folder("Deals")
        clock = [1_000_000.0]
        monkeypatch.setattr(believing.time, "time", lambda: clock[0])
        connection = sign_in(account_rows(liar.store)[0])
        sync = AccountSync(liar.store, 1, connection, Looks(APART))
        for number in range(5):
            mailbox.append("INBOX", letter(400 + number))
            sync.settle()
            assert "(1 of 3)" in sync.errors[0]
            clock[0] += 60
        assert len(liar.held()) == 75
        for _ in range(2):
            clock[0] += APART
            sync.settle()
        assert sync.errors == []
        assert len(liar.held()) == 65
        connection.close()
