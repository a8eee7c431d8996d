"""Rows of a damaged file that SQLite does not find any more are read from its pages."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import (
    daily,
    files,
    forgetting,
    handmade,
    notes,
    opening,
    opportunities,
    people,
    salvage,
    threads,
)
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.pages import Pages

from .conftest import Filler, World
from .test_salvage import damage, pages

LONG = "word " * 3_000  # more than a page


@pytest.fixture
def written(store: Store, world: World, fill: Filler) -> World:
    """A world with so much in it that no table of what was made by hand fits into one page."""
    for number in range(120):
        record = people.create(store, f"Person {number}", [f"p{number}@press.example"])
        people.edit(store, record, job=f"Job {number}")
        notes.add(store, Kind.PERSON, record, f"note {number} " + "tea " * 80)
        opportunities.add(store, f"Deal {number}", world.acme, record)
    notes.add(store, Kind.PERSON, world.anna, LONG)
    threads.link(store, Kind.COMPANY, world.zoll, world.first)
    store.close()
    return world


def values(path: Path, table: str) -> set[tuple[object, ...]]:
    """Each row of a table, as SQLite reads it."""
    with closing(sqlite3.connect(path)) as db:
        return set(db.execute(f"SELECT * FROM {table}").fetchall())


def test_each_row_is_read_as_sqlite_reads_it(store: Store, written: World) -> None:
    found = {row[:1] + row[2:] for leaf in Pages(store.path).leaves() for row in leaf.rows}
    assert {(row[0], *row[1:]) for row in values(store.path, "note")} <= found
    linked = {row for leaf in Pages(store.path).leaves() for row in leaf.rows}
    assert values(store.path, "manual_link") <= linked


def roots(path: Path) -> tuple[list[int], int]:
    """The pages at which the tables begin."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        rows = db.execute("SELECT rootpage FROM sqlite_master WHERE rootpage").fetchall()
    return [page for (page,) in rows], size


@pytest.mark.parametrize("first_page", [False, True])
def test_all_but_what_was_overwritten_is_there_when_no_table_has_its_root(
    store: Store, written: World, first_page: bool
) -> None:
    before, _ = salvage.salvage(store.path, 5)
    overwritten, size = roots(store.path)
    damage(store.path, [*([1] if first_page else []), *overwritten], size)
    with closing(sqlite3.connect(store.path)) as db, pytest.raises(sqlite3.DatabaseError):
        db.execute("SELECT count(*) FROM note").fetchone()
    found, whole = salvage.salvage(store.path, 5)
    assert not whole
    for part in ("notes", "opportunities", "people"):
        assert len(found[part]) == len(before[part]), part
    assert LONG.strip() in {row["text"].strip() for row in found["notes"]}
    jobs = {row["name"]: row["job"] for row in found["people"]}
    assert jobs["Person 77"] == "Job 77"
    done = repairing.rebuild(store.path)
    assert (done.backup, done.read["notes"]) == (None, len(before["notes"]))


def test_what_is_only_in_the_log_is_read_too(store: Store, world: World, tmp_path: Path) -> None:
    notes.add(store, Kind.PERSON, world.anna, "only in the log")
    copy = tmp_path / "copy.db"
    copy.write_bytes(b"\xa5" * store.path.stat().st_size)
    (tmp_path / "copy.db-wal").write_bytes(Path(f"{store.path}-wal").read_bytes())
    found = {value for leaf in Pages(copy).leaves() for row in leaf.rows for value in row}
    assert "only in the log" in found


def test_what_was_deleted_does_not_come_back(store: Store, written: World) -> None:
    with closing(Store(store.path)) as again:
        with again.write() as (db, _):
            db.execute("DELETE FROM note WHERE id > 20")
            db.execute("DELETE FROM opportunity")
        left = len(handmade.collect(again.read(), 5)["notes"])
    overwritten, size = pages(store.path, "message_text")
    damage(store.path, overwritten, size)
    damage(store.path, pages(store.path, "note")[0][:1], size)
    found, _ = salvage.salvage(store.path, 5)
    assert len(found["notes"]) <= left
    assert found["opportunities"] == []


def with_free_pages(path: Path) -> tuple[set[str], set[str]]:
    """Delete most notes, one by one, and make others; returns the texts that left and that are."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        opening.prepare(db)
        db.execute("PRAGMA secure_delete = OFF")  # as many builds of SQLite have it
        before = {text for (text,) in db.execute("SELECT text FROM note")}
        for number in range(10, 110):
            db.execute("DELETE FROM note WHERE id = ?", [number])
        db.execute(
            """INSERT INTO note (kind, record_id, text, created_at, changed_at)
               VALUES (1, 1, ?, 5, 5)""",
            ["gin " * 3_000],
        )
        after = {text for (text,) in db.execute("SELECT text FROM note")}
        (free,) = db.execute("PRAGMA freelist_count").fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert free > 3
    return before - after, after


@pytest.mark.parametrize("byte", [b"\0", b"\xa5", b"\xff"])
@pytest.mark.parametrize("whole_page", [False, True])
def test_nor_does_it_when_the_first_page_does_not_say_which_pages_are_free(
    store: Store, written: World, byte: bytes, whole_page: bool
) -> None:
    gone, there = with_free_pages(store.path)
    page = store.path.read_bytes()
    assert sum(text.encode() in page for text in gone) > 20
    with store.path.open("r+b") as file:
        file.write(byte * (4_096 if whole_page else 100))
    found, whole = salvage.salvage(store.path, 5)
    assert not whole
    assert {row["text"] for row in found["notes"]} == there


def test_where_the_list_of_free_pages_is_broken_off_the_rest_of_it_is_found(
    store: Store, written: World
) -> None:
    gone, there = with_free_pages(store.path)
    with store.path.open("r+b") as file:
        file.seek(32)
        file.write(b"\0\0\0\0")
    rows = {value for leaf in Pages(store.path).leaves() for row in leaf.rows for value in row}
    assert there <= rows
    assert not gone & rows


@pytest.fixture(params=[b"", b"\0", b"\xa5" * 50_000, b"\0" * 50_000, b"SQLite format 3\0" * 900])
def rubbish(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "rubbish.db"
    path.write_bytes(request.param)
    return path


def test_nothing_is_read_from_what_is_no_store(rubbish: Path) -> None:
    found, whole = salvage.salvage(rubbish, 5)
    assert handmade.is_empty(found)
    assert not whole


def test_wherever_it_is_damaged_nothing_is_read_that_was_not_there(
    store: Store, written: World, tmp_path: Path
) -> None:
    before, _ = salvage.salvage(store.path, 5)
    whole = store.path.read_bytes()
    least = len(before["notes"])
    for seed in range(12):
        chance = random.Random(seed)
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 30)):
            start = chance.randrange(len(data))
            end = min(start + chance.randrange(1, 20_000), len(data))
            data[start:end] = b"\xa5" * (end - start)
        path = tmp_path / f"{seed}.db"
        path.write_bytes(bytes(data))
        found, _ = salvage.salvage(path, 5)
        for part, column in (("notes", "text"), ("opportunities", "name"), ("people", "name")):
            known = {row[column] for row in before[part]}
            assert {row[column] for row in found[part]} <= known, seed
        least = min(least, len(found["notes"]))
    assert least > 0


def test_notes_whose_records_are_lost_are_on_those_of_the_daily_backup_or_on_unknown_ones(
    store: Store, written: World
) -> None:
    with closing(Store(store.path)) as again:
        daily.daily(again)
        notes.add(again, Kind.PERSON, written.anna, "after the backup")
        late = people.create(again, "Late", ["late@press.example"])
        notes.add(again, Kind.PERSON, late, "on somebody new")
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for table in ("person", "address"):
        damage(store.path, *pages(store.path, table))
    done = repairing.rebuild(store.path)
    assert done.backup is not None
    with closing(Store(store.path)) as new:
        db = new.read()
        named = dict(
            db.execute(
                """SELECT note.text, person.name FROM note JOIN person ON person.id = record_id
                   WHERE note.kind = 1"""
            ).fetchall()
        )
        assert named["after the backup"] == "Anna Berg"
        assert named["on somebody new"] == f"Unknown person {late}"
        assert len(named) == len(values(store.path, "note"))
    today = daily.newest(store.path)
    assert today is not None
    assert "on somebody new" in {row["text"] for row in daily.read(today)["notes"]}
    saved = [one for one in files.copies_of(store.path) if one.kind == "saved"]
    assert len(saved) == 1
    assert "after the backup" not in str(daily.read(saved[0].path)["notes"])


def test_a_backup_of_another_store_gives_no_records_to_notes(store: Store, written: World) -> None:
    found, _ = salvage.salvage(store.path, 5)
    other = dict(found)
    other["people"] = [row | {"created_at": 7, "name": "Somebody else"} for row in found["people"]]
    lost = dict(found) | {"people": found["people"][:3]}
    assert handmade.completed(lost, found)["people"] != lost["people"]
    assert handmade.completed(lost, other) == lost


def found_in(path: Path) -> str:
    """All texts in the pages of a file."""
    rows = [row for leaf in Pages(path).leaves() for row in leaf.rows]
    return " ".join(str(value) for row in rows for value in row)


def test_what_a_rewritten_file_still_has_behind_its_end_does_not_come_back(
    store: Store, written: World, tmp_path: Path
) -> None:
    """A reader keeps the log from being emptied, and the file from being cut."""
    copy = tmp_path / "copy.db"
    with (
        closing(sqlite3.connect(store.path, isolation_level=None)) as db,
        closing(sqlite3.connect(store.path, isolation_level=None)) as reader,
    ):
        db.execute("PRAGMA secure_delete = OFF")  # as many builds of SQLite have it
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM note").fetchone()[0] > 100
        db.execute("DELETE FROM note")
        db.execute("VACUUM")
        copy.write_bytes(store.path.read_bytes())
        assert "tea tea" in found_in(copy)
        (tmp_path / "copy.db-wal").write_bytes(Path(f"{store.path}-wal").read_bytes())
    assert "Job 77" in found_in(copy)
    assert "tea tea" not in found_in(copy)


def test_pages_behind_the_end_that_the_header_tells_are_not_read(
    store: Store, written: World
) -> None:
    overwritten, size = pages(store.path, "note")
    whole = store.path.read_bytes()
    page = whole[(overwritten[-1] - 1) * size : overwritten[-1] * size]
    with store.path.open("ab") as file:
        file.write(page.replace(b"tea tea", b"gin gin"))
    assert "Job 77" in found_in(store.path)
    assert "gin gin" not in found_in(store.path)


def test_who_was_forgotten_stays_so_when_that_table_has_no_root(
    store: Store, written: World
) -> None:
    with closing(Store(store.path)) as again:
        for number in range(400):
            with again.write() as (db, _):
                one = forgetting.digest(f"gone{number}@press.example", forgetting.digests(db))
                db.execute("INSERT INTO forgotten VALUES (?)", [one])
    before, _ = salvage.salvage(store.path, 5)
    with closing(sqlite3.connect(store.path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'forgotten'")
        (size,) = db.execute("PRAGMA page_size").fetchone()
    damage(store.path, [*root], size)
    found, whole = salvage.salvage(store.path, 5)
    assert not whole
    assert set(found["forgotten"]) <= set(before["forgotten"])
    assert len(found["forgotten"]) > 380
