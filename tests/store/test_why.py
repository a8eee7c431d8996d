"""Why mail is where it is."""

from __future__ import annotations

import pytest

from crmmail.store import people, threads
from crmmail.store.kinds import Kind
from crmmail.store.why import Why, contact, explain, link

from .conftest import DAY, NOON, Filler, World


def test_an_address(fill: Filler, world: World) -> None:
    why = explain(fill.db, " Anna@ACME.com ")
    assert why.address
    assert (why.address.person_id, why.address.words) == (world.anna, "contact: Anna Berg")
    assert why.address.messages == 3
    assert [one.subject for one in why.stored] == ["Visit", "Re: Offer", "Offer"]
    visit = why.stored[0]
    assert [(place.email, place.folder) for place in visit.placements] == [
        ("me@home.example", "INBOX")
    ]
    assert [(one.name, one.words) for one in visit.links] == [
        ("Anna Berg", "C7: takes part"),
        ("Bert Crane", "C7: takes part"),
        ("Acme", "C7: somebody there takes part; C7: an address at its domain takes part"),
    ]
    assert [one.words for one in visit.participants] == [
        "contact: Bert Crane",
        "no contact (C3: your own address)",
        "contact: Anna Berg",
    ]


def test_a_message_id_goes_before_an_address(fill: Filler, world: World) -> None:
    (row,) = explain(fill.db, "zoe@zoll.de").stored
    why = explain(fill.db, f"<{row.message_id}>")
    assert [one.id for one in why.stored] == [row.id]
    assert why.address is None


def test_a_subject(fill: Filler, world: World) -> None:
    assert [one.subject for one in explain(fill.db, "offer").stored] == ["Re: Offer", "Offer"]
    assert explain(fill.db, "thanks").stored == []


def test_what_was_skipped_says_by_which_rule(fill: Filler, world: World) -> None:
    fill.skip(world.inbox, "group", "List-Id", sender="news@x.example", sent_at=NOON, subject="N")
    (one,) = explain(fill.db, "news@x.example").skipped
    assert (one.row.folder, one.words) == ("INBOX", "M5: a mailing list (List-Id header)")


def test_what_is_nowhere_may_be_in_a_folder_that_is_not_synced(fill: Filler, world: World) -> None:
    """M1."""
    fill.folder(world.account, "Spam", role="junk", selected=False, messages=4)
    why = explain(fill.db, "nobody@nowhere.example")
    assert why.address is None
    assert not why.stored
    assert not why.skipped
    assert [(one.folder, one.messages) for one in why.unread] == [("Spam", 4)]
    assert explain(fill.db, "offer").unread == []


def test_what_the_hand_did(fill: Filler, world: World) -> None:
    threads.link(fill.store, Kind.PERSON, world.anna, world.third)
    threads.hide(fill.store, Kind.PERSON, world.zoe, world.third)
    (one,) = explain(fill.db, "zoe@zoll.de").stored
    assert {item.name: item.words for item in one.links} == {
        "Anna Berg": "C7: linked by hand",
        "Zoë Ärmel": "C7: hidden by hand",
        "Zoll": "C7: somebody there takes part; C7: an address at its domain takes part",
    }


def test_a_deleted_contact(fill: Filler, world: World) -> None:
    """C5."""
    people.delete(fill.store, world.zoe)
    why = explain(fill.db, "zoe@zoll.de")
    assert why.address
    assert why.address.words == "no contact (C5: you deleted this contact)"


@pytest.mark.parametrize("query", ["", " ", '"', "*", "a@", "@b", "<>", "\x00"])
def test_no_query_is_an_error(fill: Filler, world: World, query: str) -> None:
    assert isinstance(explain(fill.db, query), Why)


def test_words() -> None:
    assert contact("free-mail") == "C3: a free-mail provider"
    assert link("company,contact", 0) == (
        "C7: it is its company's; C7: it is its point of contact's"
    )
    assert link("participant", 1) == "C7: linked by hand; C7: takes part"


def test_a_record_and_a_thread_say_why_they_are_linked(fill: Filler, world: World) -> None:
    why = explain(fill.db, f"person:{world.anna}")
    assert [one.words for one in why.linked] == ["C7: takes part"] * len(why.linked)
    assert why.linked
    thread = explain(fill.db, f"thread:{why.linked[0].thread_id}")
    assert thread.stored
    assert {one.thread_id for one in thread.stored} == {why.linked[0].thread_id}
    assert explain(fill.db, "person:999").linked == []


def test_an_account_says_how_far_its_import_is(fill: Filler) -> None:
    account_id = fill.account("far@home.example")
    fill.folder(account_id, uidvalidity=1, uidnext=101, floor=41, messages=100)
    fill.folder(account_id, "Sent", uidvalidity=1, uidnext=11, floor=1, messages=0)
    (folder,) = fill.db.execute(
        "SELECT id FROM folder WHERE account_id = ? AND name = 'INBOX'", [account_id]
    ).fetchone()
    with fill.store.write() as (db, _):
        db.executemany(
            "INSERT INTO skipped (folder_id, uid, reason, sent_at) VALUES (?, ?, 'group', ?)",
            [(folder, uid, NOON + uid * DAY) for uid in range(41, 101)],
        )
    found = explain(fill.db, "far@home.example").account
    assert found
    assert found.words == "initial import 60 %, mail before 11 February 2026 still to come"
    with fill.store.write() as (db, _):
        db.execute("UPDATE folder SET floor = 1")
        db.execute("UPDATE account SET mail_level = 0 WHERE id = ?", [account_id])
    done = explain(fill.db, "far@home.example").account
    assert done
    assert done.words == (
        "all mail of the folders that are read is here; kept is who and when only"
    )
