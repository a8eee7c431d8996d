"""The backup of today is not replaced by one of another store, or by one with less in it."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.store import backup, daily, files, forgetting, notes, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

from .conftest import World
from .losing import lose, noted


class TestOfAnotherStore:
    """The backup of today is never replaced by one of another store, or with less."""

    def test_that_of_another_store_keeps_it_under_another_name(
        self, store: Store, backed: Path
    ) -> None:
        lose(store.path)
        with closing(Store(store.path, anew=True)) as other:
            ann = people.create(other, "Ann", ["ann@acme.example"])
            for text in ("one", "two", "three"):
                notes.add(other, Kind.PERSON, ann, text)
            assert daily.daily(other, renew=True) == backed
            assert daily.daily(other, renew=True) == backed
        before = backed.with_name(backed.name.replace(".json", "-before.json"))
        assert noted(before) == ["Likes coffee.", "Likes tea."]
        assert noted(backed) == ["one", "three", "two"]
        listed = {copy.name: copy.kind for copy in files.copies_of(store.path)}
        assert listed == {before.name: "daily", backed.name: "daily"}

    def test_that_of_an_older_copy_of_the_store_keeps_it(
        self, store: Store, world: World, tmp_path: Path
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "old")
        backup.save(store.path, tmp_path / "old.db")
        notes.add(store, Kind.PERSON, world.anna, "new")
        made = daily.daily(store)
        store.close()
        assert made is not None
        lose(store.path)
        (tmp_path / "old.db").rename(store.path)
        with closing(Store(store.path)) as older:
            daily.daily(older, renew=True)
        assert noted(made) == ["old"]
        assert noted(made.with_name(made.name.replace(".json", "-before.json"))) == ["new", "old"]

    @pytest.mark.parametrize("knows", [False, True])
    def test_none_that_is_kept_is_written_over_or_in_the_way(
        self, store: Store, backed: Path, knows: bool
    ) -> None:
        before = backed.with_name(backed.name.replace(".json", "-before.json"))
        second = backed.with_name(backed.name.replace(".json", "-before-2.json"))
        older = daily.read(backed)
        daily.write(older | {"store": 7, "notes": older["notes"][:1]}, second)
        held = noted(second)
        lose(store.path)
        with closing(Store(store.path, anew=True)) as other:
            ann = people.create(other, "Ann", ["ann@acme.example"])
            notes.add(other, Kind.PERSON, ann, "one")
            if knows:
                with other.write() as (db, _):
                    digest = forgetting.digest("eve@spam.example")
                    db.execute("INSERT INTO forgotten VALUES (?)", [digest])
            daily.daily(other, renew=True)
        assert noted(before) == ["Likes coffee.", "Likes tea."]
        assert noted(second) == held
        assert noted(backed) == ["one"]
        assert len(daily.read(before)["forgotten"]) == knows

    def test_whoever_is_forgotten_while_it_is_kept_is_not_in_it(
        self, store: Store, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
        number = notes.add(store, Kind.PERSON, world.zoe, "Likes coffee.")
        made = daily.daily(store)
        assert made is not None
        notes.delete(store, number)
        link = files.link

        def forgotten_meanwhile(path: Path, to: Path) -> None:
            link(path, to)
            with store.write() as (db, _):  # another process is past the list of copies
                for address in ("anna@acme.com", "anna@mail.example"):
                    known = forgetting.digests(db)
                    digest = forgetting.digest(address, known)
                    db.execute("INSERT INTO forgotten VALUES (?)", [digest])

        monkeypatch.setattr(files, "link", forgotten_meanwhile)
        daily.daily(store, renew=True)
        found = sorted(made.parent.glob("*.json.gz"))
        assert [one.name for one in found] == [
            made.name.replace(".json", "-before.json"),
            made.name,
        ]
        assert [one.name for one in found if "anna@acme.com" in str(daily.read(one))] == []
        assert noted(found[0]) == ["Likes coffee."]

    def test_what_is_deleted_by_hand_keeps_one_and_not_one_each_time(
        self, store: Store, world: World
    ) -> None:
        numbers = [notes.add(store, Kind.PERSON, world.anna, f"note {one}") for one in range(4)]
        made = daily.daily(store)
        assert made is not None
        for number in numbers:
            notes.delete(store, number)
            people.edit(store, world.anna, job=f"CEO {number}")
            daily.daily(store, renew=True)
        kept = [one for one in made.parent.iterdir() if "-before" in one.name]
        assert [len(noted(one)) for one in kept] == [4]

    def test_what_is_added_keeps_none(self, store: Store, world: World) -> None:
        for text in ("one", "two"):
            notes.add(store, Kind.PERSON, world.anna, text)
            made = daily.daily(store, renew=True)
            assert made is not None
        assert [one.name for one in made.parent.glob("*.json.gz")] == [made.name]

    def test_whoever_is_forgotten_is_in_none_that_is_kept(self, store: Store, backed: Path) -> None:
        with closing(Store(store.path)) as again:
            forgetting.forget(again, "anna@acme.com")
            daily.daily(again, renew=True)
        for path in backed.parent.glob("*.json.gz"):
            assert "anna@acme.com" not in str(daily.read(path))

    def test_they_leave_after_a_month_with_the_day_they_are_of(
        self, store: Store, backed: Path
    ) -> None:
        now = time.time()
        before = backed.with_name("daily-2020-01-01-before.json.gz")
        shutil.copy(backed, before)
        with closing(Store(store.path)) as again:
            for day in range(1, 9):
                daily.daily(again, now + day * 86_400)
        assert not before.exists()
