"""What `make kills` kills: each scenario prepares a store and a mailbox, and says what is done."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crmmail import repairing
from crmmail.store import (
    accounts,
    backup,
    daily,
    files,
    handmade,
    mail_rules,
    notes,
    opening,
    opportunities,
    people,
    threads,
)
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.trouble import DamagedError
from crmmail.sync.loop import sync_once
from tests.servers import PASSWORD, Dovecot
from tests.sync.letters import ME, START, letter

DOCUMENT = "made-by-hand.json.gz"
BACKUP = "backup.db"
"""Beside the store that a restore replaces."""
_OLD = 8  # the version that a migration begins with


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done to a store: `prepare` fills a folder, `act` does the work, in any process."""

    prepare: Callable[[Path, Work], None]
    act: Callable[[Path], None]
    is_damaged: bool = False  # until the work is done


class Work:
    """A server with the mailboxes of the scenarios, each filled as its work finds it."""

    def __init__(self, server: Dovecot, count: int) -> None:
        self.server = server
        self.count = count
        self._lock = threading.Lock()
        self._users = 0

    def mailbox(self, *parts: list[bytes]) -> str:
        """A new user with this mail in INBOX, Sent, Archive; returns the name."""
        with self._lock:
            self._users += 1
            user = self.server.add_user(f"kill{os.getpid()}x{self._users}@home.example")
        for folder, messages in zip(("INBOX", "Sent", "Archive"), parts, strict=False):
            self.server.append(user, folder, [(one, (), None) for one in messages])
        return user

    def connect(self, folder: Path, user: str, **rules: object) -> Store:
        """A store with an account on it."""
        store = Store(folder / "crmmail.db")
        accounts.add(
            store,
            ME,
            host=self.server.host,
            port=self.server.port,
            security="none",
            username=user,
            secret="env:CRMMAIL_PASSWORD",
            **{"policy": "sent", **rules},
        )
        return store


def mail(count: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Mail of every kind: threads of four, lists, roles, colleagues, mail without an id."""
    inbox = []
    for number in range(count):
        first = number - number % 4
        sender = f"Person {number % 97} <p{number % 97}@c{number % 31}.com>"
        if number % 11 == 0:
            sender = f"info@c{number % 31}.com"
        made = letter(
            number,
            sender=sender if number % 13 else "Col <col@home.example>",
            to=ME if number % 5 else f"{ME}, Extra <x{number % 50}@gmail.com>",
            refs=f"<{first}@test>" if number != first else "",
            more="List-Id: <l.example>" if number % 7 == 0 else "",
            text=f"Letter {number}. " * 30,
            day=number / 10,
        )
        inbox.append(made.replace(f"Message-ID: <{number}@test>\r\n".encode(), b"")
                     if number % 17 == 0 else made)  # fmt: skip
    sent = [
        letter(
            10_000 + number,
            sender=f"Me <{ME}>",
            to=f"info@c{number}.com, Person {number} <p{number}@c{number % 31}.com>",
            refs=f"<{4 * number}@test>",
            day=number,
        )
        for number in range(0, 30)
    ]
    return inbox, sent, [*inbox[: count // 10], letter(20_000, sender="Hal <hal@ninth.com>")]


# -- the scenarios -----------------------------------------------------------------------------


def run_sync(folder: Path) -> None:
    """Sync to the end; what goes wrong is raised."""
    with closing(Store(folder / "crmmail.db")) as store:
        for report in sync_once(store):
            if report.errors:
                raise RuntimeError(report.errors)


def run_restore(folder: Path) -> None:
    """Put the backup in the store's place."""
    backup.restore(folder / BACKUP, folder / "crmmail.db")


def run_migration(folder: Path) -> None:
    """Open the store, which brings it up to date, then sync."""
    Store(folder / "crmmail.db").close()
    run_sync(folder)


def for_import(folder: Path, work: Work) -> None:
    work.connect(folder, work.mailbox(*mail(work.count))).close()


def _synced(folder: Path, work: Work, *parts: list[bytes], **rules: object) -> tuple[Store, str]:
    """A store that is up to date, with links and hides made by hand."""
    user = work.mailbox(*(parts or mail(work.count)))
    work.connect(folder, user, **rules).close()
    run_sync(folder)
    store = Store(folder / "crmmail.db")
    deal = opportunities.add(store, "Press")
    found = [row[0] for row in store.read().execute("SELECT id FROM thread ORDER BY id LIMIT 40")]
    for place, thread in enumerate(found):
        threads.set_hand(store, Kind.OPPORTUNITY, deal, thread, -1 if place % 3 else 1)
    return store, user


def for_incremental(folder: Path, work: Work) -> None:
    """New mail, mail that was deleted, flags."""
    inbox, sent, archive = mail(work.count)
    half = len(inbox) // 2
    store, user = _synced(folder, work, inbox[:half], sent[:15], archive)
    store.close()
    work.server.append(user, "INBOX", [(one, (), None) for one in inbox[half:]])
    work.server.append(user, "Sent", [(one, (), None) for one in sent[15:]])
    with work.server.client(user, PASSWORD) as client:
        client.select_folder("INBOX")
        uids = client.search()
        client.delete_messages(uids[5:15])
        client.expunge()
        client.add_flags(uids[20:60], [b"\\Seen", b"\\Flagged"])


def for_rejudging(folder: Path, work: Work) -> None:
    """Several rules at once, both ways."""
    store, _ = _synced(folder, work)
    mail_rules.change(store, 1, policy="sent_and_received", exclude_free=False, exclude_group=False)
    mail_rules.change(store, 1, mail_since=int(START.timestamp()) + 10 * 86_400)
    mail_rules.block(store, "@c3.com")
    mail_rules.add_alias(store, 1, "p5@c5.com")
    mail_rules.select_folder(store, 1, "Archive", on=False)
    store.close()


def for_lowering(folder: Path, work: Work) -> None:
    store, _ = _synced(folder, work)
    mail_rules.change(store, 1, mail_level=0)
    store.close()


def for_raising(folder: Path, work: Work) -> None:
    store, _ = _synced(folder, work, mail_level=0)
    mail_rules.change(store, 1, mail_level=2)
    store.close()


def for_undo(folder: Path, work: Work) -> None:
    """Wider rules that have made people, set back."""
    store, _ = _synced(folder, work)
    mail_rules.change(store, 1, policy="sent_and_received", exclude_free=False, exclude_group=False)
    mail_rules.block(store, "@c3.com")
    store.close()
    run_sync(folder)
    with closing(Store(folder / "crmmail.db")) as store:
        mail_rules.change(store, 1, policy="sent", exclude_free=True, exclude_group=True)
        mail_rules.unblock(store, "@c3.com")


def for_restore(folder: Path, work: Work) -> None:
    """A backup, and a store that has gone on since."""
    store, _ = _synced(folder, work)
    store.close()
    backup.save(folder / "crmmail.db", folder / BACKUP)
    with closing(Store(folder / "crmmail.db")) as store:
        mail_rules.block(store, "@c3.com")
    run_sync(folder)


def for_migration(folder: Path, work: Work) -> None:
    """A store as an older crmmail has left it."""
    store, _ = _synced(folder, work)
    store.close()
    new, old = folder / "new.db", folder / "crmmail.db"
    backup.save(old, new)
    for log in folder.glob("crmmail.db*"):
        log.unlink()
    steps = opening.migrations()
    with closing(sqlite3.connect(old, isolation_level=None)) as db:
        for number in range(1, _OLD + 1):
            db.executescript(steps[number])
        db.execute("ATTACH ? AS new", [str(new)])
        tables = """SELECT name FROM {}.sqlite_master
                    WHERE type = 'table' AND name NOT LIKE '%search%'"""
        known = {name for (name,) in db.execute(tables.format("new"))}
        for (name,) in db.execute(tables.format("main")).fetchall():
            if name in known:
                columns = ", ".join(_columns(db, "main", name) & _columns(db, "new", name))
                db.execute(f"INSERT INTO main.{name} ({columns}) SELECT {columns} FROM new.{name}")
        for index in ("search", "search_meetings"):
            db.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")
        db.execute(f"PRAGMA user_version = {_OLD}")
    new.unlink()


def _by_hand(folder: Path, work: Work) -> Store:
    """A synced store in which somebody has worked: notes, edits, deals, links, rules."""
    store, _ = _synced(folder, work)
    found = [row[0] for row in store.read().execute("SELECT id FROM person ORDER BY id LIMIT 60")]
    for number, person in enumerate(found):
        notes.add(store, Kind.PERSON, person, f"Note {number}. " + "word " * 300)
        people.edit(store, person, job=f"Job {number}")
        opportunities.add(store, f"Deal {number}", contact_id=person)
    mail_rules.block(store, "@c3.com")
    return store


def for_rebuild(folder: Path, work: Work) -> None:
    """A store whose mail is damaged, and all that was made by hand can be read."""
    _by_hand(folder, work).close()
    path = folder / "crmmail.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = db.execute("PRAGMA page_size").fetchone()
        rows = db.execute("SELECT pageno FROM dbstat WHERE name IN ('message_text', 'participant')")
        pages = [page for (page,) in rows]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)


def run_rebuild(folder: Path) -> None:
    """Build a damaged store anew; once that is done, there is nothing left to do."""
    try:
        Store(folder / "crmmail.db").close()
    except DamagedError:
        repairing.rebuild(folder / "crmmail.db")


def for_put_back(folder: Path, work: Work) -> None:
    """A store that has lost what was made by hand, and the backup of it."""
    with closing(_by_hand(folder, work)) as store:
        daily.write(handmade.collect(store.read(), 2**33), folder / DOCUMENT)
        with store.write() as (db, _):
            db.execute("DELETE FROM note")
            db.execute("DELETE FROM opportunity")
            db.execute("UPDATE person SET job = ''")


def run_put_back(folder: Path) -> None:
    repairing.put_back(folder / DOCUMENT, folder / "crmmail.db")


def for_renewal(folder: Path, work: Work) -> None:
    _by_hand(folder, work).close()


def run_renewal(folder: Path) -> None:
    """Change what was made by hand, and renew the backup each time, which is whole."""
    with closing(Store(folder / "crmmail.db")) as store:
        if (path := daily.newest(store.path)) is not None:
            daily.read(path)
        rows = store.read().execute("SELECT id FROM person ORDER BY id LIMIT 20").fetchall()
        for (person,) in rows:
            people.edit(store, person, phone=f"{person}")
            daily.daily(store, renew=True)
        files.clear_parts(store.path)
        if left := [one.name for one in folder.rglob(".*part*")]:
            raise RuntimeError(left)


def _columns(db: sqlite3.Connection, where: str, table: str) -> set[str]:
    return {f'"{row[1]}"' for row in db.execute(f"PRAGMA {where}.table_info({table})")}


SCENARIOS = {
    "import": Scenario(for_import, run_sync),
    "incremental": Scenario(for_incremental, run_sync),
    "re-judging": Scenario(for_rejudging, run_sync),
    "lower visibility": Scenario(for_lowering, run_sync),
    "raise visibility": Scenario(for_raising, run_sync),
    "undo": Scenario(for_undo, run_sync),
    "restore": Scenario(for_restore, run_restore),
    "migration": Scenario(for_migration, run_migration),
    "rebuild": Scenario(for_rebuild, run_rebuild, is_damaged=True),
    "put back": Scenario(for_put_back, run_put_back),
    "daily renewal": Scenario(for_renewal, run_renewal),
}
