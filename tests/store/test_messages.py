"""Messages of a thread."""

from __future__ import annotations

from crmmail.store import messages, people, threads
from crmmail.store.kinds import Flag

from .conftest import DAY, NOON, Filler, World


def test_of_thread_oldest_first(fill: Filler, world: World) -> None:
    first, second = messages.of_thread(fill.db, world.first)
    assert (first.sent_at, second.sent_at) == (NOON, NOON + DAY)
    assert (first.subject, first.outgoing, second.outgoing) == ("Offer", False, True)
    assert first.flags == Flag.SEEN
    assert first.participants == (
        messages.Person("from", "Anna Berg", "anna@acme.com", world.anna, ""),
        messages.Person("to", "", "me@home.example", None, "own"),
    )
    assert messages.get(fill.db, first.id) == first
    assert messages.get(fill.db, 1) is None


def test_a_participant_who_is_no_contact_says_why(fill: Filler, world: World) -> None:
    """C3."""
    message = fill.message("x@gmail.com", [fill.own])
    with fill.store.write() as (db, _):
        db.execute("UPDATE address SET no_contact = 'free-mail' WHERE address = 'x@gmail.com'")
        db.execute(
            "UPDATE participant SET name = 'Xaver' WHERE message_id = ? AND role = 'from'",
            [message],
        )
    people.delete(fill.store, world.zoe)
    row = messages.get(fill.db, message)
    assert row
    assert row.participants[0] == messages.Person("from", "Xaver", "x@gmail.com", None, "free-mail")
    (zoe, _) = messages.of_thread(fill.db, world.third)[0].participants
    assert (zoe.person_id, zoe.no_contact) == (None, "deleted")


def test_text_with_its_quotes(fill: Filler, world: World) -> None:
    (message, _) = messages.of_thread(fill.db, world.first)
    assert messages.text(fill.db, message.id) == messages.Text("the first offer", ())
    with fill.store.write() as (db, _):
        db.execute("UPDATE message_text SET quotes = '3-9,14-20'")
    assert messages.text(fill.db, message.id).quotes == ((3, 9), (14, 20))
    assert messages.text(fill.db, 1) == messages.Text("", ())


def test_attachments_and_placements(fill: Filler, world: World) -> None:
    archive = fill.folder(world.account, "Archive")
    thread = threads.get(fill.db, world.third)
    assert thread
    (message,) = thread.messages
    fill.place(message, archive)
    with fill.store.write() as (db, _):
        for position, name in enumerate(("b.pdf", "a.png")):
            db.execute(
                "INSERT INTO attachment VALUES (?, ?, ?, 'x/y', 9, ?)",
                [message, position, name, position],
            )
    assert messages.attachments(fill.db, message) == [
        messages.Attachment(0, "b.pdf", "x/y", 9, False),
        messages.Attachment(1, "a.png", "x/y", 9, True),
    ]
    places = messages.placements(fill.db, message)
    assert [(place.email, place.folder) for place in places] == [
        ("me@home.example", "Archive"),
        ("me@home.example", "INBOX"),
    ]
