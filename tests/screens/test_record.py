"""One record: who it is and its mail."""

from __future__ import annotations

from crmmail.app import CrmmailApp
from crmmail.screens.help import HelpScreen
from crmmail.screens.question import GoneScreen
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens.conftest import NOW
from tests.screens.filler import DAY, Filler, Mail
from tests.screens.harness import lines, press, settle, text

AT = int(NOW.timestamp())


async def test_a_persons_header_and_threads(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        header = "\n".join(lines(app)[:3])
        assert "People › Ada Lovelace   Acme" in header
        assert "ada@acme.example   ada@acme-labs.example" in header
        assert "2 threads   first contact Feb 02   last contact 08:26" in header
        assert "Emails" in text(app)
        assert "2 threads ─╯" in text(app)
        assert "● me, Ada Lovelace" in text(app)
        assert "Pilot in March" in text(app)
        assert "+2" in text(app)


async def test_a_company_and_an_opportunity_say_why(app: CrmmailApp) -> None:
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "2", "enter")
        assert "acme-labs.example  acme.example" in text(app)
        assert "Ada Lovelace, Bob Stone" in text(app)
        assert "people, domain" in text(app)
        await press(pilot, "escape", "3", "enter")
        assert "proposal   12,500 EUR" in text(app)
        assert "company" in lines(app)[5]


async def test_the_filter_finds_threads_by_name_subject_and_preview(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "slash", *"portal")
        assert "Invoice 4711" in text(app)
        assert "Pilot in March" not in text(app)
        await press(pilot, "enter", "escape")
        assert "Pilot in March" in text(app)
        await press(pilot, "slash", *"nothing")
        assert "No thread matches “nothing”" in text(app)
        await press(pilot, "escape", "escape")
        assert isinstance(app.screen, RecordsScreen)


async def test_wide_terminals_show_the_newest_message_beside(app: CrmmailApp) -> None:
    async with app.run_test(size=(160, 40)) as pilot:
        await press(pilot, "enter")
        assert "The contract is attached." in text(app)
        assert "contract.pdf" in text(app)
        await press(pilot, "j")
        assert "Please find the invoice in our portal." in text(app)
        await press(pilot, "tab")
        assert isinstance(app.screen, RecordScreen)
        assert app.screen.preview.has_focus
        await press(pilot, "shift+tab")
        assert app.screen.threads.has_focus
        await press(pilot, "right", "left")
        assert app.screen.threads.has_focus


async def test_enter_opens_the_thread(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "enter")
        assert isinstance(app.screen, ThreadScreen)
        assert "People › Ada Lovelace › Pilot in March" in text(app)


async def test_a_new_message_appears_and_the_cursor_stays(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        with store.write("threads", "people") as (db, change):
            fill = Filler(db, change)
            fill.thread("Breaking news", Mail("ada@acme.example", AT - 2, text="Now."))
            fill.link()
        await settle(pilot)
        assert isinstance(app.screen, RecordScreen)
        assert "Breaking news" in text(app)
        assert "3 threads" in text(app)
        assert app.screen.threads.cursor == 1


async def test_a_record_that_is_deleted_is_left(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        with store.write("people") as (db, _change):
            db.execute("UPDATE person SET deleted_at = 1 WHERE name = 'Ada Lovelace'")
        await settle(pilot)
        assert isinstance(app.screen, GoneScreen)
        assert "This record is not there any more. escape goes back." in text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)
        assert "Ada Lovelace" not in text(app)


async def test_keys_typed_for_a_record_that_is_gone_do_nothing_to_another(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        before = store.read().execute("SELECT id, name FROM person ORDER BY id").fetchall()
        with store.write("people") as (db, _change):
            db.execute("UPDATE person SET deleted_at = 1 WHERE name = 'Ada Lovelace'")
        await settle(pilot)
        await press(pilot, *"none gone", "ctrl+s", "D", "y", "q", "comma")
        assert isinstance(app.screen, GoneScreen)
        after = store.read().execute("SELECT id, name FROM person ORDER BY id").fetchall()
        assert after == before
        assert store.read().execute("SELECT count(*) FROM note").fetchone() == (0,)


async def test_a_record_that_is_deleted_is_left_after_what_lies_over_it(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter", "question_mark")
        with store.write("people") as (db, _change):
            db.execute("UPDATE person SET deleted_at = 1 WHERE name = 'Ada Lovelace'")
        await settle(pilot)
        assert isinstance(app.screen, HelpScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, GoneScreen)
        assert "This record is not there any more." in text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordsScreen)


async def test_a_record_without_mail_says_so(app: CrmmailApp, store: Store) -> None:
    with store.write("people") as (db, change):
        person = Filler(db, change).person("Zoe", "zoe@else.example")
    async with app.run_test(size=(80, 24)) as pilot:
        RecordScreen.open(app, store, Kind.PERSON, person)
        await settle(pilot)
        assert "No conversation yet" in text(app)


async def test_a_record_without_mail_has_an_empty_preview_after_one_with_mail(
    app: CrmmailApp, store: Store
) -> None:
    with store.write("people") as (db, change):
        person = Filler(db, change).person("Zoe", "zoe@else.example")
    async with app.run_test(size=(200, 60)) as pilot:
        await press(pilot, "enter")
        await settle(pilot)
        first = app.screen
        assert isinstance(first, RecordScreen)
        assert first.preview.section is not None
        await press(pilot, "escape")
        RecordScreen.open(app, store, Kind.PERSON, person)
        await settle(pilot)
        assert app.screen is first
        assert "No conversation yet" in text(app)
        assert first.preview.section is None


async def test_of_many_threads_all_are_there(empty_store: Store) -> None:
    many = 300
    with empty_store.write("threads") as (db, change):
        fill = Filler(db, change)
        fill.account()
        fill.person("Ada Lovelace", "ada@acme.example")
        for number in range(many):
            fill.thread(f"Number {number}", Mail("ada@acme.example", number * DAY))
        fill.link()
    app = CrmmailApp(empty_store, sync=False)
    async with app.run_test(size=(100, 24)) as pilot:
        await press(pilot, "enter")
        await settle(pilot)
        assert "300 threads" in text(app)
        await press(pilot, "G")
        assert "Number 0 " in text(app)
        with empty_store.write("threads") as (db, change):
            fill = Filler(db, change)
            fill.thread("The newest", Mail("ada@acme.example", many * DAY))
            fill.link()
        await settle(pilot)
        assert "301 threads" in text(app)
        assert "Number 0 " in text(app)
