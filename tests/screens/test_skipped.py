"""The skipped screen: what is out and why, narrowed and searched, let in and taken back."""

from __future__ import annotations

import pytest

from crmmail.app import CrmmailApp
from crmmail.screens.records import RecordsScreen
from crmmail.screens.skipped import SkippedScreen
from crmmail.store import companies, ledger, mail_rules, people, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens.conftest import NOW
from tests.screens.filler import ME
from tests.screens.harness import press, settle, text

AT = int(NOW.timestamp())
HOSTILE = "\x1b[31m[/red][bold]\u202eevil\x07"


def skip(store: Store, number: int, reason: str, **values: str | int) -> None:
    """A message of the ledger, an hour older than the one before."""
    row: dict[str, str | int] = {
        "folder_id": 1,
        "uid": number,
        "reason": reason,
        "message_id": f"{number}@test",
        "sent_at": AT - number * 3_600,
        "subject": f"Subject {number}",
        "sender": f"sender{number}@else.example",
        "facts": "{}",
    } | values
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with store.write("ledger") as (db, _):
        db.execute(f"INSERT INTO skipped ({names}) VALUES ({marks})", list(row.values()))


@pytest.fixture
def skipping(store: Store) -> Store:
    """The small store, with a ledger."""
    with store.write("state") as (db, _):
        db.execute(
            """INSERT INTO folder (id, account_id, name, role, selected, messages)
               VALUES (1, 1, 'INBOX', 'inbox', 1, 9), (2, 1, 'Junk', 'junk', 0, 41)"""
        )
    skip(store, 1, "group", detail="List-Id", sender="news@else.example")
    skip(store, 2, "group", detail="List-Id", sender="news@else.example")
    skip(store, 3, "internal")
    skip(store, 4, "draft", sender=ME)
    skip(store, 5, "blocked", detail="@pest.example")
    skip(store, 6, "group", detail="role", sender=HOSTILE, subject=HOSTILE)
    mail_rules.block(store, "@pest.example")
    return store


def skipped(app: CrmmailApp) -> SkippedScreen:
    assert isinstance(app.screen, SkippedScreen)
    return app.screen


async def test_every_reason_is_counted_and_the_folders_that_are_not_read(skipping: Store) -> None:
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L")
        shown = text(app)
        assert "all 47" in shown
        assert "folders not read 41" in shown
        assert "group 3" in shown
        assert "41 messages" in shown
        assert "a mailing list (List-Id header)" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)


async def test_reason_sender_folder_and_words_narrow_it_and_escape_widens_it(
    skipping: Store,
) -> None:
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(120, 30)) as pilot:
        await press(pilot, "L", "tab", "tab", "tab", "tab")
        assert skipped(app).by.reason == "group"
        assert "3 rows" in text(app)
        await press(pilot, "f")
        assert skipped(app).by.sender == "news@else.example"
        assert "from news@else.example" in text(app)
        assert "2 rows" in text(app)
        await press(pilot, "escape")
        assert "3 rows" in text(app)
        await press(pilot, "escape", "j", "o")
        await press(pilot, "slash", *"subject", "space", "3")
        assert "Subject 3" in text(app)
        assert "Subject 4" not in text(app)
        await press(pilot, "enter", "escape")
        assert "Subject 4" in text(app)


async def test_a_message_says_why_and_what_to_press_and_u_takes_it_back(skipping: Store) -> None:
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "L", "j", "enter")
        shown = text(app)
        assert "M5: a mailing list (List-Id header)" in shown
        assert "INBOX of me@home.example" in shown
        assert "Let in this message" in shown
        assert "Let in all mail from news@else.example (2 here)" in shown
        assert "Let in all group mail (3 here)" in shown
        await press(pilot, "j", "enter")
        assert mail_rules.allowed(skipping.read()) == ["news@else.example"]
        await press(pilot, "u")
        assert mail_rules.allowed(skipping.read()) == []
        await press(pilot, "a")
        assert mail_rules.allowed(skipping.read()) == ["<1@test>"]
        await press(pilot, "A")
        assert mail_rules.allowed(skipping.read()) == ["<1@test>", "news@else.example"]


async def test_exceptions_are_listed_and_ended(skipping: Store) -> None:
    mail_rules.allow(skipping, "news@else.example")
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, "L", "X")
        assert "mail from news@else.example" in text(app)
        await press(pilot, "enter")
        assert mail_rules.allowed(skipping.read()) == []
        assert "No exceptions: the rules judge all mail." in text(app)
        await press(pilot, "u")
        assert mail_rules.allowed(skipping.read()) == ["news@else.example"]


async def test_a_folder_is_let_in_from_its_line(skipping: Store) -> None:
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(100, 30)) as pilot:
        selected = "SELECT selected FROM folder WHERE name = 'Junk'"
        await press(pilot, "L", "a")
        assert "Read the folder Junk" in text(app)
        assert skipping.read().execute(selected).fetchone() == (0,)
        await press(pilot, "enter")
        assert skipping.read().execute(selected).fetchone() == (1,)
        await press(pilot, "u")
        assert skipping.read().execute(selected).fetchone() == (0,)


async def test_an_empty_ledger_says_so(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "L")
        assert "Nothing was skipped" in text(app)
        await press(pilot, "enter", "a", "A", "f", "o")
        await settle(pilot)


def test_a_view_is_in_order_and_its_windows_have_its_rows(skipping: Store) -> None:
    db = skipping.read()
    ids = ledger.view(db, ledger.Filter())
    rows = ledger.window(db, ids)
    assert [row.id for row in rows] == list(ids)
    assert [row.uid for row in rows] == [0, 1, 2, 3, 4, 5, 6]
    assert list(ledger.view(db, ledger.Filter(reason="folder"))) == [-2]
    assert list(ledger.view(db, ledger.Filter(), limit=2)) == list(ids[:3])


async def test_a_deleted_contact_is_told_and_brought_back(skipping: Store) -> None:
    db = skipping.read()
    (ada,), (acme,) = people.view(db, match="Ada"), companies.view(db, match="acme.example")
    mail = list(threads.of_record(db, Kind.PERSON, ada))
    people.delete(skipping, ada)
    companies.delete(skipping, acme)
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(160, 30), notifications=True) as pilot:
        await press(pilot, "L")
        assert "deleted contacts 2" in text(app)
        await press(pilot, "slash", *"lovelace", "enter")
        assert "you deleted this contact" in text(app)
        assert "ada@acme.example" in text(app)
        await press(pilot, "o", "f", "A", "enter")
        assert "C5: you deleted this contact" in text(app)
        assert "on the records of others" in text(app)
        assert "Bring Ada Lovelace back" in text(app)
        await press(pilot, "enter")
        assert "Bring Ada Lovelace back: changes contacts" in text(app)
        assert "Nothing here matches" in text(app)
        assert list(threads.of_record(db, Kind.PERSON, ada)) == mail
        await press(pilot, "escape")
        assert "deleted contacts 1" in text(app)
        await press(pilot, "u")
        assert people.get(db, ada) is None
        assert "deleted contacts 2" in text(app)
        while skipped(app).by.reason != "deleted contact":
            await press(pilot, "tab")
        assert {row.name for row in skipped(app)._rows(skipped(app).listed.ids)} == {  # type: ignore[union-attr]
            "Ada Lovelace",
            "Acme",
        }
        assert len(skipped(app).listed.ids) == 2
        await press(pilot, "a", "a")
        assert people.get(db, ada) is not None
        assert companies.get(db, acme) is not None
        assert "deleted contacts" not in text(app)


async def test_who_was_merged_or_never_wrote_is_no_deleted_contact(skipping: Store) -> None:
    db = skipping.read()
    (ada,), (bob,) = people.view(db, match="Ada"), people.view(db, match="Bob")
    people.merge(skipping, ada, bob)
    people.delete(skipping, people.create(skipping, "Nobody", ["nobody@acme.example"]))
    app = CrmmailApp(skipping, sync=False)
    async with app.run_test(size=(160, 30)) as pilot:
        await press(pilot, "L")
        assert "deleted contacts" not in text(app)


async def test_a_message_that_is_tried_again_says_so(app: CrmmailApp, skipping: Store) -> None:
    skip(skipping, 7, "unreadable", detail="It is cut off", attempts=4, tried_at=AT * 1000)
    async with app.run_test(size=(140, 30)) as pilot:
        await press(pilot, "L")
        await press(pilot, "slash", *"Subject", "space", "7", "enter")
        assert "tried 4 times, next with" in text(app)
        await press(pilot, "enter")
        assert "tried 4 times, next with the next sync" in text(app)
        assert "M8: it could not be read (It is cut off)" in text(app)
