"""What servers write against the rules, and what it can mean all the same."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.fake_imap import Answer, FakeImap
from tests.sync.letters import letter
from tests.sync.unwell import BAD, LETTERS, Tamper, Unwell, of, put

from crmmail.sync.answers import epoch, parsed
from crmmail.sync.folder_names import listed
from crmmail.sync.mailbox import Login, Mailbox


def test_empty_lines_between_answers_mean_nothing() -> None:
    script = {
        "CAPABILITY": "|* CAPABILITY IMAP4rev1|OK done",
        "LOGIN": "||OK done",
        "LIST": '|* LIST () "/" INBOX||* LIST () "/" {4}\r\nWork|OK done',
        "STATUS": "|* STATUS INBOX (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 1)|OK done",
    }
    with FakeImap(script, greeting=b"\r\n* OK ready\r\n") as fake:
        mailbox = Mailbox(Login("127.0.0.1", fake.port, "none", "me", "secret"))
        found = {one.name: one.messages for one in mailbox.folders()}
        mailbox.close()
    assert found == {"INBOX": 3, "Work": 0}


@pytest.mark.parametrize("alien", ["ZZZ9 OK done", "ABCD1 BAD what", "a1 NO", "7 OK"])
def test_the_end_of_a_command_that_was_never_sent_means_nothing(unwell: Unwell, alien: str) -> None:
    def tamper(answer: bytes) -> bytes:
        return alien.encode() + b"\r\n" + answer

    for _ in range(2):
        report = unwell.sync({}, tamper)
        assert (report.errors, report.stored) == ([], len(LETTERS))
    unwell.ends_well()


@pytest.mark.parametrize("change", [str.lower, lambda line: f"{line}\r\n{line}"])
def test_an_end_in_lower_case_or_twice_is_the_end_of_its_command(
    unwell: Unwell, change: Callable[[str], str]
) -> None:
    def tamper(answer: bytes) -> bytes:
        if answer.startswith((b"*", b"+")):
            return answer
        return change(answer.decode().rstrip()).encode() + b"\r\n"

    report = unwell.sync({}, tamper)
    assert (report.errors, report.stored) == ([], len(LETTERS))
    unwell.ends_well()


def test_a_folder_that_is_listed_twice_can_be_opened_if_one_line_says_so() -> None:
    lines = [b'(\\Noselect) "/" "Big"', b'(\\Archive) "/" Big', b'(\\NonExistent) "/" "No"']
    entries, unread = listed([*lines, b'(\\noselect) "/" "No"', b'NIL "/" "Plain"'])
    flags = {entry.wire: entry.flags for entry in entries}
    closed = (b"\\NonExistent", b"\\noselect")
    assert flags == {b"Big": (b"\\Archive",), b"No": closed, b"Plain": ()}
    assert unread == []


class TestFetchAnswers:
    def test_two_texts_for_one_message_are_believed_of_neither(self) -> None:
        pieces = [(b"1 (UID 1 BODY[] {1}", b"a"), b")", (b"2 (UID 1 BODY[] {1}", b"b"), b")"]
        answers = parsed(pieces)
        assert answers.read == {}
        assert "two texts" in str(answers.unreadable[1])

    def test_the_same_answer_twice_is_one(self) -> None:
        answers = parsed([(b"1 (UID 1 BODY[] {1}", b"a"), b")"] * 2)
        assert answers.read == {1: {b"UID": 1, b"BODY[]": b"a"}}
        assert answers.unreadable == {}

    def test_what_is_told_in_several_answers_is_put_together(self) -> None:
        answers = parsed([b"1 (UID 1 FLAGS (\\Seen))", (b"1 (UID 1 BODY[] {1}", b"a"), b")"])
        assert answers.read == {1: {b"UID": 1, b"FLAGS": (b"\\Seen",), b"BODY[]": b"a"}}

    def test_a_number_of_any_length_is_no_error_of_ours(self) -> None:
        answers = parsed([b"1 (UID 1 RFC822.SIZE %s FLAGS ())" % (b"9" * 5_000)])
        assert answers.read == {}
        assert list(answers.unreadable) == [1]


@pytest.mark.parametrize(
    "date",
    [
        b"99-Foo-0000 99:99:99 +9999",
        b"00-Jan-0000 00:00:00 +0000",
        b"31-Dec-9999 23:59:59 -1400",
        b"yesterday",
        None,
    ],
)
def test_an_absurd_date_of_arrival_is_now(date: bytes | None) -> None:
    assert abs(epoch(date) - time.time()) < 60


def test_a_date_of_arrival_is_read_with_its_zone() -> None:
    assert epoch(b" 1-Mar-2026 12:00:00 +0530") == 1_772_346_600


def test_a_folder_that_is_said_to_be_empty_at_first_sight_is_opened(unwell: Unwell) -> None:
    empty = put(rb"MESSAGES \d+ UIDNEXT \d+", b"MESSAGES 0 UIDNEXT 1")
    report = unwell.sync({}, empty)
    assert (report.errors, report.listed, report.stored) == ([], len(LETTERS), len(LETTERS))
    assert unwell.fake is not None
    before = len(unwell.fake.calls)
    unwell.ends_well()
    opened = [call for call in unwell.fake.calls[before:] if call.name == "EXAMINE"]
    assert len(opened) <= 1  # it is known by now which folders are empty


@pytest.mark.parametrize("said", ["NO [SERVERBUG] not here", "BAD unknown", "* SEARCH a b|OK done"])
def test_a_server_that_refuses_to_search_is_asked_to_fetch(unwell: Unwell, said: str) -> None:
    refused: dict[str, Answer] = {"UID SEARCH": said}
    report = unwell.sync(refused)
    assert (report.errors, report.stored, report.skipped) == ([], len(LETTERS), {})
    with unwell.mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([BAD])
        client.expunge()
    unwell.mailbox.append("INBOX", letter(80))
    assert unwell.sync(refused).errors == []
    unwell.ends_well()


def test_a_number_of_thousands_of_digits_is_a_number_that_is_not_told(unwell: Unwell) -> None:
    absurd = put(rb"(HIGHESTMODSEQ) \d+", rb"\1 " + b"9" * 5_000)
    for _ in range(2):
        report = unwell.sync({}, absurd)
        assert (report.errors, report.stored, report.skipped) == ([], len(LETTERS), {})
    unwell.ends_well()


HEADER = rb"(BODY\[HEADER[^\]]*\]) \{\d+\}\r\n.*\)\r\n$"
ODD: dict[str, Tamper] = {
    "literals that only a client may write": put(rb"BODY\[\] \{(\d+)\}", rb"BODY[] {\1+}"),
    "items named as they were asked for": put(rb"BODY\[\] \{", rb"BODY.PEEK[] {"),
    "no such date": put(rb'INTERNALDATE "[^"]*"', b'INTERNALDATE "99-Foo-0000 99:99:99 +0000"'),
    "an empty line before each answer": put(rb"\A", b"\r\n"),
}


@pytest.mark.parametrize("how", ODD)
def test_what_is_written_oddly_is_read_all_the_same(unwell: Unwell, how: str) -> None:
    report = unwell.sync({}, ODD[how])
    assert (report.errors, report.stored, report.skipped) == ([], len(LETTERS), {})
    unwell.ends_well()


@pytest.mark.parametrize("empty", [rb"\1 {2}" + b"\r\n\r\n)\r\n", rb"\1 {0}" + b"\r\n)\r\n"])
def test_a_header_of_nothing_but_its_end_is_not_a_message_with_nobody(
    unwell: Unwell, empty: bytes
) -> None:
    report = unwell.sync({}, of(BAD, put(HEADER, empty)))
    assert report.skipped == {"unreadable": 1}
    assert report.stored == len(LETTERS) - 1
    unwell.ends_well()


def test_a_server_that_answers_everything_for_one_message_mixes_up_none(unwell: Unwell) -> None:
    report = unwell.sync({}, put(rb"UID \d+ BODY\[\]", b"UID 1 BODY[]"))
    assert report.errors
    unwell.ends_well()
