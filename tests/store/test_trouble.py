"""A store that cannot be used: each reason in its own words, and by what really happens."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.store import people, trouble
from crmmail.store.database import Store
from crmmail.store.trouble import DamagedError, StoreError
from tests.mounts import NEEDS, READ_ONLY, SMALL_DISK, can_mount, run_on

# Opens a store, writes to it until that fails, and prints what is said.
_WRITE = """
import os, pathlib, sys
from crmmail.store import notes, people, trouble
from crmmail.store.database import Store
path = pathlib.Path(sys.argv[2])
if sys.argv[3:]:
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[3]))
try:
    store = Store(path)
    person = people.create(store, "Eve", ["eve@acme.example"])
    while True:
        notes.add(store, 1, person, "word " * 20_000)
except Exception as problem:
    said = trouble.explain(problem, path)
    print(type(said).__name__, said, said.hint, sep="|")
"""
SECRET = "xylophone"


def refused(path: Path) -> StoreError:
    """Why a store is not opened."""
    with pytest.raises(StoreError) as caught:
        Store(path)
    return caught.value


@pytest.fixture
def made(store: Store) -> Path:
    """A store with a person in it, closed."""
    people.create(store, "Ada", ["ada@acme.example"])
    store.close()
    return store.path


def damage(path: Path, first: int, last: int) -> None:
    """Overwrite bytes of a file."""
    with path.open("r+b") as file:
        file.seek(first)
        file.write(b"\xa5" * (last - first))


class TestDamage:
    """Pages of the file cannot be read."""

    def test_a_damaged_first_page_is_damage_and_no_foreign_file(self, made: Path) -> None:
        damage(made, 0, 60)
        assert isinstance(said := refused(made), DamagedError)
        assert "crmmail rebuild" in said.hint
        assert "crmmail restore" in said.hint

    def test_a_damaged_list_of_tables_is_found(self, made: Path) -> None:
        damage(made, 100, 4_000)
        assert isinstance(refused(made), DamagedError)

    @pytest.mark.parametrize("table", ["person", "message", "thread_link", "search_names_data"])
    def test_a_damaged_root_of_a_table_is_found_at_the_start(self, made: Path, table: str) -> None:
        with closing(sqlite3.connect(made)) as db:
            (page,) = db.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = ?", [table]
            ).fetchone()
            (size,) = db.execute("PRAGMA page_size").fetchone()
        damage(made, (page - 1) * size, page * size)
        assert isinstance(refused(made), DamagedError)

    def test_a_file_that_was_cut_short_is_found(self, made: Path) -> None:
        os.truncate(made, made.stat().st_size // 2)
        assert isinstance(refused(made), DamagedError)

    def test_a_table_that_is_missing_is_found(self, made: Path) -> None:
        with closing(sqlite3.connect(made)) as db:
            db.executescript("PRAGMA writable_schema = 1; DROP TABLE note;")
        said = refused(made)
        assert isinstance(said, DamagedError)
        assert "note" in str(said)

    def test_nothing_is_changed_in_a_damaged_file(self, made: Path) -> None:
        damage(made, 0, 60)
        before = made.read_bytes()
        refused(made)
        assert made.read_bytes() == before

    def test_an_empty_file_is_damage_where_there_was_a_store(self, made: Path) -> None:
        shutil.copy(made, made.with_name(f"{made.name}.kept-2026-03-14-090000"))
        os.truncate(made, 0)
        said = refused(made)
        assert isinstance(said, DamagedError)
        assert "kept-2026-03-14" in str(said)

    def test_an_empty_file_is_a_new_store_where_there_was_none(self, tmp_path: Path) -> None:
        path = tmp_path / "new.db"
        path.touch()
        store = Store(path)
        assert store.read().execute("SELECT count(*) FROM person").fetchone() == (0,)
        store.close()


class TestForeign:
    """A file that is no store: only this is to be moved away."""

    @pytest.mark.parametrize("content", [b"hello\n" * 500, b"SQLite format 3\x00junk"])
    def test_another_file_is_said_to_be_no_store(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "letter.db"
        path.write_bytes(content)
        said = refused(path)
        assert not isinstance(said, DamagedError)
        assert "not a crmmail store" in str(said)
        assert "Move the file away" in said.hint
        assert path.read_bytes() == content

    def test_another_program_s_database_is_said_to_be_no_store(self, tmp_path: Path) -> None:
        path = tmp_path / "cats.db"
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE cats (name)")
        said = refused(path)
        assert "not a crmmail store" in str(said)
        assert [one.name for one in tmp_path.iterdir()] == ["cats.db"]

    def test_a_directory_in_its_place(self, tmp_path: Path) -> None:
        path = tmp_path / "crmmail.db"
        path.mkdir()
        said = refused(path)
        assert f"{path} is a directory." in str(said)
        assert "CRMMAIL_DATA_DIR" in said.hint

    def test_a_folder_that_is_missing(self, tmp_path: Path) -> None:
        said = refused(tmp_path / "disk" / "crmmail.db")
        assert str(said) == f"There is no folder {tmp_path / 'disk'}."
        assert "mount" in said.hint

    def test_a_file_in_place_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        said = refused(tmp_path / "data" / "crmmail.db")
        assert str(said) == f"There is no folder {tmp_path / 'data'}."


class TestLocked:
    """Another program has the file."""

    def test_a_store_that_another_program_locks(
        self, made: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crmmail.store import database

        monkeypatch.setattr(database, "_PRAGMAS", database._PRAGMAS.replace("10000", "10"))
        monkeypatch.setattr(sqlite3, "connect", _impatient(sqlite3.connect))
        with closing(sqlite3.connect(made, isolation_level=None)) as db:
            db.executescript("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;")
            said = refused(made)
        assert "does not let go" in str(said)
        assert f"fuser {made}" in said.hint
        assert "Move the file away" not in said.hint


def _impatient(connect):  # type: ignore[no-untyped-def]
    def call(*values, **more):  # type: ignore[no-untyped-def]
        return connect(*values, **more | {"timeout": 0.01})

    return call


class TestDisk:
    """The disk takes nothing, or not enough."""

    @pytest.mark.skipif(not can_mount(), reason=NEEDS)
    def test_a_disk_that_is_full_when_the_store_is_made(self, tmp_path: Path) -> None:
        fill = f'{SMALL_DISK} && (dd if=/dev/zero of="$1/filler" bs=1k 2>/dev/null || true)'
        ended = run_on(fill, _WRITE, tmp_path, tmp_path / "crmmail.db")
        kind, words, hint = ended.stdout.strip().split("|")
        assert (kind, words) == ("StoreError", f"The disk of {tmp_path / 'crmmail.db'} is full.")
        assert "Make room" in hint

    @pytest.mark.skipif(not can_mount(), reason=NEEDS)
    def test_a_disk_that_gets_full(self, tmp_path: Path) -> None:
        ended = run_on(SMALL_DISK, _WRITE, tmp_path, tmp_path / "crmmail.db")
        kind, words, _ = ended.stdout.strip().split("|")
        assert (kind, words) == ("StoreError", f"The disk of {tmp_path / 'crmmail.db'} is full.")

    @pytest.mark.skipif(not can_mount(), reason=NEEDS)
    def test_a_disk_that_is_read_only(self, made: Path) -> None:
        before = made.read_bytes()
        ended = run_on(READ_ONLY, _WRITE, made.parent, made)
        kind, words, hint = ended.stdout.strip().split("|")
        assert (kind, words) == (
            "StoreError",
            f"{made} is on a disk that is mounted read-only.",
        )
        assert "Mount it for writing" in hint
        assert made.read_bytes() == before

    @pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else")
    def test_a_folder_of_somebody_else(self, made: Path) -> None:
        made.parent.chmod(0o755)
        for folder in made.parent.parents:
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o011)
        made.chmod(0o644)
        nobody = pwd.getpwnam("nobody").pw_uid
        ended = subprocess.run(
            [sys.executable, "-c", _WRITE, "-", str(made), str(nobody)],
            capture_output=True,
            text=True,
            check=False,
        )
        kind, words, hint = ended.stdout.strip().split("|")
        assert (kind, words) == ("StoreError", f"You may not write in {made.parent}.")
        assert "ls -ld" in hint

    def test_a_limit_on_the_size_of_files(self, made: Path) -> None:
        limit = made.stat().st_size + 200_000
        ended = subprocess.run(
            [sys.executable, "-c", _WRITE, "-", str(made)],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
            capture_output=True,
            text=True,
            check=False,
        )
        kind, words, hint = ended.stdout.strip().split("|")
        assert (kind, words) == ("StoreError", f"{made} could not be written.")
        assert "ulimit -f" in hint
        store = Store(made)
        assert store.read().execute("PRAGMA quick_check").fetchone() == ("ok",)
        store.close()

    def test_no_page_is_left(self, store: Store) -> None:
        """What SQLite says of a full disk, on any machine."""
        with store.write() as (db, _):
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError) as caught:
            people.create(store, "Ada" * 3_000, ["ada@acme.example"])
        assert "is full" in str(trouble.explain(caught.value, store.path))


def test_an_error_of_the_program_is_no_trouble_of_the_store(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError) as doubled, store.write() as (db, _):
        db.execute("INSERT INTO blocklist VALUES ('x'), ('x')")
    assert not trouble.is_trouble(doubled.value)
    with pytest.raises(sqlite3.OperationalError) as locked:
        store.read().execute("DELETE FROM person")
    assert trouble.is_trouble(locked.value)
    assert not trouble.is_trouble(None)
