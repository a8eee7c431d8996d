"""What a merge will do, said before, is what it does."""

from __future__ import annotations

from crmmail.store import companies, merge_effect, notes, opportunities, people, threads
from crmmail.store.kinds import Kind

from .conftest import Filler, World


def said(fill: Filler, kind: Kind, keep: int, *others: int) -> str:
    return merge_effect.effect(fill.db, kind, keep, others)


def test_what_moves_and_what_is_not_kept_is_named(fill: Filler, world: World) -> None:
    people.edit(fill.store, world.zoe, phone="123", job="CTO")
    people.edit(fill.store, world.bert, job="CEO")
    for text in ("likes tea", "likes rain"):
        notes.add(fill.store, Kind.PERSON, world.zoe, text)
    opportunities.add(fill.store, "Deal", contact_id=world.zoe)
    threads.link(fill.store, Kind.PERSON, world.zoe, world.first)
    before = people.get(fill.db, world.zoe)
    assert before
    assert said(fill, Kind.PERSON, world.bert, world.zoe) == (
        "The name Bert Crane stays. It gets 1 address (zoe@zoll.de), 1 opportunity, 2 notes, "
        "what was linked or hidden by hand, the phone 123. "
        f"Not kept: the name {before.name}, the company {before.company}, the job CTO. "
        f"{before.name} leaves the list; u brings it back."
    )
    people.merge(fill.store, world.bert, world.zoe)
    bert = people.get(fill.db, world.bert)
    assert bert
    assert (bert.name, bert.phone, bert.job) == ("Bert Crane", "123", "CEO")
    assert len(notes.of_record(fill.db, Kind.PERSON, world.bert)) == 2


def test_of_companies_with_their_people(fill: Filler, world: World) -> None:
    other = companies.create(fill.store, "Zoll")
    companies.edit(fill.store, other, links="https://zoll.example")
    words = said(fill, Kind.COMPANY, other, world.acme)
    assert "The name Zoll stays. It gets 1 domain (acme.com), 2 people." in words
    assert "Not kept: the name Acme." in words
    empty = said(fill, Kind.COMPANY, world.acme, companies.create(fill.store, "Empty"))
    assert "It gets nothing" in empty


def test_of_more_than_two_the_first_value_stays(fill: Filler, world: World) -> None:
    people.edit(fill.store, world.zoe, phone="1")
    people.edit(fill.store, world.anna, phone="2")
    words = said(fill, Kind.PERSON, world.bert, world.zoe, world.anna)
    assert "the phone 1" in words.partition("Not kept")[0]
    assert "the phone 2" in words.partition("Not kept")[2]
    assert words.endswith("The other 2 leave the list; u undoes.")
    for other in (world.zoe, world.anna):
        people.merge(fill.store, world.bert, other)
    bert = people.get(fill.db, world.bert)
    assert bert
    assert bert.phone == "1"


def test_the_name_that_stays_is_not_changed_by_the_other_s_mail(fill: Filler, world: World) -> None:
    done = people.merge(fill.store, world.bert, world.zoe)
    by_hand = "SELECT name_by_hand FROM person WHERE id = ?"
    assert fill.db.execute(by_hand, [world.bert]).fetchone() == (1,)
    people.unmerge(fill.store, done)
    assert fill.db.execute(by_hand, [world.bert]).fetchone() == (0,)
