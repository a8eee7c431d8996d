"""Records that are found by words that are in very many names."""

from __future__ import annotations

import pytest

from crmmail.store import names, newest, opportunities, search

from .conftest import NOON, Filler, World

QUERIES = (
    "a",
    "an",
    "nn",
    "b a",
    "ann",
    "acme",
    "acme -anna",
    "acme -a",
    "example -zoe",
    "a -(b z)",
    "z -ö",
    "ö",
    "zoe",
    "ann OR zoe",
    "company:acme b",
    "company:zoll a",
    "- a",
)


@pytest.mark.parametrize("walked", [1, 2, 5_000])
@pytest.mark.parametrize("text", QUERIES)
def test_words_of_many_names_find_what_those_of_few_do(
    fill: Filler, world: World, monkeypatch: pytest.MonkeyPatch, text: str, walked: int
) -> None:
    opportunities.add(fill.store, "Annex", company_id=world.zoll, contact_id=world.anna)
    opportunities.add(fill.store, "Basis", company_id=world.acme)
    looked_up = search.search(fill.db, text)
    monkeypatch.setattr(names, "_MOST", 3)
    monkeypatch.setattr(newest, "_WALKED", walked)
    assert search.search(fill.db, text) == looked_up


def test_the_newest_of_very_many_are_found(fill: Filler, monkeypatch: pytest.MonkeyPatch) -> None:
    bees = [fill.person(f"Bea {number}") for number in range(8)]
    with fill.store.write() as (db, _):
        db.execute("UPDATE person SET last_at = ? + id", [NOON])
    monkeypatch.setattr(names, "_MOST", 3)
    assert search.search(fill.db, "b", limit=2).people.tolist() == [bees[-1], bees[-2]]
    assert search.search(fill.db, "bea 4 b", limit=2).people.tolist() == [bees[4]]
    assert search.search(fill.db, "b -7", limit=2).people.tolist() == [bees[-2], bees[-3]]


def test_what_is_behind_the_newest_is_looked_up(
    fill: Filler, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = [fill.person(f"Bea {number}") for number in range(3)]
    newer = [fill.person(f"Zoe {number}") for number in range(3)]
    with fill.store.write() as (db, _):
        db.execute("UPDATE person SET last_at = ? + id", [NOON])
        db.execute("UPDATE person SET name = 'Bea Zoe' WHERE id = ?", [newer[-1]])
    monkeypatch.setattr(names, "_MOST", 4)
    monkeypatch.setattr(newest, "_WALKED", 2)
    assert search.search(fill.db, "b").people.tolist() == [newer[-1], *reversed(older)]
