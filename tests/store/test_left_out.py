"""Who was forgotten and is known in a backup by something else than mail is left out and named."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.store import backup, daily, forgetting, mail_rules, notes, opening, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind

from .conftest import Filler, World

EVE = "eve@elsewhere.example"
FACTS = json.dumps({"people": [["from", "Eve Stone", EVE], ["to", "", "me@home.example"]]})
RAW = f"BEGIN:VEVENT\r\nUID:u\r\nATTENDEE;CN=Eve:mailto:{EVE[:8]}\r\n {EVE[8:]}\r\nEND:VEVENT"


def restored(source: Path, store: Store) -> Store:
    """The store, after Eve is forgotten and a backup of before is put in its place."""
    forgetting.forget(store, EVE)
    assert not holds(store)
    store.close()
    backup.restore(source, store.path)
    return Store(store.path)


def holds(store: Store) -> bool:
    """Whether something of Eve is in the store's rows or its file."""
    files = store.path.parent.glob(f"{store.path.name}*")
    told = "\n".join(store.read().iterdump()).encode() + b"".join(map(Path.read_bytes, files))
    return b"Eve" in told or EVE.encode() in told


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Where a backup is made."""
    return tmp_path / "before.db"


def test_who_is_only_in_the_skip_list(
    store: Store, world: World, fill: Filler, source: Path
) -> None:
    folder = fill.folder(fill.account("second@home.example"))
    fill.skip(folder, "nobody", facts=FACTS, sender=EVE, subject="Hello of Eve")
    backup.save(store.path, source)
    with closing(restored(source, store)) as again:
        assert not holds(again)
        rows = again.read().execute("SELECT reason, subject, facts, sender FROM skipped")
        assert rows.fetchall() == [("forgotten", "", "", "")]
        assert backup.left_out(source, store.path) == [f"Eve Stone ({EVE})"]


def test_who_is_only_in_a_meeting_of_the_skip_list(
    store: Store, world: World, source: Path
) -> None:
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (id, url, name) VALUES (1, 'x', 'Work')")
        db.execute(
            """INSERT INTO calendar_object (calendar_id, href, uid, raw, reason, title)
               VALUES (1, '/1', 'u', ?, 'nobody', 'Lunch with Eve')""",
            [RAW],
        )
    backup.save(store.path, source)
    with closing(restored(source, store)) as again:
        assert not holds(again)
        rows = again.read().execute("SELECT reason, raw, title FROM calendar_object")
        assert rows.fetchall() == [("forgotten", "", "")]
        assert backup.left_out(source, store.path) == [EVE]


def test_who_is_only_in_a_list_of_addresses(store: Store, world: World, source: Path) -> None:
    mail_rules.block(store, EVE)
    backup.save(store.path, source)
    with closing(restored(source, store)) as again:
        assert not holds(again)
        assert backup.left_out(source, store.path) == [EVE]


def test_an_address_that_was_theirs_and_was_not_forgotten_keeps_its_mail(
    store: Store, world: World, source: Path
) -> None:
    """Zoë's address stood with Eve by mistake when the backup was made."""
    number = people.create(store, "Eve Stone", [EVE])
    people.merge(store, number, world.zoe)
    mail = "SELECT count(*) FROM participant JOIN address ON address.id = address_id"
    zoes = f"{mail} WHERE address = 'zoe@zoll.de'"
    before = store.read().execute(zoes).fetchone()
    assert before > (0,)
    backup.save(store.path, source)
    people.remove_address(store, number, "zoe@zoll.de")
    with closing(restored(source, store)) as again:
        known = forgetting.digests(again.read())
        assert forgetting.is_forgotten(EVE, known)
        assert not forgetting.is_forgotten("zoe@zoll.de", known)
        assert again.read().execute(zoes).fetchone() == before
        assert not holds(again)
        assert again.read().execute("PRAGMA foreign_key_check").fetchall() == []
        assert backup.left_out(source, store.path) == [f"Eve Stone ({EVE})"]


@pytest.mark.parametrize("version", [1, 3, 5, 6, 12])
def test_a_backup_of_an_older_version_is_asked_too(
    store: Store, world: World, source: Path, version: int
) -> None:
    forgetting.forget(store, EVE)
    with closing(sqlite3.connect(source, isolation_level=None)) as db:
        opening.prepare(db)
        for number in range(1, version + 1):
            db.executescript(opening.migrations()[number])
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("INSERT INTO address (address, name) VALUES (?, 'Eve')", [EVE])
    assert backup.left_out(source, store.path) == [f"Eve ({EVE})"]


def test_an_own_address_is_never_left_out(store: Store, world: World, source: Path) -> None:
    """It may have been somebody's, who was forgotten, before it was mine."""
    fill = Filler(store)
    fill.skip(world.inbox, "draft", facts=FACTS.replace(EVE, "me@home.example"))
    backup.save(store.path, source)
    with store.write() as (db, _):
        db.execute("INSERT INTO forgotten VALUES (?)", [forgetting.digest("me@home.example")])
    assert backup.left_out(source, store.path) == []


def test_a_daily_backup_names_who_is_in_its_lists_or_files_only(
    store: Store, world: World, tmp_path: Path
) -> None:
    notes.add(store, Kind.PERSON, world.zoe, "Likes tea.")
    mail_rules.block(store, EVE)
    path = daily.daily(store)
    assert path is not None
    document = daily.read(path)
    document["calendars"] = [{"name": "From a file", "raw": [RAW.replace("eve@", "adam@")]}]
    source = daily.write(document, tmp_path / "before.json.gz")
    for one in (EVE, EVE.replace("eve", "adam")):
        forgetting.forget(store, one)
    assert backup.left_out(source, store.path) == [EVE.replace("eve", "adam"), EVE]
