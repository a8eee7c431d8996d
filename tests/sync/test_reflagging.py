"""Flags follow, whatever a server leaves out of its answers, and cost little to follow (S3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from tests.conftest import Mailbox
from tests.fake_imap import Call, FakeImap
from tests.sync.conftest import connect
from tests.sync.letters import letter

from crmmail.store.database import Store
from crmmail.store.kinds import Flag
from crmmail.sync.loop import Report, sync_once

_COUNTED = "UID SEARCH RETURN (COUNT)"
_TOLD = rb"\* \d+ FETCH \(UID %s FLAGS \([^)]*\)%s\)\r\n"
_AGAIN = ["NOOP", "LIST"]  # a second look at whether what left has reappeared
_MODSEQ = rb" MODSEQ \(\d+\)"


class Forgetful:
    """A server before Dovecot that leaves out of its answers what `edits` match."""

    def __init__(self, store: Store, mailbox: Mailbox) -> None:
        self.store, self.mailbox = store, mailbox
        self.fake = FakeImap(before=mailbox.server, tamper=self._tamper)
        self.edits: list[tuple[bytes, bytes]] = []
        self.without = b"no such capability"

    def _tamper(self, answer: bytes) -> bytes:
        answer = answer.replace(self.without, b"")
        for pattern, instead in self.edits:
            answer = re.sub(pattern, instead, answer)
        return answer

    def sync(self, *leaves_out: bytes, instead: bytes = b"") -> tuple[Report, list[str]]:
        """One run, and the commands that follow the list of folders."""
        self.edits = [(pattern, instead) for pattern in leaves_out]
        before = len(self.fake.calls)
        (report,) = sync_once(self.store)
        said = [_words(call) for call in self.fake.calls[before:]]
        listed = next(at for at, words in enumerate(said) if words.startswith("LIST"))
        return report, [words for words in said[listed + 1 :] if words != "LOGOUT"]

    def flags(self) -> dict[int, int]:
        rows = self.store.read().execute(
            "SELECT uid, placement.flags FROM placement JOIN folder ON folder.id = folder_id "
            "WHERE name = 'INBOX' ORDER BY uid"
        )
        return dict(rows.fetchall())

    def flag(self, uids: list[int], flag: bytes = b"\\Seen") -> None:
        with self.mailbox.client() as client:
            client.select_folder("INBOX")
            client.add_flags(uids, [flag])

    def expunge(self, uids: list[int]) -> None:
        with self.mailbox.client() as client:
            client.select_folder("INBOX")
            client.delete_messages(uids)
            client.expunge()


def _words(call: Call) -> str:
    return f"{call.name} {call.arguments}".strip()


@pytest.fixture
def forgetful(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Forgetful]:
    """A mailbox of 20 messages, read once."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", *[letter(number) for number in range(20)])
    server = Forgetful(store, mailbox)
    with server.fake as fake:
        connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
        assert server.sync()[0].errors == []
        yield server


def _seen(*uids: int) -> dict[int, int]:
    return {uid: Flag.SEEN if uid in uids else 0 for uid in range(1, 21)}


@pytest.mark.parametrize(
    "left_out",
    [rb"\d+", rb"3", rb"5", rb"[35]"],
    ids=["all of them", "the first", "the last", "two"],
)
@pytest.mark.parametrize("how", ["in one change", "one by one"])
def test_flags_that_an_answer_leaves_out_are_right_all_the_same(
    forgetful: Forgetful, left_out: bytes, how: str
) -> None:
    for uids in [[3, 4, 5]] if how == "in one change" else [[3], [4], [5]]:
        forgetful.flag(uids)
    report, _ = forgetful.sync(_TOLD % (left_out, _MODSEQ))
    assert (report.errors, forgetful.flags()) == ([], _seen(3, 4, 5))


def test_so_they_are_when_messages_came_and_went_too(forgetful: Forgetful) -> None:
    forgetful.flag([3])
    forgetful.expunge([20])
    forgetful.mailbox.append("INBOX", letter(30))
    report, _ = forgetful.sync(_TOLD % (rb"3", _MODSEQ))
    assert report.errors == []
    assert forgetful.flags() == {uid: Flag.SEEN * (uid == 3) for uid in [*range(1, 20), 21]}


@pytest.mark.parametrize("left_out", [rb"\d+", rb"3"], ids=["empty", "short"])
@pytest.mark.parametrize("counts", [True, False], ids=["SEARCH", "no SEARCH"])
def test_so_they_are_without_esearch(forgetful: Forgetful, left_out: bytes, counts: bool) -> None:
    """Where SEARCH knows no MODSEQ, the highest MODSEQ is missed: that of UID 3."""
    forgetful.without = b" ESEARCH"
    if not counts:
        forgetful.fake.script = {"UID SEARCH": _refuse_modseq}
    forgetful.expunge([20])
    for uid in (4, 3):
        forgetful.flag([uid])
    report, _ = forgetful.sync(_TOLD % (left_out, _MODSEQ))
    assert report.errors == []
    assert forgetful.flags() == {uid: one for uid, one in _seen(3, 4).items() if uid != 20}


def _refuse_modseq(call: Call) -> str | None:
    return "BAD Unknown search key" if "MODSEQ" in call.arguments else None


def test_a_line_that_cannot_be_read_is_asked_for_again(forgetful: Forgetful) -> None:
    forgetful.flag([3, 4, 5])
    report, _ = forgetful.sync(_TOLD % (rb"4", _MODSEQ), instead=b'* 4 FETCH (UID 4 FLAGS (x "\r\n')
    assert (report.errors, forgetful.flags()) == ([], _seen(3, 4, 5))


def test_flags_that_are_not_told_at_all_are_an_error_until_they_are(forgetful: Forgetful) -> None:
    forgetful.flag([3, 4])
    for _ in range(2):
        report, _ = forgetful.sync(_TOLD % (rb"3", rb"(?: MODSEQ \(\d+\))?"))
        assert report.errors == ["INBOX: The server does not tell the flags of 1 of its messages."]
        assert forgetful.flags() == _seen(4)
    report, _ = forgetful.sync()
    assert (report.errors, forgetful.flags()) == ([], _seen(3, 4))


@pytest.mark.parametrize("told", [rb"\d+", rb"3"], ids=["empty", "short"])
def test_a_server_that_counts_no_changes_is_asked_again_for_what_it_leaves_out(
    forgetful: Forgetful, told: bytes
) -> None:
    forgetful.without = b" CONDSTORE QRESYNC"
    answered = list[bytes]()

    def once(found: re.Match[bytes]) -> bytes:
        answered.append(found[0])
        return b"" if answered.count(found[0]) == 1 else found[0]

    forgetful.flag([3, 4])
    forgetful.fake.tamper = lambda answer: re.sub(
        _TOLD % (told, b""), once, forgetful._tamper(answer)
    )
    report, _ = forgetful.sync()
    assert answered
    assert (report.errors, forgetful.flags()) == ([], _seen(3, 4))


@pytest.mark.parametrize("number", [b"0", b"1", b"2", b"99", b"NIL", b"9223372036854775808"])
def test_a_highestmodseq_that_is_wrong_once_costs_no_flag(
    forgetful: Forgetful, number: bytes
) -> None:
    forgetful.flag([3])
    forgetful.sync(rb"HIGHESTMODSEQ \d+", instead=b"HIGHESTMODSEQ " + number)
    forgetful.flag([4])
    report, _ = forgetful.sync()
    assert (report.errors, forgetful.flags()) == ([], _seen(3, 4))


class TestCost:
    """An honest answer costs what it did; a short SEARCH is added where it can be doubted."""

    @pytest.mark.parametrize(
        ("change", "commands"),
        [
            (lambda _: None, []),
            (
                lambda box: box.mailbox.append("INBOX", letter(30), letter(31)),
                ["EXAMINE", "UID FETCH", "UID FETCH", _COUNTED, "UID FETCH"],
            ),
            (
                lambda box: box.expunge([7, 9]),
                ["EXAMINE", "UID SEARCH", _COUNTED, *_AGAIN],
            ),
            (lambda box: box.flag([3, 4, 5]), ["EXAMINE", _COUNTED, "UID FETCH"]),
        ],
        ids=["nothing", "new mail", "expunge", "flags"],
    )
    def test_commands_of_a_pass(
        self, forgetful: Forgetful, change: Callable[[Forgetful], None], commands: list[str]
    ) -> None:
        change(forgetful)
        report, said = forgetful.sync()
        print(len(said), report.bytes_received)
        named = [
            _COUNTED if words.startswith(_COUNTED) else " ".join(words.split()[: len(one.split())])
            for words, one in zip(said, commands, strict=True)
        ]
        assert (report.errors, named) == ([], commands)
        assert sum("(UID FLAGS)" in words for words in said) <= 1
