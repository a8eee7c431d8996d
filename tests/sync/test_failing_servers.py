"""Servers that fail for a while, or at one message: nothing is lost, and all is accounted for."""

from __future__ import annotations

import re

import pytest
from tests.fake_imap import CLOSE, STALL, Answer, Call
from tests.sync.letters import letter
from tests.sync.unwell import (
    BAD,
    BODY,
    HEADER,
    LETTERS,
    Tamper,
    Unwell,
    always,
    asks,
    at,
    no_data,
    of,
    put,
)

from crmmail.store import mail_rules
from crmmail.store.kinds import Level
from crmmail.sync.mailbox import Mailbox as Client
from crmmail.sync.suspects import FolderMemory

ONE: dict[str, tuple[dict[str, Answer], Tamper]] = {
    "refused": (at(BAD, "NO [SERVERBUG] Server error - Please try again later"), bytes),
    "header refused": (at(BAD, "BAD Internal", HEADER), bytes),
    "cut": (at(BAD, CLOSE), bytes),
    "header cut": (at(BAD, CLOSE, HEADER), bytes),
    "bye": (at(BAD, "* BYE Internal error|BAD x"), bytes),
    "left out": ({}, of(BAD, no_data(b"BODY[] "))),
    "header left out": ({}, of(BAD, no_data(b"BODY[HEADER"))),
    "NIL": ({}, of(BAD, put(rb"BODY\[\] \{\d+\}\r\n.*\)\r\n$", rb"BODY[] NIL)\r\n"))),
    "empty": ({}, of(BAD, put(rb"BODY\[\] \{\d+\}\r\n.*\)\r\n$", rb"BODY[] {0}\r\n)\r\n"))),
    "short literal": ({}, of(BAD, put(rb"BODY\[\] \{\d+\}", rb"BODY[] {40}"))),
    "absurd literal": ({}, of(BAD, put(rb"BODY\[\] \{\d+\}", rb"BODY[] {99999999999}"))),
    "garbage": ({}, of(BAD, put(rb"FLAGS \([^)]*\)", rb"FLAGS (\\Seen"))),
}


@pytest.mark.parametrize("how", ONE)
def test_one_message_that_fails_is_told_and_the_others_are_there(unwell: Unwell, how: str) -> None:
    report = unwell.sync(*ONE[how])
    assert (report.stored, report.skipped) == (len(LETTERS) - 1, {"unreadable": 1})
    (error,) = report.errors
    assert error.startswith("INBOX: A message could not be read, and will be tried again: ")
    assert unwell.row("SELECT uid, attempts FROM skipped") == (BAD, 1)
    assert unwell.row("SELECT error FROM sync_state") == (error,)
    assert unwell.row("SELECT group_concat(suspects) FROM folder WHERE suspects != ''") == (None,)
    unwell.ends_well()


ALL: dict[str, tuple[dict[str, Answer], Tamper]] = {
    "SERVERBUG": (always("NO [SERVERBUG] Internal error"), bytes),
    "UNAVAILABLE for bodies": (always("NO [UNAVAILABLE] Server error", BODY), bytes),
    "INUSE": (always("NO [INUSE] Mailbox is locked"), bytes),
    "LIMIT": (always("NO [LIMIT] Too much"), bytes),
    "BAD": (always("BAD Command Error. 12"), bytes),
    "cut": (always(CLOSE), bytes),
    "OK without data": (always("OK done"), bytes),
    "OK without bodies": ({}, no_data(b"BODY[] ")),
    "NIL": ({}, put(rb"BODY\[\] \{\d+\}\r\n.*\)\r\n$", rb"BODY[] NIL)\r\n")),
}


@pytest.mark.parametrize("how", ALL)
def test_a_server_that_fails_for_everything_has_nothing_set_aside(unwell: Unwell, how: str) -> None:
    for _ in range(2):
        report = unwell.sync(*ALL[how])
        assert report.errors
        assert report.skipped == {}
        assert unwell.row("SELECT error != '' FROM sync_state") == (1,)
    unwell.ends_well()


@pytest.mark.parametrize("how", ["SERVERBUG", "cut", "OK without data"])
@pytest.mark.parametrize("count", [1, 5])
def test_new_mail_waits_for_a_server_that_fails(unwell: Unwell, how: str, count: int) -> None:
    unwell.sync()
    unwell.mailbox.append("INBOX", *(letter(number) for number in range(60, 60 + count)))
    report = unwell.sync(*ALL[how])
    assert report.errors
    assert (report.stored, report.skipped) == (len(LETTERS), {})
    unwell.ends_well()


def test_a_single_new_message_that_fails_stops_none_that_come_after_it(unwell: Unwell) -> None:
    unwell.sync()
    uid = len(LETTERS) + 1
    unwell.mailbox.append("INBOX", letter(70))
    assert unwell.sync(at(uid, CLOSE)).skipped == {"unreadable": 1}
    unwell.mailbox.append("INBOX", letter(71), letter(72))
    report = unwell.sync(at(uid, CLOSE))
    assert (report.stored, report.skipped) == (len(LETTERS) + 2, {"unreadable": 1})
    assert unwell.row("SELECT attempts FROM skipped") == (2,)
    unwell.ends_well()


def test_it_is_set_aside_after_three_passes_and_tried_again_on_a_schedule(unwell: Unwell) -> None:
    refuse = at(BAD, "NO Cannot read it")
    told = [bool(unwell.sync(refuse).errors) for _ in range(6)]
    assert told == [True, True, False, False, False, False]
    assert unwell.row("SELECT reason, attempts FROM skipped") == ("unreadable", 6)
    hour = 3_600_000
    for attempts, wait in ((6, hour), (7, 4 * hour), (8, 24 * hour), (9, 24 * hour)):
        for early, after in ((wait - 60_000, attempts), (120_000, attempts + 1)):
            with unwell.store.write() as (db, _):
                db.execute("UPDATE skipped SET tried_at = tried_at - ?", [early])
            assert unwell.sync(refuse).errors == []
            assert unwell.row("SELECT attempts FROM skipped") == (after,)
    with unwell.store.write() as (db, _):
        db.execute("UPDATE skipped SET tried_at = tried_at - ?", [24 * hour])
    unwell.ends_well()


def test_what_made_the_connection_end_is_known_after_a_kill(
    unwell: Unwell, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopen, times = Client.reopen, [0]

    def killed(client: Client) -> None:
        reopen(client)
        times[0] += 1
        if times[0] == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Client, "reopen", killed)
        with pytest.raises(KeyboardInterrupt):
            unwell.sync(at(BAD, CLOSE))
    (number,) = unwell.row("SELECT id FROM folder WHERE suspects != ''")
    suspects = FolderMemory(unwell.store, int(str(number))).suspects()
    assert BAD in suspects
    assert len(suspects) < 10
    assert unwell.fake is not None
    unwell.fake.calls.clear()
    assert unwell.sync(at(BAD, CLOSE)).skipped == {"unreadable": 1}
    assert unwell.fake.names().count("LOGIN") + unwell.fake.names().count("AUTHENTICATE") <= 6
    assert unwell.row("SELECT suspects FROM folder WHERE name = 'INBOX'") == ("",)


def test_a_message_at_which_the_server_hangs_is_found(
    unwell: Unwell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_READ_TIMEOUT", "1")
    report = unwell.sync(at(BAD, STALL))
    assert (report.stored, report.skipped) == (len(LETTERS) - 1, {"unreadable": 1})
    assert "did not answer in time" in report.errors[0]


def test_flags_are_followed_though_the_connection_ends_at_one_message(unwell: Unwell) -> None:
    unwell.sync()
    with unwell.mailbox.client() as client:
        client.select_folder("INBOX")
        client.add_flags([7], rb"\Flagged")

    def script(call: Call) -> str | None:
        flags = "(UID FLAGS)" in call.arguments
        return CLOSE if flags and asks(call, BAD) else None

    assert unwell.sync({"UID FETCH": script}).errors == []
    assert unwell.row("SELECT flags FROM placement WHERE uid = 7") == (2,)


PARTIAL = rb"\]<0> \{\d+\}\r\n.*\)\r\n$"
ODD: dict[str, tuple[dict[str, Answer], Tamper]] = {
    "no origin": ({}, put(rb"\]<0> \{", rb"] {")),
    "another origin": ({}, put(rb"\]<0> \{", rb"]<7> {")),
    "partial refused": (always("BAD partial fetch", r"<0\.\d+>"), bytes),
    "partial NO": (always("NO partial fetch", r"<0\.\d+>"), bytes),
    "partial NIL": ({}, put(PARTIAL, rb"]<0> NIL)\r\n")),
    "partial empty": ({}, put(PARTIAL, rb"]<0> {0}\r\n)\r\n")),
    "partial left out": ({}, no_data(b"]<0> ")),
    "no part at all": (always("NO", r"PEEK\[\d"), bytes),
    "structure NIL": ({}, put(rb"BODYSTRUCTURE .*\)\r\n$", rb"BODYSTRUCTURE NIL)\r\n")),
    "structure absurd": ({}, put(rb"BODYSTRUCTURE .*\)\r\n$", rb'BODYSTRUCTURE (((("a)\r\n')),
    "structure refused": (always("NO [SERVERBUG] x", "BODYSTRUCTURE"), bytes),
    "size missing": ({}, put(rb" RFC822.SIZE \d+", b"")),
    "size 0": ({}, put(rb"RFC822.SIZE \d+", b"RFC822.SIZE 0")),
    "size NIL": ({}, put(rb"RFC822.SIZE \d+", b"RFC822.SIZE NIL")),
    "size 5": ({}, put(rb"RFC822.SIZE \d+", b"RFC822.SIZE 5")),
    "size absurd": ({}, put(rb"RFC822.SIZE \d+", b"RFC822.SIZE 99999999999999999999")),
    "literal8": ({}, put(rb"BODY\[\] \{", rb"BODY[] ~{")),
    "header as literal8": ({}, put(rb"\)\] \{", rb")] ~{")),
    "header empty": ({}, put(rb"\)\] \{\d+\}\r\n.*\)\r\n$", rb")] {0}\r\n)\r\n")),
    "header NIL": ({}, put(rb"\)\] \{\d+\}\r\n.*\)\r\n$", rb")] NIL)\r\n")),
    "header quoted and empty": ({}, put(rb"\)\] \{\d+\}\r\n.*\)\r\n$", rb')] "")\r\n')),
    "header blank": ({}, put(rb"\)\] \{\d+\}\r\n.*\)\r\n$", b")] {2}\r\n\r\n)\r\n")),
}


@pytest.mark.parametrize("how", ODD)
def test_what_a_server_does_oddly_is_read_all_the_same(unwell: Unwell, how: str) -> None:
    report = unwell.sync(*ODD[how])
    assert report.errors == []
    assert (report.stored, report.skipped) == (len(LETTERS), {})
    sizes = unwell.row("SELECT min(size), max(size < 1 << 40) FROM message")
    assert sizes[0] != 0
    assert sizes[1] == 1
    unwell.ends_well()


def test_a_header_that_stays_empty_is_not_a_message_with_nobody(unwell: Unwell) -> None:
    empty = put(rb"(BODY\[HEADER[^\]]*\]) \{\d+\}\r\n.*\)\r\n$", rb"\1 {0}\r\n)\r\n")
    report = unwell.sync({}, of(BAD, empty))
    assert report.skipped == {"unreadable": 1}
    assert "empty header" in report.errors[0]
    unwell.ends_well()


def test_no_more_than_the_level_allows_is_asked_for_an_empty_header(unwell: Unwell) -> None:
    mail_rules.change(unwell.store, 1, mail_level=Level.METADATA)
    empty = put(rb"(BODY\[HEADER[^\]]*\]) \{\d+\}\r\n.*\)\r\n$", rb"\1 {0}\r\n)\r\n")
    report = unwell.sync({}, of(BAD, empty))
    assert report.skipped == {"unreadable": 1}
    assert unwell.fake is not None
    asked = [call.arguments for call in unwell.fake.calls if call.name == "UID FETCH"]
    assert asked
    assert not [words for words in asked if "SUBJECT" in words or "HEADER]" in words]


@pytest.mark.parametrize("told", [b"0", b"NIL", b"9223372036854775808", b"1"])
def test_flags_are_followed_whatever_number_the_server_tells_for_changes(
    unwell: Unwell, told: bytes
) -> None:
    def tamper(answer: bytes) -> bytes:
        return re.sub(rb"HIGHESTMODSEQ \d+", b"HIGHESTMODSEQ " + told, answer)

    if told == b"1":  # it goes back
        unwell.sync()
    else:
        assert unwell.sync({}, tamper).errors == []
    unwell.mailbox.append("INBOX", letter(80))
    with unwell.mailbox.client() as client:
        client.select_folder("INBOX")
        client.add_flags([7], rb"\Flagged")
    assert unwell.sync({}, tamper).errors == []
    assert unwell.row("SELECT flags FROM placement WHERE uid = 7") == (2,)
    unwell.ends_well()


def test_a_message_that_the_server_counts_and_never_lists_is_told(unwell: Unwell) -> None:
    def tamper(answer: bytes) -> bytes:
        count = len(LETTERS)
        answer = answer.replace(b"MESSAGES %d" % count, b"MESSAGES %d" % (count + 1))
        return answer.replace(b"* %d EXISTS" % count, b"* %d EXISTS" % (count + 1))

    for _ in range(2):
        report = unwell.sync({}, tamper)
        assert (report.listed, report.stored) == (len(LETTERS) + 1, len(LETTERS))
        assert report.errors[0].startswith("INBOX: ")
        assert "55" in report.errors[0]
    unwell.ends_well()


@pytest.mark.parametrize("answer", ["NO [SERVERBUG] x", CLOSE])
def test_a_text_that_a_raised_level_wants_and_does_not_get_costs_no_message(
    unwell: Unwell, answer: str
) -> None:
    mail_rules.change(unwell.store, 1, mail_level=Level.SUBJECT)
    unwell.sync()
    mail_rules.change(unwell.store, 1, mail_level=Level.EVERYTHING)
    report = unwell.sync(at(BAD, answer))
    assert (report.stored, report.skipped) == (len(LETTERS), {})
    assert report.errors == ["INBOX: The server did not send a message again. It will be asked."]
    unwell.ends_well()
