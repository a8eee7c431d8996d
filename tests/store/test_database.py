"""Opening the store: migrations, transactions, notices, snapshots."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlmodel import SQLModel, create_engine, select

from crmmail.errors import CrmmailError
from crmmail.store import models
from crmmail.store.database import Notice, Store, StoreError

Schema = dict[str, list[tuple[object, ...]]]


def columns(db: sqlite3.Connection) -> Schema:
    """Each table's columns: name, type, whether it may be null, place in the primary key."""
    tables = [
        name
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search%' "
            "AND name NOT LIKE 'sqlite_%'"
        )
    ]
    return {
        table: [
            (row[1], row[2], row[3], row[5]) for row in db.execute(f"PRAGMA table_info({table})")
        ]
        for table in tables
    }


def foreign_keys(db: sqlite3.Connection, tables: Schema) -> dict[str, set[tuple[object, ...]]]:
    """Each table's references: to which table, from and to which column, what a delete does."""
    return {
        table: {
            (row[2], row[3], row[4], row[6])
            for row in db.execute(f"PRAGMA foreign_key_list({table})")
        }
        for table in tables
    }


class TestSchema:
    """The models and the migrations."""

    def test_models_and_migrations_agree(self, store: Store, tmp_path: Path) -> None:
        engine = create_engine(f"sqlite:///{tmp_path / 'models.db'}")
        SQLModel.metadata.create_all(engine)
        engine.dispose()
        made = sqlite3.connect(tmp_path / "models.db")
        migrated = store.read()
        assert columns(migrated) == columns(made)
        assert foreign_keys(migrated, columns(made)) == foreign_keys(made, columns(made))
        made.close()

    def test_every_index_of_the_models_is_there(self, store: Store) -> None:
        wanted = {
            (index.name, table.name)
            for table in SQLModel.metadata.tables.values()
            for index in table.indexes
        }
        there = set(
            store.read().execute("SELECT name, tbl_name FROM sqlite_master WHERE type='index'")
        )
        assert wanted <= there

    def test_defaults_agree(self, store: Store) -> None:
        """What SQL leaves out is what the models leave out."""
        with store.write() as (db, _):
            db.execute("INSERT INTO account (email) VALUES ('sql@x.example')")
        with store.session() as (session, _, _):
            session.add(models.Account(email="model@x.example"))
        with store.session() as (session, _, _):
            one, other = session.exec(select(models.Account)).all()
            assert one.model_dump(exclude={"id", "email"}) == other.model_dump(
                exclude={"id", "email"}
            )


class TestOpening:
    """What files are opened, and how."""

    def test_the_file_is_its_owner_s_only(self, store: Store) -> None:
        assert stat.S_IMODE(store.path.stat().st_mode) == 0o600

    def test_opening_again_finds_what_was_written(self, store: Store) -> None:
        with store.write() as (db, _):
            db.execute("INSERT INTO blocklist VALUES ('x')")
        again = Store(store.path)
        assert again.read().execute("SELECT pattern FROM blocklist").fetchall() == [("x",)]
        again.close()

    def test_a_newer_store_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "newer.db"
        db = sqlite3.connect(path)
        db.executescript("CREATE TABLE later (x); PRAGMA user_version = 999;")
        db.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="newer crmmail") as caught:
            Store(path)
        assert "Upgrade" in caught.value.hint
        assert path.read_bytes() == before
        assert [entry.name for entry in tmp_path.iterdir() if "db" in entry.name] == ["newer.db"]

    def test_another_program_s_database_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE cats (name)")
        db.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match="not a crmmail store"):
            Store(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(
        "content", [b"hello, I am a letter\n" * 100, b"SQLite format 3\x00junk"]
    )
    def test_what_is_no_database_is_refused(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "letter.db"
        path.write_bytes(content)
        with pytest.raises(StoreError) as caught:
            Store(path)
        assert caught.value.hint
        assert path.read_bytes() == content


class TestWriting:
    """Transactions, and who hears of them."""

    def test_a_block_that_raises_changes_nothing_and_tells_nobody(self, store: Store) -> None:
        notices: list[Notice] = []
        store.subscribe(notices.append)

        def write() -> None:
            with store.write("people") as (db, change):
                db.execute("INSERT INTO blocklist VALUES ('x')")
                change.records.add((1, 1))
                raise RuntimeError

        def write_typed() -> None:
            with store.session("people") as (session, _, _):
                session.add(models.Blocked(pattern="y"))
                session.flush()
                raise RuntimeError

        for attempt in (write, write_typed):
            with pytest.raises(RuntimeError):
                attempt()
        assert store.read().execute("SELECT count(*) FROM blocklist").fetchone() == (0,)
        assert notices == []

    def test_listeners_hear_after_the_commit(self, store: Store) -> None:
        seen: list[tuple[Notice, int]] = []
        count = "SELECT count(*) FROM blocklist"
        stop = store.subscribe(
            lambda n: seen.append((n, store.read().execute(count).fetchone()[0]))
        )
        with store.write("people") as (db, change):
            db.execute("INSERT INTO blocklist VALUES ('x')")
            change.topics.add("threads")
            change.threads.add(7)
            change.records.add((1, 2))
        with store.write() as (db, _):
            db.execute("INSERT INTO blocklist VALUES ('y')")
        ((notice, rows),) = seen
        assert rows == 1
        assert notice == Notice(
            frozenset({"people", "threads"}), frozenset({7}), frozenset({(1, 2)})
        )
        stop()
        with store.write("people"):
            pass
        assert len(seen) == 1

    def test_a_session_and_its_connection_are_one_transaction(self, store: Store) -> None:
        with store.session() as (session, db, _):
            person = models.Person(name="Anna")
            session.add(person)
            session.flush()
            db.execute("UPDATE person SET job = 'CEO' WHERE id = ?", [person.id])
        row = store.read().execute("SELECT name, job FROM person").fetchone()
        assert row == ("Anna", "CEO")

    def test_readers_cannot_write(self, store: Store) -> None:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            store.read().execute("INSERT INTO blocklist VALUES ('x')")

    def test_readers_see_snapshots(self, store: Store) -> None:
        reader = store.read()
        count = "SELECT count(*) FROM blocklist"
        with store.write() as (db, _):
            db.execute("INSERT INTO blocklist VALUES ('x')")
            assert reader.execute(count).fetchone() == (0,)
        reader.execute("BEGIN")
        assert reader.execute(count).fetchone() == (1,)
        with store.write() as (db, _):
            db.execute("INSERT INTO blocklist VALUES ('y')")
        assert reader.execute(count).fetchone() == (1,)
        reader.execute("ROLLBACK")
        assert reader.execute(count).fetchone() == (2,)

    def test_each_thread_has_its_own_reader_and_writers_take_turns(self, store: Store) -> None:
        readers, errors = [store.read()], []

        def work(number: int) -> None:
            try:
                readers.append(store.read())
                for i in range(20):
                    with store.write() as (db, _):
                        db.execute("INSERT INTO blocklist VALUES (?)", [f"{number}-{i}"])
            except sqlite3.Error as problem:
                errors.append(problem)

        threads = [threading.Thread(target=work, args=[n]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert len({id(reader) for reader in readers}) == 5
        assert store.read().execute("SELECT count(*) FROM blocklist").fetchone() == (80,)

    def test_another_process_s_write_shows_in_the_version(self, store: Store) -> None:
        before = store.version()
        other = Store(store.path)
        with other.write() as (db, _):
            db.execute("INSERT INTO blocklist VALUES ('x')")
        other.close()
        assert store.version() != before

    def test_errors_are_for_people(self) -> None:
        assert issubclass(StoreError, CrmmailError)


READERS = (
    "accounts companies database dump joining ledger links merging message_search messages names "
    "notes opportunities people query records removal search snippets threads why windows"
).split()


@pytest.mark.parametrize("module", READERS)
def test_reading_needs_no_sqlmodel(module: str) -> None:
    """The first paint does not wait for half a second of imports."""
    program = (
        f"import sys, crmmail.store.{module}; "
        "print(*sorted({m.partition('.')[0] for m in sys.modules} & "
        "{'sqlmodel', 'sqlalchemy', 'pydantic', 'textual', 'rich', 'typer', 'imapclient'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
