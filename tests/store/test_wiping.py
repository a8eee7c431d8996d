"""What leaves the store leaves its file, whatever becomes of the copies; these are tried again."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import repairing
from crmmail.store import backup, daily, files, forgetting, handmade, levels, notes
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import StoreError

from .conftest import World
from .test_copies import holding

TRACES = ("anna@acme.com", "Anna Berg", "xylophone", "first offer")


@pytest.fixture
def backed_up(store: Store, world: World) -> World:
    """A world with notes and a backup."""
    notes.add(store, Kind.PERSON, world.anna, "Likes xylophones.")
    notes.add(store, Kind.PERSON, world.zoe, "Likes tea.")
    assert daily.daily(store) is not None
    return world


def saved(store: Store) -> Path:
    """One more backup."""
    path = daily.save(store)
    assert path is not None
    return path


def unreadable(store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup that the disk does not give."""
    read, broken = daily.read, saved(store)

    def refuse(path: Path) -> handmade.Document:
        if path == broken:
            raise StoreError(f"{path} cannot be read: Input/output error.")
        return read(path)

    monkeypatch.setattr(daily, "read", refuse)
    return broken


def test_a_backup_of_a_newer_version_is_looked_at_again_after_the_upgrade(
    store: Store, backed_up: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, version = saved(store), handmade.VERSION
    document = daily.read(newer) | {"version": version + 1}
    newer.write_bytes(gzip.compress(json.dumps(document).encode()))
    said = forgetting.forget(store, "anna@acme.com").remains
    assert f"{newer.name} still contains what was deleted from the store" in str(said)
    assert holding(store, "xylophone") == [newer.name]
    looked = list[Path]()
    read = daily.read
    monkeypatch.setattr(daily, "read", lambda path: looked.append(path) or read(path))
    assert levels.wipe(store) is None  # nothing can be done before
    assert looked == []
    monkeypatch.setattr(handmade, "VERSION", version + 1)
    assert levels.wipe(store) is None
    assert holding(store, *TRACES) == []
    assert store.read().execute("SELECT name FROM chore").fetchall() == []


def test_a_backup_that_cannot_be_read_keeps_nothing_in_the_store_s_own_file(
    store: Store, backed_up: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and each later pass tries that backup again, and the file is done."""
    read = daily.read
    broken = unreadable(store, monkeypatch)
    said = forgetting.forget(store, "anna@acme.com").remains
    assert str(said).startswith(f"{broken.name} still contains what was deleted from the store")
    assert holding(store, *TRACES) == [broken.name]
    monkeypatch.setattr(Store, "rewrite", lambda _: pytest.fail("it was rewritten already"))
    assert str(levels.wipe(store)).startswith(f"{broken.name} still contains")
    monkeypatch.setattr(daily, "read", read)
    assert levels.wipe(store) is None
    assert holding(store, *TRACES) == []
    assert store.read().execute("SELECT name FROM chore").fetchall() == []


def test_a_file_and_a_copy_that_both_wait_are_both_named(
    store: Store, backed_up: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = unreadable(store, monkeypatch)
    monkeypatch.setattr(Store, "rewrite", lambda _: False)
    said = forgetting.forget(store, "anna@acme.com").remains
    assert "Another crmmail uses the store." in str(said)
    assert f"{broken.name} still contains what was deleted from the store" in str(said)
    ((ordered,),) = store.read().execute("SELECT name FROM chore").fetchall()
    assert ordered.startswith("wipe")


def test_what_another_process_orders_meanwhile_is_not_taken_for_done(
    store: Store, backed_up: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`forget` beside a sync: its order comes when the file and the copies have been looked at."""
    rewrite = Store.rewrite

    def late(self: Store) -> bool:
        done = rewrite(self)
        with closing(Store(store.path)) as other, other.write() as (db, _):
            db.execute("UPDATE note SET text = '' WHERE text LIKE '%xylophones%'")
            levels.order_wipe(db)
        return done

    with store.write() as (db, _):
        levels.order_wipe(db)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "rewrite", late)
        assert levels.wipe(store) is None
    assert store.read().execute("SELECT name FROM chore").fetchall() == [("wipe",)]
    assert levels.wipe(store) is None
    assert "crmmail.db" not in holding(store, "xylophones")
    assert store.read().execute("SELECT name FROM chore").fetchall() == []


@pytest.mark.parametrize("is_damaged", [False, True])
def test_what_still_waits_is_done_after_another_store_takes_the_place(
    store: Store,
    backed_up: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    is_damaged: bool,
) -> None:
    copy = tmp_path_factory.mktemp("elsewhere") / "copy.db"
    backup.save(store.path, copy)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "rewrite", lambda _: False)
        said = forgetting.forget(store, "anna@acme.com").remains
    assert said is not None
    assert said.hint == "The next sync overwrites what was deleted."
    store.close()
    if is_damaged:
        repairing.rebuild(store.path)
    else:
        backup.restore(copy, store.path)
    assert [one.is_store for one in files.copies_of(store.path)].count(True) == 1
    with closing(Store(store.path)) as again:
        assert levels.wipe(again) is None
        assert [one.is_store for one in files.copies_of(store.path)].count(True) == 0
        assert holding(again, *TRACES) == []
        assert again.read().execute("SELECT name FROM chore").fetchall() == []
