"""The thread: folding, quotes, attachments, moving about."""

from __future__ import annotations

from crmmail.app import CrmmailApp
from crmmail.screens.record import RecordScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store.database import Store
from tests.screens.conftest import NOW
from tests.screens.filler import Filler, Mail
from tests.screens.harness import press, settle, text

AT = int(NOW.timestamp())
OPEN = ("enter", "enter")


def thread(app: CrmmailApp) -> ThreadScreen:
    assert isinstance(app.screen, ThreadScreen)
    return app.screen


async def test_the_last_message_is_open_and_the_middle_is_folded(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, *OPEN)
        shown = text(app)
        assert "▸ me  Shall we start the pilot in March?" in shown
        assert "▸ Ada Lovelace  Yes." in shown
        assert "··· 3 more messages" in shown
        assert "▾ Bob Stone <bob@acme.example>" in shown
        assert "Sat 14 Mar 2026, 08:26" in shown
        assert "to  me, Ada Lovelace <ada@acme.example>" in shown
        assert "cc  kim@gmail.example (not a contact: free-mail provider)" in shown
        assert "(not a contact: group address)" in shown
        assert "2 attachments" in shown
        assert "contract.pdf  application/pdf, 132 kB" in shown
        assert "Who pays?" not in shown
        assert "6 messages" in shown


async def test_the_messages_in_between_come_with_enter_or_a_click(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, *OPEN, "p", "enter")
        assert "Who pays?" in text(app)
        assert "more messages" not in text(app)
        await press(pilot, "escape", "enter")
        assert "Who pays?" not in text(app)
        await pilot.click("#thread", offset=(10, 3))
        await settle(pilot)
        assert "Who pays?" in text(app)


async def test_enter_folds_and_unfolds_the_current_message(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, *OPEN, "enter")
        assert "The contract is attached." in text(app)  # as its first words
        assert "contract.pdf" not in text(app)
        await press(pilot, "enter")
        assert "contract.pdf" in text(app)
        await press(pilot, "g", "o")
        assert "Thu 5 Mar 2026, 09:26" in text(app)
        await press(pilot, "n", "enter")
        assert "Fri 6 Mar 2026, 09:26" in text(app)
        assert "▸ 2 quoted lines" in text(app)


async def test_quoted_text_is_shown_with_z(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, *OPEN, "g", "n", "z")
        assert "▾ 2 quoted lines" in text(app)
        assert "> the pilot in March?" in text(app)
        await press(pilot, "z")
        assert "> the pilot in March?" not in text(app)
        await press(pilot, "Z")
        assert "> the pilot in March?" in text(app)
        await press(pilot, "Z")
        assert "> the pilot in March?" not in text(app)


async def test_all_messages_open_and_close(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 50)) as pilot:
        await press(pilot, *OPEN, "O")
        assert text(app).count("▾") == 6
        assert "You do." in text(app)
        await press(pilot, "O")
        assert text(app).count("▾") == 1
        assert text(app).count("▸") == 5


async def test_n_and_p_move_between_messages(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, *OPEN)
        pane = thread(app).pane
        assert pane.current == 3
        await press(pilot, "p", "p")
        assert pane.current == 1
        await press(pilot, "n")
        assert pane.current == 2
        await press(pilot, "N", "N", "N", "N")
        assert pane.current == 0


async def test_the_next_thread_is_the_next_of_the_list(app: CrmmailApp) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, *OPEN, "J")
        assert "Please find the invoice" in text(app)
        await press(pilot, "J")
        assert "No more threads" in text(app)
        await press(pilot, "K")
        assert "The contract is attached." in text(app)
        await press(pilot, "right_square_bracket")
        assert "Please find the invoice" in text(app)


async def test_a_new_message_opens_at_the_end_and_nothing_else_moves(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, *OPEN, "g", "enter")
        with store.write("threads") as (db, change):
            fill = Filler(db, change)
            fill.reply(thread(app).thread_id, Mail("ada@acme.example", AT - 1, text="Signed now."))
            fill.link()
        await settle(pilot)
        assert "Signed now." in text(app)
        assert "Thu 5 Mar 2026" in text(app)
        assert "··· 4 more messages" in text(app)
        assert "7 messages" in text(app)
        assert thread(app).pane.current == 0


async def test_a_thread_that_is_joined_with_another_is_followed(
    app: CrmmailApp, store: Store
) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *OPEN)
        old = thread(app).thread_id
        with store.write("threads") as (db, _change):
            (other,) = db.execute("SELECT id FROM thread WHERE id != ? LIMIT 1", [old]).fetchone()
            db.execute("UPDATE message SET thread_id = ? WHERE thread_id = ?", [other, old])
            db.execute("DELETE FROM thread WHERE id = ?", [old])
        await settle(pilot)
        assert thread(app).thread_id == other
        assert "The contract is attached." in text(app)


async def test_a_thread_that_is_gone_is_left(app: CrmmailApp, store: Store) -> None:
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, *OPEN)
        with store.write("threads") as (db, _change):
            gone = [thread(app).thread_id]
            db.execute("DELETE FROM message WHERE thread_id = ?", gone)
            db.execute("DELETE FROM thread WHERE id = ?", gone)
        await settle(pilot)
        assert "This conversation is not there any more." in text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, RecordScreen)
