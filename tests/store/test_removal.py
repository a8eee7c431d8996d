"""Messages leave the store, with what they alone held up (rules.md M12)."""

from __future__ import annotations

from crmmail.store import companies, counting, messages, people, search, threads
from crmmail.store.kinds import Kind
from crmmail.store.removal import remove_messages

from .conftest import DAY, NOON, Filler, World


def counted(fill: Filler) -> dict[str, list[tuple[object, ...]]]:
    """The records' counters, and what they are when counted from nothing."""
    before = fill.content("person", "company")
    with fill.store.write() as (db, _):
        counting.recount(db, Kind.PERSON, people.view(db))
        counting.recount(db, Kind.COMPANY, companies.view(db))
    assert fill.content("person", "company") == before
    return before


def test_empty_threads_go_and_each_record_is_counted_again(fill: Filler, world: World) -> None:
    gone = [row.id for row in messages.of_thread(fill.db, world.first)]
    gone += [row.id for row in messages.of_thread(fill.db, world.third)]
    with fill.store.write() as (db, change):
        remove_messages(db, change, gone)
    assert {world.first, world.third} <= change.threads
    assert list(threads.newest(fill.db)) == [world.second]
    counted(fill)
    anna, zoe = people.rows(fill.db, [world.anna, world.zoe])
    assert (anna.threads, anna.first_at) == (1, NOON + 2 * DAY)
    assert (zoe.threads, zoe.first_at, zoe.last_at) == (0, 0, 0)
    assert search.find(fill.db, "offer") == []
    assert fill.db.execute("SELECT count(*) FROM thread_ref").fetchone() == (1,)


def test_a_message_that_is_named_twice_leaves_the_search_index_once(
    fill: Filler, world: World
) -> None:
    gone = [row.id for row in messages.of_thread(fill.db, world.first)]
    with fill.store.write() as (db, change):
        remove_messages(db, change, [*gone, *gone])
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    assert search.find(fill.db, "offer") == []


def test_a_thread_without_its_middle_falls_apart_only_where_nothing_holds_it(
    fill: Filler, world: World
) -> None:
    """T1: a message that both refer to holds them together, even when it is gone."""
    root = fill.message("anna@acme.com", [fill.own], "Root", at=NOON)
    left = fill.message(fill.own, ["anna@acme.com"], "Left", at=NOON + 1, re=root)
    right = fill.message("bert@acme.com", [fill.own], "Right", at=NOON + 2, re=root)
    with fill.store.write() as (db, change):
        remove_messages(db, change, [root])
    thread = threads.get(fill.db, fill.thread_of(left))
    assert thread
    assert thread.messages == [left, right]
    assert thread.subject == "Left"
    counted(fill)

    middle = fill.message("zoe@zoll.de", [fill.own], "Middle", at=NOON + 3)
    last = fill.message(fill.own, ["zoe@zoll.de"], "Last", at=NOON + 4, re=middle)
    with fill.store.write() as (db, _):
        thread_id = fill.thread_of(left)
        for table in ("message", "thread_ref"):
            db.execute(
                f"UPDATE {table} SET thread_id = ? WHERE thread_id = ?",
                [thread_id, fill.thread_of(last)],
            )
        db.execute(
            "UPDATE message SET refs = refs || ? WHERE id = ?", [f" {right}@x.example", last]
        )
    with fill.store.write() as (db, change):
        remove_messages(db, change, [last])
    assert fill.thread_of(middle) != fill.thread_of(left) == fill.thread_of(right)
