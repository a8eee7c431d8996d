"""Threads: lists, one of them, links by hand (rules.md T3, C7)."""

from __future__ import annotations

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import links, people, threads
from crmmail.store.kinds import Kind

from .conftest import DAY, NOON, Filler, World


def test_newest_first(fill: Filler, world: World) -> None:
    assert list(threads.newest(fill.db)) == [world.third, world.second, world.first]
    assert list(threads.newest(fill.db, limit=1)) == [world.third]
    anna = threads.of_record(fill.db, Kind.PERSON, world.anna)
    assert list(anna) == [world.second, world.first]


def test_a_record_s_list_walks_the_index(fill: Filler) -> None:
    plan = fill.db.execute(
        "EXPLAIN QUERY PLAN SELECT thread_id FROM thread_link WHERE kind = 1 AND record_id = 1 "
        "AND hand >= 0 ORDER BY last_at DESC, thread_id DESC"
    ).fetchall()
    (step,) = plan
    assert "INDEX ix_thread_link_newest (kind=? AND record_id=?)" in step[3]


def test_a_record_s_threads_are_found_by_names_subjects_and_first_words(
    fill: Filler, world: World
) -> None:
    def found(match: str, limit: int | None = None) -> list[int]:
        return list(threads.of_record(fill.db, Kind.COMPANY, world.acme, limit, match))

    every = list(threads.of_record(fill.db, Kind.COMPANY, world.acme))
    assert world.first in every
    for match in ("offer", "OFF thanks", "berg", "me anna", "THANKS"):
        assert world.first in found(match), match
    assert found("offer nobody") == []
    assert found("%") == found("_") == []
    assert found("schÖne") == [world.third] * (world.third in every)
    assert found("a", 1) == found("a")[:1]
    assert found("") == every


def test_rows(fill: Filler, world: World) -> None:
    first, third = threads.rows(fill.db, [world.first, 999, world.third])
    assert first == threads.ThreadRow(
        world.first, "Offer", NOON + DAY, 2, 0, 0, ("Anna Berg", "me"), "thanks", ""
    )
    assert (third.unread, third.preview) == (1, "schöne Grüße")


def test_rows_say_why_a_thread_is_on_a_record(fill: Filler, world: World) -> None:
    rows = threads.rows(fill.db, [world.first], Kind.COMPANY, world.acme)
    assert rows[0].why == "people,domain"
    threads.link(fill.store, Kind.COMPANY, world.zoll, world.first)
    assert threads.rows(fill.db, [world.first], Kind.COMPANY, world.zoll)[0].why == "hand"


def test_names_are_distinct_and_in_time_order(fill: Filler, world: World) -> None:
    one = fill.message("x@y.example", [fill.own], at=NOON)
    fill.address("named@y.example", name="Named One")
    fill.message(fill.own, ["x@y.example"], at=NOON + 1, re=one)
    fill.message("anna@mail.example", [fill.own], at=NOON + 2, re=one)
    fill.message("anna@acme.com", [fill.own], at=NOON + 3, re=one)
    fill.message("named@y.example", [fill.own], at=NOON + 4, re=one)
    fill.message("x@y.example", [fill.own], at=NOON + 5, re=one)
    (row,) = threads.rows(fill.db, [fill.thread_of(one)])
    assert row.names == ("x@y.example", "me", "Anna Berg", "Named One")
    people.delete(fill.store, world.anna)
    (row,) = threads.rows(fill.db, [fill.thread_of(one)])
    assert row.names[2] == "anna@mail.example"


def test_get(fill: Filler, world: World) -> None:
    thread = threads.get(fill.db, world.second)
    assert thread
    assert thread.subject == "Visit"
    assert [(one.kind, one.name, one.why, one.hand) for one in thread.links] == [
        (Kind.PERSON, "Anna Berg", "participant", 0),
        (Kind.PERSON, "Bert Crane", "participant", 0),
        (Kind.COMPANY, "Acme", "people,domain", 0),
    ]
    first = threads.get(fill.db, world.first)
    assert first
    assert first.messages == sorted(first.messages)
    assert len(first.messages) == 2
    assert threads.get(fill.db, 999) is None


class TestByHand:
    """Links made, and hidden, by hand (C7)."""

    def test_link_and_back(self, fill: Filler, world: World) -> None:
        before = fill.content("thread_link", "person")
        said = threads.link(fill.store, Kind.PERSON, world.anna, world.third)
        with_it = fill.content("thread_link", "person")
        found = threads.of_record(fill.db, Kind.PERSON, world.anna)
        assert list(found) == [world.third, world.second, world.first]
        (row,) = people.rows(fill.db, [world.anna])
        assert (row.threads, row.last_at) == (3, NOON + 3 * DAY)
        links.take_back(fill.store, said)
        assert fill.content("thread_link", "person") == before
        threads.link(fill.store, Kind.PERSON, world.anna, world.third)
        said = threads.unlink(fill.store, Kind.PERSON, world.anna, world.third)
        assert fill.content("thread_link", "person") == before
        links.take_back(fill.store, said)
        assert fill.content("thread_link", "person") == with_it

    def test_hide_and_back(self, fill: Filler, world: World) -> None:
        before = fill.content("thread_link", "person")
        said = threads.hide(fill.store, Kind.PERSON, world.anna, world.second)
        assert list(threads.of_record(fill.db, Kind.PERSON, world.anna)) == [world.first]
        (row,) = people.rows(fill.db, [world.anna])
        assert (row.threads, row.last_at) == (1, NOON + DAY)
        links.take_back(fill.store, said)
        assert fill.content("thread_link", "person") == before

    def test_what_the_hand_said_survives_every_relink(self, fill: Filler, world: World) -> None:
        threads.link(fill.store, Kind.PERSON, world.anna, world.third)
        threads.hide(fill.store, Kind.PERSON, world.anna, world.second)
        people.remove_address(fill.store, world.anna, "anna@acme.com")
        people.add_address(fill.store, world.anna, "anna@acme.com")
        found = threads.of_record(fill.db, Kind.PERSON, world.anna)
        assert list(found) == [world.third, world.first]

    def test_what_is_refused(self, fill: Filler, world: World) -> None:
        with pytest.raises(CrmmailError, match="no thread with the number 999"):
            threads.link(fill.store, Kind.PERSON, world.anna, 999)
        with pytest.raises(CrmmailError, match="no person with the number 999"):
            threads.link(fill.store, Kind.PERSON, 999, world.first)
