"""A folder in which nothing works is judged by the others: its message is skipped or waits (M8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from tests.conftest import Mailbox
from tests.fake_imap import CLOSE, Call, FakeImap
from tests.sync.conftest import connect
from tests.sync.letters import START, letter

from crmmail.store.database import Store
from crmmail.sync.loop import Report, sync_once
from crmmail.sync.suspects import FolderMemory

_BODY, _HEADER = r"BODY\.PEEK\[\]", r"HEADER\.FIELDS"
_HOW = {
    "refused": ("NO [SERVERBUG] Internal error", _BODY),
    "left out": ("OK done", _BODY),
    "cut": (CLOSE, _BODY),
    "header refused": ("NO [SERVERBUG] Internal error", _HEADER),
    "header left out": ("OK done", _HEADER),
    "header cut": (CLOSE, _HEADER),
}

_ALL = {
    "all but search": ("NO [SERVERBUG] Internal error", "FLAGS|BODY"),
    "all": ("NO [UNAVAILABLE] Not now", ""),
}


@dataclass
class Sick:
    """A server that fails at all messages of some folders."""

    store: Store
    folders: set[str] = field(default_factory=set)
    how: tuple[str, str] = ("", "")
    opened: str = ""

    def fails(self, call: Call) -> str | None:
        if call.name == "EXAMINE":
            self.opened = call.arguments.strip('"')
        elif self.opened in self.folders and re.search(self.how[1], call.arguments):
            return self.how[0]
        return None

    def sync(self, how: str = "", *folders: str) -> Report:
        self.folders, self.how = set(folders), (_HOW | _ALL).get(how, ("", ""))
        return sync_once(self.store)[0]


@pytest.fixture
def sick(store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sick]:
    """A folder of one message, one of three, one of six."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    monkeypatch.setattr("crmmail.sync.once.time.sleep", lambda _: None)
    for folder, numbers in {"INBOX": [0], "Deals": [1, 2, 3], "Works": range(10, 16)}.items():
        mailbox.append(folder, *[(letter(number), (), START) for number in numbers])
    made = Sick(store)
    script = dict.fromkeys(["EXAMINE", "UID FETCH"], made.fails)
    with FakeImap(script, before=mailbox.server) as fake:
        connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
        yield made


@pytest.mark.parametrize("how", _HOW)
@pytest.mark.parametrize(("folder", "count", "runs"), [("INBOX", 1, 3), ("Deals", 3, 2)])
def test_it_is_skipped_after_some_runs_and_tried_again(
    sick: Sick, how: str, folder: str, count: int, runs: int
) -> None:
    """Before INBOX is read for the first time, nothing is known to work."""
    for _ in range(runs):
        assert sick.sync(how, folder).errors
    report = sick.sync(how, folder)
    assert (report.errors, report.listed) == ([], 10)
    assert (report.stored, report.skipped) == (10 - count, {"unreadable": count})
    report = sick.sync()
    assert (report.errors, report.stored, report.skipped) == ([], 10, {})


@pytest.mark.parametrize("how", _HOW)
def test_a_new_message_alone_in_its_folder_is_skipped_too(
    sick: Sick, mailbox: Mailbox, how: str
) -> None:
    assert sick.sync().errors == []
    mailbox.append("Lone", letter(50))
    for _ in range(2):
        assert sick.sync(how, "Lone").errors
    report = sick.sync(how, "Lone")
    assert (report.errors, report.stored, report.skipped) == ([], 10, {"unreadable": 1})


@pytest.mark.parametrize("how", _HOW)
def test_nothing_is_skipped_while_no_folder_works(sick: Sick, how: str) -> None:
    sick.sync(how, "INBOX")
    for _ in range(5):
        report = sick.sync(how, "INBOX", "Deals", "Works")
        assert report.errors
        assert (report.stored, report.skipped) == (9, {})
    assert sick.sync().stored == 10


@pytest.mark.parametrize("how", ["refused", "left out", "header refused", "header left out"])
def test_a_folder_of_more_messages_that_all_fail_waits_for_the_server(sick: Sick, how: str) -> None:
    for _ in range(5):
        report = sick.sync(how, "Works")
        assert report.errors
        assert (report.stored, report.skipped) == (4, {})
    report = sick.sync()
    assert (report.errors, report.stored, report.skipped) == ([], 10, {})


@pytest.fixture(params=[1, 3])
def tiny(
    request: pytest.FixtureRequest, store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Sick, int]]:
    """An account that has so many messages in all."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    monkeypatch.setattr("crmmail.sync.once.time.sleep", lambda _: None)
    mailbox.append("INBOX", *[(letter(number), (), START) for number in range(request.param)])
    made = Sick(store)
    script = dict.fromkeys(["EXAMINE", "UID FETCH", "UID SEARCH"], made.fails)
    with FakeImap(script, before=mailbox.server) as fake:
        connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
        yield made, request.param


@pytest.mark.parametrize("how", [*_HOW, "all but search"])
def test_the_only_message_of_an_account_is_skipped_after_some_runs(
    tiny: tuple[Sick, int], how: str
) -> None:
    sick, count = tiny
    for _ in range(2):
        assert sick.sync(how, "INBOX").errors
    report = sick.sync(how, "INBOX")
    assert (report.errors, report.stored, report.skipped) == ([], 0, {"unreadable": count})
    assert sick.store.read().execute("SELECT error FROM sync_state").fetchone() == ("",)
    report = sick.sync()
    assert (report.errors, report.stored, report.skipped) == ([], count, {})


def test_nothing_is_skipped_while_the_server_refuses_everything(tiny: tuple[Sick, int]) -> None:
    sick, count = tiny
    for _ in range(5):
        report = sick.sync("all", "INBOX")
        assert report.errors
        assert report.skipped == {}
    assert sick.sync().stored == count


@pytest.mark.parametrize("gone", ["DELETE FROM folder", "UPDATE folder SET selected = 0"])
def test_an_account_whose_folders_went_during_a_pass_has_few_messages(
    sick: Sick, gone: str
) -> None:
    sick.sync()
    (folder,) = sick.store.read().execute("SELECT id FROM folder WHERE name = 'Works'").fetchone()
    memory = FolderMemory(sick.store, folder)
    assert not memory.has_few()
    with sick.store.write() as (db, _):
        db.execute(gone)
    assert memory.has_few()
    assert memory.elsewhere() == []
