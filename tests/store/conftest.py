"""A small store, filled by hand: what the tests of the store read and change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crmmail import addresses
from crmmail.store import daily, links, notes
from crmmail.store.database import Store
from crmmail.store.kinds import Flag, Kind

DAY = 86_400
NOON = 1_767_268_800  # 2026-01-01 12:00 UTC


@dataclass(slots=True)
class Filler:
    """Puts rows into a store without the sync, each call one transaction."""

    store: Store
    own: str = "me@home.example"
    _uid: int = 0

    @property
    def db(self) -> sqlite3.Connection:
        """A reader."""
        return self.store.read()

    def account(self, email: str = "", **fields: object) -> int:
        """An account with its own address and domain."""
        email = email or self.own
        values = {"email": email, "host": "imap.home.example", "username": email} | fields
        account_id = self._insert("account", **values)
        self._insert("own_address", account_id=account_id, address=email)
        self._insert("internal_domain", account_id=account_id, domain=addresses.domain_of(email))
        self._insert("sync_state", account_id=account_id)
        return account_id

    def folder(self, account_id: int, name: str = "INBOX", **fields: object) -> int:
        """A folder."""
        return self._insert("folder", account_id=account_id, name=name, **fields)

    def company(self, name: str, *domains: str) -> int:
        """A company."""
        company_id = self._insert("company", name=name, created_at=NOON)
        for domain in domains:
            self._insert("company_domain", domain=domain, company_id=company_id)
        return company_id

    def person(self, name: str, *own: str, company: int | None = None) -> int:
        """A person with addresses, the first of them primary."""
        person_id = self._insert("person", name=name, company_id=company, created_at=NOON)
        for address in own:
            address_id = self.address(address)
            with self.store.write() as (db, _):
                db.execute(
                    "UPDATE address SET person_id = ?, is_primary = ?, no_contact = '' "
                    "WHERE id = ?",
                    [person_id, address == own[0], address_id],
                )
        return person_id

    def address(self, address: str, **fields: object) -> int:
        """An address, made when it is new."""
        row = self.db.execute("SELECT id FROM address WHERE address = ?", [address]).fetchone()
        if row:
            return int(row[0])
        kind = "own" if address == self.own else "policy"
        site = addresses.site(addresses.domain_of(address))
        return self._insert(
            "address", **({"address": address, "site": site, "no_contact": kind} | fields)
        )

    def message(
        self,
        sender: str,
        to: Sequence[str] = (),
        subject: str = "Hello",
        text: str = "",
        at: int = NOON,
        re: int | None = None,
        folder: int | None = None,
        flags: int = Flag.SEEN,
        **fields: object,
    ) -> int:
        """A message, a thread of its own or in that of another message; returns its id."""
        message_id = (at << 20) + self._next()
        thread_id = self.thread_of(re) if re else self._insert("thread")
        people = [("from", sender), *(("to", one) for one in to)]
        ids = [self.address(address) for _, address in people]
        values = {
            "id": message_id,
            "message_id": f"{message_id}@x.example",
            "thread_id": thread_id,
            "sent_at": at,
            "subject": subject,
            "from_id": ids[0],
            "outgoing": sender == self.own,
            "flags": int(flags),
            "size": 1000,
            "preview": text[:20],
            "refs": f"{re}@x.example" if re else "",
        }
        values |= fields
        self._insert("message", **values)
        self._insert("thread_ref", mid=values["message_id"], thread_id=thread_id)
        names = " ".join(address for _, address in people)
        self._insert("message_text", message_id=message_id, people=names, text=text)
        for position, ((role, _), address_id) in enumerate(zip(people, ids, strict=True)):
            self._insert(
                "participant",
                message_id=message_id,
                position=position,
                address_id=address_id,
                role=role,
            )
        with self.store.write() as (db, change):
            db.execute(
                "INSERT INTO search (rowid, subject, people, text) "
                "SELECT id, subject, people, text FROM search_source WHERE id = ?",
                [message_id],
            )
            self._refresh(db, thread_id)
            links.relink(db, change, [thread_id])
        if folder is not None:
            self.place(message_id, folder)
        return message_id

    def place(self, message_id: int, folder_id: int) -> None:
        """Let a message lie in a folder."""
        self._insert(
            "placement", folder_id=folder_id, uid=self._next(), message_id=message_id, flags=1
        )

    def skip(self, folder_id: int, reason: str, detail: str = "", **fields: object) -> None:
        """A row of the ledger."""
        values = {"folder_id": folder_id, "uid": self._next(), "reason": reason, "detail": detail}
        self._insert("skipped", **(values | fields))

    def thread_of(self, message_id: int) -> int:
        """The thread of a message."""
        sql = "SELECT thread_id FROM message WHERE id = ?"
        return int(self.db.execute(sql, [message_id]).fetchone()[0])

    def content(self, *tables: str) -> dict[str, list[tuple[object, ...]]]:
        """All rows of some tables, to be compared."""
        return {
            table: sorted(self.db.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in tables
        }

    def _refresh(self, db: sqlite3.Connection, thread_id: int) -> None:
        db.execute(
            """UPDATE thread SET (first_at, last_at, last_id, messages, unread, attachments) = (
                   SELECT min(sent_at), max(sent_at), max(id), count(*), sum(NOT flags & 1),
                          sum(attachments) FROM message WHERE thread_id = thread.id),
               subject = (SELECT subject FROM message WHERE thread_id = thread.id ORDER BY id)
               WHERE id = ?""",
            [thread_id],
        )

    def meeting(
        self,
        title: str,
        *times: tuple[int, int],
        people: Sequence[str] = (),
        responses: Sequence[str] = (),
        **fields: object,
    ) -> list[int]:
        """A meeting at some times, on the records that it belongs to; returns its occurrences."""
        values = {"uid": f"{self._next()}@cal.example", "title": title}
        values |= {"first_at": times[0][0], "last_at": times[-1][0]}
        meeting = self._insert("meeting", **(values | fields))
        for position, address in enumerate(people):
            address_id = self.address(address)
            self._insert(
                "attendee",
                meeting_id=meeting,
                position=position,
                address_id=address_id,
                response=responses[position] if position < len(responses) else "accepted",
                organizer=not position,
            )
        with self.store.write() as (db, change):
            links.relink(db, change, [meeting], links.MEETING)
        return [
            self._insert(
                "occurrence", meeting_id=meeting, original_at=start, starts_at=start, ends_at=end
            )
            for start, end in times
        ]

    def _insert(self, table: str, **values: object) -> int:
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        with self.store.write() as (db, _):
            if not values:
                return int(db.execute(f"INSERT INTO {table} DEFAULT VALUES").lastrowid or 0)
            sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
            return int(db.execute(sql, list(values.values())).lastrowid or 0)

    def _next(self) -> int:
        self._uid += 1
        return self._uid


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    store = Store(tmp_path / "crmmail.db")
    yield store
    store.close()


@pytest.fixture
def fill(store: Store) -> Filler:
    """What puts rows into the store."""
    return Filler(store)


@dataclass(frozen=True, slots=True)
class World:
    """Two companies, three people, an account: what most tests start from."""

    account: int
    inbox: int
    acme: int
    zoll: int
    anna: int
    bert: int
    zoe: int
    first: int  # thread: anna writes, I answer
    second: int  # thread: bert writes to me and anna
    third: int  # thread: zoe writes


@pytest.fixture
def world(fill: Filler) -> World:
    """Anna and Bert at Acme, Zoë at Zoll; three threads, the third the newest."""
    account = fill.account()
    inbox = fill.folder(account, messages=5)
    acme, zoll = fill.company("Acme", "acme.com"), fill.company("Zoll", "zoll.de", "zoll.eu")
    anna = fill.person("Anna Berg", "anna@acme.com", "anna@mail.example", company=acme)
    bert = fill.person("Bert Crane", "bert@acme.com", company=acme)
    zoe = fill.person("Zoë Ärmel", "zoe@zoll.de", company=zoll)
    me = fill.own
    one = fill.message("anna@acme.com", [me], "Offer", "the first offer", folder=inbox)
    fill.message(me, ["anna@acme.com"], "Re: Offer", "thanks", NOON + DAY, re=one, folder=inbox)
    two = fill.message(
        "bert@acme.com", [me, "anna@acme.com"], "Visit", "see you", NOON + 2 * DAY, folder=inbox
    )
    three = fill.message(
        "zoe@zoll.de", [me], "Grüße", "schöne Grüße", NOON + 3 * DAY, folder=inbox, flags=0
    )
    return World(
        account, inbox, acme, zoll, anna, bert, zoe, *(fill.thread_of(i) for i in (one, two, three))
    )


@pytest.fixture
def backed(store: Store, world: World) -> Path:
    """A closed store with notes, and its daily backup; returns the backup."""
    notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
    notes.add(store, Kind.PERSON, world.zoe, "Likes coffee.")
    made = daily.daily(store)
    store.close()
    assert made is not None
    return made
