"""Numbers that no server may send: none ends in a traceback, none costs a message (M13, M14)."""

from __future__ import annotations

import imaplib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient.response_parser import parse_fetch_response
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.liar import Liar, before, delete, numbered

from crmmail.store.database import Store
from crmmail.sync.problems import Problem, in_words
from crmmail.sync.structure import plan

NUMBERS = {
    "zero": b"0",
    "negative": b"-5",
    "2^63 - 1": b"9223372036854775807",
    "2^64": b"18446744073709551616",
    "5,000 digits": b"9" * 5_000,
    "no number": b"many",
}
PLACES = {
    "MESSAGES": rb"(STATUS [^\r\n]*MESSAGES )\d+",
    "UIDNEXT of STATUS": rb"(STATUS [^\r\n]*UIDNEXT )\d+",
    "UIDVALIDITY of STATUS": rb"(STATUS [^\r\n]*UIDVALIDITY )\d+",
    "HIGHESTMODSEQ of STATUS": rb"(STATUS [^\r\n]*HIGHESTMODSEQ )\d+",
    "EXISTS": rb"(^\* )\d+(?= EXISTS)",
    "UIDNEXT": rb"(\[UIDNEXT )\d+",
    "UIDVALIDITY": rb"(\[UIDVALIDITY )\d+",
    "HIGHESTMODSEQ": rb"(\[HIGHESTMODSEQ )\d+",
    "RFC822.SIZE": rb"(RFC822\.SIZE )\d+",
    "one RFC822.SIZE": rb"(FETCH \(UID 2 [^\r\n]*RFC822\.SIZE )\d+",
    "one UID": rb"(FETCH \(UID )2(?=[ )])",
    "the number of a FETCH": rb"(^\* )2(?= FETCH)",
    "MODSEQ": rb"(MODSEQ \()\d+",
    "SEARCH": rb"(^\* SEARCH )\d+",
    "COUNT": rb"(ESEARCH[^\r\n]*COUNT )\d+",
    "ALL": rb"(ESEARCH[^\r\n]*ALL )\d+",
}


@pytest.fixture(autouse=True)
def password(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    monkeypatch.setattr("crmmail.sync.once.time.sleep", lambda _: None)


@pytest.fixture
def liar(store: Store, mailbox: Mailbox) -> Iterator[Liar]:
    mailbox.append("INBOX", *map(numbered, range(12)))
    with before(store, mailbox) as liar:
        liar.packs = True
        yield liar


def ends_well(liar: Liar, mailbox: Mailbox, folder: Path) -> None:
    """After good runs (three, where what was said has to be confirmed) nothing is wrong."""
    for _ in range(3):
        report = liar.sync()
    assert report.errors == []
    fresh = Store(folder / "fresh.db")
    connect(fresh, mailbox)
    sync(fresh)
    assert dumped(liar.store) == dumped(fresh)
    fresh.close()


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_an_absurd_number_costs_nothing(
    liar: Liar,
    mailbox: Mailbox,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    place: bytes,
    number: bytes,
) -> None:
    lie = (b"(?m)" + place, rb"\g<1>" + number)
    with caplog.at_level(logging.ERROR, "crmmail"):
        first = liar.sync(lie)
        assert_told(first.errors)
        liar.sync()
        held = liar.texts()
        mailbox.append("INBOX", numbered(20), numbered(21))
        delete(mailbox, "INBOX", 1)
        assert_told(liar.sync(lie).errors)
        assert held - {"0@test"} <= liar.texts()
    assert caplog.records == []
    ends_well(liar, mailbox, tmp_path)


def assert_told(errors: list[str]) -> None:
    for error in errors:
        assert "Something unexpected" not in error, error
        assert "Error:" not in error, error


@pytest.mark.parametrize("size", ["18446744073709551616", "9" * 40, "9223372036854775807"])
def test_a_part_of_an_absurd_size_has_none(size: str) -> None:
    told = f'("text" "plain" NIL NIL NIL "7bit" {size} 1)'
    file = f'("application" "pdf" ("name" "p.pdf") NIL NIL "base64" {size})'
    line = f'1 (UID 1 BODYSTRUCTURE ({told}{file} "mixed"))'.encode()
    found = plan(parse_fetch_response([line])[1][b"BODYSTRUCTURE"])
    assert [part.size for part in (*found.parts, *found.attachments)] == [0, 0]


def test_a_wait_of_any_length_is_an_hour_at_most() -> None:
    for words in ("Request is throttled. Backoff Time: {} ms", "Throttled, try again in {} s"):
        with pytest.raises(Problem) as told, in_words():
            raise imaplib.IMAP4.error(words.format("9" * 5_000))
        assert told.value.wait == 3_600
