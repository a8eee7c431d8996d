"""Every reason of the ledger, from real mail to the screen and back: shown, let in, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import time_machine

from crmmail.app import CrmmailApp
from crmmail.screens.skipped import SkippedScreen
from crmmail.store import ledger, mail_rules, people, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync import intake
from tests.conftest import Mailbox
from tests.screens.conftest import NOW
from tests.screens.harness import press, text
from tests.sync.conftest import connect, sync
from tests.sync.letters import ME, START, letter


@dataclass(frozen=True, slots=True)
class Case:
    """A message that is skipped: where it lies, what the screen says of it, how it gets in."""

    raw: bytes
    says: str
    changes: str
    folder: str = "INBOX"
    account: dict[str, object] = field(default_factory=dict)
    blocked: str = ""


CASES = {
    "folder": Case(letter(1), "M1: the folder is not synced (junk)", "Junk is read", "Junk"),
    "old": Case(
        letter(1),
        "M10: older than the account's “mail since”",
        "mail since 2026-01-06",
        account={"mail_since": int(START.timestamp()) + 9 * 86_400},
    ),
    "blocked": Case(
        letter(1, sender="Spam <a@sub.pest.com>"),
        "M3: somebody in it is on the blocklist (@pest.com)",
        "blocklist",
        blocked="@pest.com",
    ),
    "internal": Case(
        letter(1, sender="Col <col@home.example>"), "M4: between colleagues only", "this message"
    ),
    "group": Case(
        letter(1, more="List-Id: <l.example>"),
        "M5: a mailing list (List-Id header)",
        "this message",
    ),
    "role": Case(
        letter(1, sender="info@acme.com"),
        "M5: sent from a role address that you have never written to",
        "this message",
    ),
    "invitation": Case(
        letter(1).replace(b"text/plain;", b'text/calendar; method="REQUEST";'),
        "M6: an invitation, whose meeting comes with the calendar",
        "this message",
    ),
    "nobody": Case(
        letter(1, sender="", to="undisclosed-recipients:;"),
        "M7: nobody but you takes part",
        "this message",
    ),
}


@pytest.fixture(autouse=True)
def password(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the account signs in with."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)


async def synced(store: Store) -> None:
    """Sync in a thread of its own, as the app has it."""
    with time_machine.travel(NOW, tick=True):
        await asyncio.to_thread(sync, store)


def held(store: Store) -> list[str]:
    """The Message-IDs of the store."""
    return [row[0] for row in store.read().execute("SELECT message_id FROM message")]


@pytest.fixture
def run(empty_store: Store, mailbox: Mailbox) -> Callable[[Case], None]:
    """Fill the mailbox, and the store with a first sync."""

    def fill(case: Case) -> None:
        mailbox.append(case.folder, case.raw)
        connect(empty_store, mailbox, ME, **case.account)
        if case.blocked:
            with empty_store.write() as (db, _):
                db.execute("INSERT INTO blocklist VALUES (?)", [case.blocked])
        with time_machine.travel(NOW, tick=True):
            sync(empty_store)

    return fill


@pytest.mark.parametrize("name", CASES)
async def test_a_skipped_message_is_shown_let_in_and_kept_out_again(
    empty_store: Store, run: Callable[[Case], None], name: str
) -> None:
    store, case = empty_store, CASES[name]
    run(case)
    assert held(store) == []
    before = ledger.by_reason(store.read())
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "L", "enter")
        assert case.says in text(app)
        assert case.changes in text(app)
        await press(pilot, "enter")
        await synced(store)
        assert held(store) == ["1@test"]
        await press(pilot, "u")
        await synced(store)
        assert held(store) == []
        assert ledger.by_reason(store.read()) == before


ALONE = {"internal", "group", "role", "invitation", "nobody"}


@pytest.mark.parametrize("name", CASES)
async def test_a_lets_in_one_message_alone_or_says_first_what_it_changes(
    empty_store: Store, run: Callable[[Case], None], name: str
) -> None:
    run(CASES[name])
    rules = settings(empty_store)
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "L", "a")
        if name in ALONE:
            assert mail_rules.allowed(empty_store.read()) == ["<1@test>"]
            return
        assert CASES[name].changes in text(app)
        assert settings(empty_store) == rules
        await press(pilot, "enter")
        assert settings(empty_store) != rules


def settings(store: Store) -> list[object]:
    """Every setting that decides what enters."""
    tables = ("allowlist", "blocklist", "account", "folder")
    return [store.read().execute(f"SELECT * FROM {table}").fetchall() for table in tables]


async def test_a_draft_says_that_it_enters_when_it_is_sent_and_does(
    empty_store: Store, mailbox: Mailbox
) -> None:
    store = empty_store
    mailbox.append("INBOX", (letter(1), (rb"\Draft",), None))
    connect(store, mailbox, ME)
    await synced(store)
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "L", "enter")
        assert "M2: a draft" in text(app)
        assert "A draft enters when it is sent" in text(app)
        await press(pilot, "escape", "a")
        with mailbox.client() as client:
            client.select_folder("INBOX")
            client.remove_flags([1], [rb"\Draft"])
        await synced(store)
        assert held(store) == ["1@test"]
        assert isinstance(app.screen, SkippedScreen)
        await press(pilot, "escape", "L")
        assert "Nothing was skipped" in text(app)


async def test_an_unreadable_message_is_tried_again(
    empty_store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = empty_store
    mailbox.append("INBOX", letter(1))
    connect(store, mailbox, ME)
    with monkeypatch.context() as broken:  # no real message defeats the parser
        broken.setattr(intake, "parse_body", _fail)
        await synced(store)
    assert ledger.by_reason(store.read()) == {"unreadable": 1}
    await synced(store)
    assert held(store) == []
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "L", "enter")
        assert "M8: it could not be read (ValueError: no such thing" in text(app)
        await press(pilot, "enter")
        await synced(store)
        assert held(store) == ["1@test"]


async def test_a_deleted_contact_is_not_brought_back_by_mail_but_by_a_key(
    empty_store: Store, mailbox: Mailbox
) -> None:
    store = empty_store
    mailbox.append("INBOX", letter(1))
    connect(store, mailbox, ME)
    await synced(store)
    db = store.read()
    (ann,) = people.view(db)
    people.delete(store, ann)
    mailbox.append("INBOX", letter(2))
    await synced(store)
    assert held(store) == ["1@test", "2@test"]
    assert list(people.view(db)) == []
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "L")
        assert "Ann Lee, 2 messages" in text(app)
        await press(pilot, "enter")
        assert "C5: you deleted this contact" in text(app)
        await press(pilot, "enter")
        assert list(people.view(db)) == [ann]
        assert len(threads.of_record(db, Kind.PERSON, ann)) == 2
        await press(pilot, "u")
        assert list(people.view(db)) == []
        assert "Ann Lee, 2 messages" in text(app)


def _fail(_raw: bytes) -> None:
    raise ValueError("no such thing")
