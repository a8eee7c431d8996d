"""The index of names: filled by the migration, kept up to date whoever writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from crmmail.store import companies, database, merging, names, opening, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.names import Names, What, candidates

from .conftest import Filler, World

MIGRATIONS = resources.files("crmmail.store") / "migrations"
Indexed = dict[str, dict[int, str]]


def indexed(db: sqlite3.Connection) -> Indexed:
    """What both indexes hold."""
    return {
        table: dict(db.execute(f"SELECT rowid, text FROM {table}").fetchall())
        for table in ("search_names", "search_subjects")
    }


def wanted(db: sqlite3.Connection) -> Indexed:
    """What they should hold, by the tables."""
    domains = "(SELECT group_concat(domain, ' ') FROM company_domain WHERE company_id = company.id)"
    every = f"""
        SELECT id * 8 + 1, name FROM person
        UNION ALL SELECT id * 8 + 2, name || ' ' || ifnull({domains}, '') FROM company
        UNION ALL SELECT id * 8 + 3, name FROM opportunity
        UNION ALL SELECT id * 8 + 4, address || ' ' || name FROM address"""
    subjects = "SELECT id * 8 + 5, subject FROM thread WHERE subject != ''"
    return {
        table: {key: names.indexed(text) for key, text in db.execute(select)}
        for table, select in (("search_names", every), ("search_subjects", subjects))
    }


@contextmanager
def version(number: int) -> Iterator[None]:
    """The migrations up to a version only."""
    steps = {
        int(entry.name[:4]): entry.read_text("utf-8")
        for entry in MIGRATIONS.iterdir()
        if entry.name.endswith(".sql") and int(entry.name[:4]) <= number
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "migrations", lambda: steps)
        patch.setattr(database.names, "stale", lambda _db: False)
        yield


_VERSION_1 = """
    INSERT INTO company (name) VALUES ('Acme');
    INSERT INTO company_domain VALUES ('acme.com', 1), ('acme.eu', 1);
    INSERT INTO person (name, company_id) VALUES ('Anna Berg', 1);
    INSERT INTO address (address, site, person_id, is_primary)
        VALUES ('anna@acme.com', 'acme.com', 1, 1), ('bert@acme.com', 'acme.com', NULL, 0);
    INSERT INTO thread (subject, messages) VALUES ('The offer', 1);
    INSERT INTO message (id, message_id, thread_id, sent_at, subject, from_id)
        VALUES (1, '1@test', 1, 0, 'The offer', 1)
"""


def test_a_store_of_version_1_is_indexed_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with version(1):
        old = Store(path)
        with old.write() as (db, _):
            for statement in _VERSION_1.split(";"):
                db.execute(statement)
        assert old.read().execute("PRAGMA user_version").fetchone() == (1,)
        old.close()
    store = Store(path)
    db = store.read()
    assert indexed(db) == wanted(db)
    assert names.indexed("Acme acme.com acme.eu") in indexed(db)["search_names"].values()
    assert list(indexed(db)["search_subjects"].values()) == [names.indexed("The offer")]
    assert db.execute("SELECT count(*) FROM search_stale").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM message").fetchone() == (1,)
    store.close()
    before = sqlite3.connect(f"{path}.before-{max(opening.migrations())}")
    assert before.execute("PRAGMA user_version").fetchone() == (1,)
    before.close()


def test_a_fresh_store_and_a_migrated_one_have_the_same_schema(tmp_path: Path) -> None:
    with version(1):
        Store(tmp_path / "old.db").close()
    stores = [Store(tmp_path / name) for name in ("old.db", "new.db")]
    schemas = [
        sorted(
            store.read().execute("SELECT type, name, sql FROM sqlite_master").fetchall(), key=str
        )
        for store in stores
    ]
    assert schemas[0] == schemas[1]
    for store in stores:
        store.close()


def test_every_write_keeps_it_up_to_date(fill: Filler, world: World) -> None:
    db, store = fill.db, fill.store

    def check() -> None:
        assert indexed(db) == wanted(db)
        assert db.execute("SELECT count(*) FROM search_stale").fetchone() == (0,)

    check()
    deal = opportunities.add(store, "Annex", company_id=world.zoll)
    people.edit(store, world.anna, name="Anna Stone")
    companies.edit(store, world.acme, name="Acme & Sons")
    companies.add_domain(store, world.acme, "acme.eu")
    opportunities.edit(store, deal, name="Annexe")
    check()
    merged = merging.merge(store, Kind.COMPANY, world.acme, world.zoll)
    check()
    merging.unmerge(store, merged)
    check()
    with store.write() as (writer, _):
        writer.execute("UPDATE thread SET subject = 'Changed' WHERE id = ?", [world.first])
        writer.execute("DELETE FROM thread WHERE id = ?", [world.second])
        writer.execute("DELETE FROM company WHERE id = ?", [world.zoll])
        writer.execute("DELETE FROM opportunity")
        writer.execute("UPDATE address SET name = 'Nobody' WHERE person_id IS NULL")
    check()


def test_a_write_that_fails_leaves_nothing_behind(fill: Filler, world: World) -> None:
    before = indexed(fill.db)

    def write() -> None:
        with fill.store.write() as (db, _):
            db.execute("UPDATE person SET name = 'Gone'")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert indexed(fill.db) == before
    people.edit(fill.store, world.anna, name="Anna Stone")
    assert indexed(fill.db) == wanted(fill.db)


@pytest.mark.parametrize(
    ("what", "words", "who"),
    [
        (What.PERSON, ["nna"], "anna"),
        (What.PERSON, ["an"], "anna"),
        (What.PERSON, ["nn"], ""),
        (What.PERSON, ["be"], "anna bert"),
        (What.PERSON, ["BER", "ann"], "anna"),
        (What.PERSON, ["zoe"], "zoe"),
        (What.PERSON, ["Zoë"], "zoe"),
        (What.PERSON, ["Ännà Bérg"], "anna"),
        (What.PERSON, ["na be"], "anna"),
        (What.PERSON, ["a b"], "anna"),
        (What.PERSON, ["a"], "anna zoe"),
        (What.PERSON, ["ar"], "zoe"),
        (What.PERSON, ["rm"], ""),
        (What.PERSON, ["-"], ""),
        (What.PERSON, ["()"], ""),
        (What.PERSON, ["ÄRM"], "zoe"),
        (What.PERSON, ['"%_'], ""),
        (What.COMPANY, ["zoll.e"], "zoll"),
        (What.COMPANY, [], ""),
    ],
)
def test_ids(fill: Filler, world: World, what: What, words: list[str], who: str) -> None:
    assert Names(fill.db).ids(what, words) == {getattr(world, name) for name in who.split()}


def test_what_was_found_while_a_word_is_typed_is_not_kept_over_a_write(
    fill: Filler, world: World
) -> None:
    assert people.view(fill.db, match="ann").tolist() == [world.anna]
    assert candidates(fill.db, What.PERSON, "anna") is candidates(fill.db, What.PERSON, "ann")
    people.edit(fill.store, world.bert, name="Annabel Ek")
    assert set(people.view(fill.db, match="anna")) == {world.anna, world.bert}
    assert people.view(fill.db, match="annab").tolist() == [world.bert]
    assert people.view(fill.db, match="bel").tolist() == [world.bert]
    assert companies.view(fill.db, match="anna").tolist() == []


@pytest.mark.parametrize("letters", ["zq", "Zq", "qz", "z9"])
def test_two_letters_that_nobody_has_are_known_at_once(
    fill: Filler, world: World, letters: str
) -> None:
    assert candidates(fill.db, What.PERSON, letters) == set()
    assert candidates(fill.db, What.PERSON, f"a {letters}") == set()
    for name in (f"{letters} Ek", f"Ek {letters}", f"{letters}", f"e{letters}k", f"-{letters}"):
        person = fill.person(name)
        assert candidates(fill.db, What.PERSON, letters) is None
        assert people.view(fill.db, match=letters).tolist() == [person]
        with fill.store.write() as (db, _):
            db.execute("DELETE FROM person WHERE id = ?", [person])
        assert candidates(fill.db, What.PERSON, letters) == set()
