"""What servers write carelessly is no error: bare answers, lines in between, refusals of extras."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.conftest import Mailbox as Mail
from tests.fake_imap import Call, FakeImap
from tests.sync.conftest import connect

from crmmail.store.database import Store
from crmmail.sync.loop import sync_once
from crmmail.sync.mailbox import Login, Mailbox
from crmmail.sync.problems import BadAnswer, Problem

CAPABILITY = "* CAPABILITY IMAP4rev1 IDLE CONDSTORE ENABLE ID"


@contextmanager
def opened(**script: object) -> Iterator[tuple[Mailbox, FakeImap]]:
    """A connection to a server that answers so."""
    named = {name.replace("_", " "): answer for name, answer in script.items()}
    with FakeImap(named) as fake:  # type: ignore[arg-type]
        mailbox = Mailbox(Login("127.0.0.1", fake.port, "none", "me", "secret"))
        yield mailbox, fake
        mailbox.close()


@pytest.mark.parametrize("ok", ["OK", "OK ", "ok", "Ok done"])
def test_an_answer_without_a_text_or_in_small_letters_is_an_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch, ok: str
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "secret")
    script = {
        "CAPABILITY": f"{CAPABILITY}|{ok}",
        "LOGIN": ok,
        "ID": ok,
        "ENABLE": ok,
        "LIST": f'* list () "/" INBOX|{ok}',
        "STATUS": f"* Status INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1)|{ok}",
        "EXAMINE": f"* 0 exists|* ok [UIDVALIDITY 1] x|* ok [UIDNEXT 1] x|{ok}",
        "NOOP": ok,
    }
    with FakeImap(script) as fake:  # type: ignore[arg-type]
        connect(store, Mail(fake, "me"))  # type: ignore[arg-type]
        report = sync_once(store)[0]
    assert report.errors == []
    assert store.read().execute("SELECT uidvalidity, messages FROM folder").fetchall() == [(1, 0)]


@pytest.mark.parametrize("name", ["ENABLE", "ID"])
@pytest.mark.parametrize("said", ["NO not now", "BAD what", "NO"])
def test_an_extra_that_is_refused_is_done_without(name: str, said: str) -> None:
    with opened(**{"CAPABILITY": f"{CAPABILITY}|OK done", name: said}) as (mailbox, fake):
        assert [one.name for one in mailbox.folders()] == ["INBOX"]
        assert name in fake.names()


def test_brackets_in_the_words_after_a_code_are_not_part_of_it() -> None:
    said = "* 3 EXISTS|* OK [UIDVALIDITY 7] as [ever]|* OK [UIDNEXT 9] [next]|OK [READ-ONLY] [x]"
    with opened(EXAMINE=said) as (mailbox, _):
        info = mailbox.examine("INBOX")
        assert (info.messages, info.uidvalidity, info.uidnext) == (3, 7, 9)


class TestUids:
    SEARCHED = f"{CAPABILITY} ESEARCH|OK done"

    def test_a_hundred_thousand_of_ten_digits_come_in_one_command(self) -> None:
        there = range(1_764_547_200, 1_764_547_200 + 7 * 100_000, 7)
        said = f"* SEARCH {' '.join(map(str, there))}|OK done"
        assert len(said) > 1_000_000
        with opened(UID_SEARCH=said) as (mailbox, fake):
            assert mailbox.uids(1, 4_294_967_296) == list(there)
            assert fake.names().count("UID SEARCH") == 1

    def test_only_what_was_asked_for_counts(self) -> None:
        with opened(UID_SEARCH="* SEARCH 9 2|* SEARCH 5 5 (MODSEQ 917)|OK done") as (mailbox, _):
            assert mailbox.uids(3, 10) == [5, 9]
            assert mailbox.uids(3, 3) == []

    def test_ranges_are_unpacked(self) -> None:
        said = '* ESEARCH (TAG "x") UID COUNT 5 ALL 2:4,9,2000000000|OK done'
        with opened(CAPABILITY=self.SEARCHED, UID_SEARCH=said) as (mailbox, fake):
            assert mailbox.uids(1, 2_000_000_001) == [2, 3, 4, 9, 2_000_000_000]
            assert fake.names().count("UID SEARCH") == 1

    def test_none_are_none(self) -> None:
        said = '* ESEARCH (TAG "x") UID COUNT 0|OK done'
        with opened(CAPABILITY=self.SEARCHED, UID_SEARCH=said) as (mailbox, fake):
            assert mailbox.uids(1, 10) == []
            assert fake.names().count("UID SEARCH") == 1

    @pytest.mark.parametrize(
        "said",
        [
            '* ESEARCH (TAG "x") UID COUNT 3|OK done',  # as iCloud does
            '* ESEARCH (TAG "x") UID ALL 2:4|OK done',
            '* ESEARCH (TAG "x") UID COUNT 3 ALL 1:4294967295|OK done',
            '* ESEARCH (TAG "x") UID COUNT 4294967295 ALL 1:4294967295|OK done',
            "OK done",
            "NO what",
            "BAD what",
            "* SEARCH 2 3 4|OK done",
        ],
    )
    def test_ranges_that_do_not_add_up_are_asked_for_one_by_one(self, said: str) -> None:
        def search(call: Call) -> str:
            return said if "RETURN" in call.arguments else "* SEARCH 2 3 4|OK done"

        with opened(CAPABILITY=self.SEARCHED, UID_SEARCH=search) as (mailbox, fake):
            assert mailbox.uids(1, 10) == [2, 3, 4]
            assert mailbox.uids(1, 10) == [2, 3, 4]
            asked = [c.arguments for c in fake.calls if c.name == "UID SEARCH"]
            assert ["RETURN" in one for one in asked] == [True, False, False]

    def test_a_refusal_is_told_and_no_uid_is_taken_for_missing(self) -> None:
        with opened(UID_SEARCH="NO [SERVERBUG] x") as (mailbox, _):
            mailbox.examine("INBOX")
            with pytest.raises(BadAnswer, match="SERVERBUG"):
                mailbox.uids(1, 10)


class TestIdle:
    def test_what_is_told_before_the_plus_is_news(self) -> None:
        bell, ear = socket.socketpair()
        with opened(IDLE=idling("* 12 EXISTS")) as (mailbox, _), bell, ear:
            mailbox.examine("INBOX")
            assert mailbox.wait(30, ear)

    def test_a_refusal_is_remembered_and_it_waits_without(self) -> None:
        bell, ear = socket.socketpair()
        with opened(IDLE="NO not here") as (mailbox, fake), bell, ear:
            mailbox.examine("INBOX")
            bell.send(b"!")  # else it would wait
            assert not mailbox.wait(30, ear)
            assert not mailbox.wait(30, ear)
            assert not mailbox.has_idle
            assert fake.names().count("IDLE") == 1

    def test_flags_that_change_meanwhile_are_noticed(self) -> None:
        bell, ear = socket.socketpair()
        with opened(IDLE="IDLING|* 3 FETCH (FLAGS (\\Seen))") as (mailbox, _), bell, ear:
            mailbox.examine("INBOX")
            assert mailbox.wait(30, ear)
            assert mailbox.flags_moved

    def test_a_goodbye_is_the_end_of_the_connection(self) -> None:
        bell, ear = socket.socketpair()
        with opened(IDLE="* BYE going down|OK") as (mailbox, _), bell, ear:
            mailbox.examine("INBOX")
            with pytest.raises(Problem, match="going down"):
                mailbox.wait(30, ear)


def idling(*before: str) -> str:
    """The script of an IDLE with lines before its continuation."""
    return "|".join(["IDLING", *before])
