"""Putting back what was made by hand, into a store that has it, a part of it, or nothing of it.

What is missing comes back. What was changed by hand after the backup stays as it is, and nothing is
taken away. Done twice, it changes nothing the second time.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from crmmail.addresses import domain_of, site
from crmmail.store import forgetting, handmade, links, manual, numbers, remembering
from crmmail.store.database import Change, Store
from crmmail.store.handmade import PLACES, REFERENCES, Document, Row
from crmmail.store.kinds import Kind
from crmmail.store.records import ALL_TOPICS, TABLES

_LISTED = {Kind.PERSON: "addresses", Kind.COMPANY: "domains"}


def put_back(store: Store, document: Document) -> dict[str, int]:
    """Put a document into a store; returns how many of each part came back, or were changed."""
    with store.write("notes", "accounts", "ledger", "state", *ALL_TOPICS) as (db, change):
        return _PutBack(db, change, document).run()


class _PutBack:
    """One document on its way into a store."""

    def __init__(self, db: sqlite3.Connection, change: Change, document: Document) -> None:
        self._db = db
        self._change = change
        remembering.add(db, remembering.Said.in_(document))
        self._accounts: dict[int, int] = {}
        known = forgetting.digests(db)
        self._document = handmade.without_forgotten(
            handmade.upgraded(document), lambda address: forgetting.is_forgotten(address, known)
        )
        self._ids: dict[Kind, dict[int, int]] = {kind: {} for kind in Kind}
        self._done: Counter[str] = Counter()

    def run(self) -> dict[str, int]:
        """Put everything back."""
        for part in ("blocklist", "allowlist"):
            self._insert(part, [{"pattern": one} for one in self._document[part]])
        for row in self._document["accounts"]:
            self._account(row)
        for kind in (Kind.COMPANY, Kind.PERSON, Kind.OPPORTUNITY):
            for row in self._document[PLACES[kind]]:
                self._record(kind, row)
        self._notes()
        for row in self._document["changes"]:
            self._log(row)
        self._links()
        self._written()
        self._rules()
        numbers.put_back(self._db, self._document["numbers"])
        for kind in (Kind.COMPANY, Kind.PERSON, Kind.OPPORTUNITY):
            links.relink_records(self._db, self._change, kind, self._ids[kind].values())
        return {part: self._done[part] for part in handmade.COUNTED}

    # Records

    def _record(self, kind: Kind, row: Row) -> None:
        values = self._mapped(row)
        there = self._found(kind, row)
        if there is None:
            there = self._new(TABLES[kind], values)
            self._done[PLACES[kind]] += 1
        elif self._differs(kind, there, values) and not self._newer(kind, there):
            self._update(TABLES[kind], there, values)
            self._done[PLACES[kind]] += 1
        self._ids[kind][row["id"]] = there
        if kind is Kind.COMPANY:
            self._domains(there, row["domains"])
        elif kind is Kind.PERSON:
            self._addresses(there, row)

    def _found(self, kind: Kind, row: Row) -> int | None:
        """The record in this store, by what it is known by."""
        taken = set(self._ids[kind].values())
        if kind is Kind.PERSON:
            query = """SELECT person_id FROM json_each(?) AS wanted
                       JOIN address ON address.address = wanted.value
                       WHERE person_id IS NOT NULL ORDER BY wanted.key"""
            known = [one["address"] for one in sorted(row["addresses"], key=_primary_first)]
        elif kind is Kind.COMPANY:
            query = """SELECT company_id FROM json_each(?) AS wanted
                       JOIN company_domain ON domain = wanted.value ORDER BY wanted.key"""
            known = row["domains"]
        else:
            query, known = "SELECT id FROM opportunity WHERE ? AND 0", []
        found = [one for (one,) in self._db.execute(query, [json.dumps(known)])]
        same = self._db.execute(
            f"""SELECT id FROM {TABLES[kind]} WHERE created_at = ?1 AND (
                    name IN (SELECT value FROM json_each(?2)) OR id IN (
                        SELECT record_id FROM record_change
                        WHERE kind = ?3 AND field = 'name' AND old = ?4))""",
            [row["created_at"], json.dumps(self._names(kind, row)), int(kind), row["name"]],
        )
        found += [one for (one,) in same]
        return next((one for one in found if one not in taken), None)

    def _names(self, kind: Kind, row: Row) -> list[str]:
        """What a record is called in the document, and was before."""
        return [
            row["name"],
            *(
                one["old"]
                for one in self._document["changes"]
                if (one["kind"], one["record_id"], one["field"]) == (kind, row["id"], "name")
            ),
        ]

    def _differs(self, kind: Kind, there: int, values: Row) -> bool:
        return self._stored(kind, there, values) != values

    def _stored(self, kind: Kind, there: int, values: Row) -> Row:
        names = ", ".join(values)
        row = self._db.execute(f"SELECT {names} FROM {TABLES[kind]} WHERE id = ?", [there])
        return dict(zip(values, row.fetchone(), strict=True))

    def _newer(self, kind: Kind, there: int) -> bool:
        """Whether somebody changed the record after the backup was made."""
        (at,) = self._db.execute(
            "SELECT max(at) FROM record_change WHERE kind = ? AND record_id = ?",
            [int(kind), there],
        ).fetchone()
        return at is not None and at >= self._document["made_at"]

    def _domains(self, company: int, domains: list[str]) -> None:
        for domain in domains:
            row = self._db.execute(
                "SELECT company_id FROM company_domain WHERE domain = ?", [domain]
            ).fetchone()
            if row is None:
                self._new("company_domain", {"domain": domain, "company_id": company})
            elif row[0] != company and self._is_automatic(Kind.COMPANY, row[0]):
                self._absorb(Kind.COMPANY, row[0], company)

    def _addresses(self, person: int, row: Row) -> None:
        for one in row["addresses"]:
            found = self._db.execute(
                "SELECT id, person_id, no_contact FROM address WHERE address = ?", [one["address"]]
            ).fetchone()
            if found is None:
                values = {"address": one["address"], "site": site(domain_of(one["address"]))}
                found = (self._new("address", values | {"name": one["name"]}), None, "")
            number, owner, no_contact = found
            if no_contact == "own":
                continue
            if owner not in (None, person) and self._is_automatic(Kind.PERSON, owner):
                self._absorb(Kind.PERSON, owner, person)
                owner = person
            if owner in (None, person):
                self._db.execute(
                    """UPDATE address SET person_id = ?1, is_primary = ?2, no_contact = iif(
                           (SELECT deleted_at FROM person WHERE id = ?1), 'deleted', '')
                       WHERE id = ?3""",
                    [person, one["primary"], number],
                )

    def _is_automatic(self, kind: Kind, record: int) -> bool:
        """Whether mail alone made a record, and nobody touched it: another may take its place."""
        table = TABLES[kind]
        return record not in self._ids[kind].values() and bool(
            self._db.execute(
                f"""SELECT 1 FROM {table} WHERE id = ?1 AND source != 'hand' AND NOT name_by_hand
                    AND NOT EXISTS (SELECT 1 FROM note WHERE kind = ?2 AND record_id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM record_change WHERE kind = ?2 AND record_id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM manual_link WHERE kind = ?2 AND record_id = ?1)
                    AND NOT EXISTS (SELECT 1 FROM opportunity
                        WHERE iif(?2 = 1, contact_id, company_id) = ?1)""",
                [record, int(kind)],
            ).fetchone()
        )

    def _absorb(self, kind: Kind, other: int, keep: int) -> None:
        """Give a record all that an automatic one has, which then is not there any more."""
        if kind is Kind.PERSON:
            self._db.execute(
                "UPDATE address SET person_id = ?, is_primary = 0 WHERE person_id = ?",
                [keep, other],
            )
        else:
            for table in ("person", "company_domain"):
                self._db.execute(
                    f"UPDATE {table} SET company_id = ? WHERE company_id = ?", [keep, other]
                )
        for what in manual.BOTH:
            self._db.execute(
                f"DELETE FROM {what}_link WHERE kind = ? AND record_id = ?", [int(kind), other]
            )
        self._db.execute(f"DELETE FROM {TABLES[kind]} WHERE id = ?", [other])

    # What hangs on records

    def _notes(self) -> None:
        """Notes are known by when they were written: one whose text is another was changed."""
        groups: dict[tuple[int, int, int], list[Row]] = defaultdict(list)
        for row in self._document["notes"]:
            if (record := self._record_of(row)) is not None:
                groups[row["kind"], record, row["created_at"]].append(row)
        for (kind, record, at), rows in groups.items():
            there = self._db.execute(
                "SELECT text, changed_at, id FROM note"
                " WHERE kind = ? AND record_id = ? AND created_at = ? ORDER BY id",
                [kind, record, at],
            ).fetchall()
            texts = {row["text"] for row in rows}
            others = [one for one in there if one[0] not in texts]
            for row in rows:
                if any(row["text"] == text for text, *_ in there):
                    continue
                values = row | {"record_id": record}
                if not others:
                    self._new("note", values)
                elif (changed := others.pop(0))[1] < row["changed_at"]:
                    self._update("note", changed[2], values)
                else:
                    continue
                self._done["notes"] += 1

    def _log(self, row: Row) -> None:
        if (record := self._record_of(row)) is None:
            return
        values = row | {"record_id": record}
        kind = REFERENCES.get(row["field"])
        if row["field"] == "merged":
            kind = Kind(row["kind"])
        if kind is not None:
            for name in ("old", "new"):
                number = self._ids[kind].get(int(row[name] or 0))
                values[name] = str(number) if number else ""
        same = " AND ".join(f"{name} = :{name}" for name in values)
        if not self._db.execute(f"SELECT 1 FROM record_change WHERE {same}", values).fetchone():
            self._new("record_change", values)

    def _links(self) -> None:
        """Let the hand say again what it said; it holds as soon as the mail is here."""
        for what, target in manual.TARGETS.items():
            rows = [
                (row["key"], row["kind"], record, row["hand"], row["at"])
                for row in self._document["links"]
                if row["target"] == target and (record := self._record_of(row)) is not None
            ]
            before = self._db.total_changes
            manual.insert(self._db, what, rows)
            self._done["links"] += self._db.total_changes - before
            links.relink(self._db, self._change, _held(self._db, what), what, by_hand=True)

    def _record_of(self, row: Row) -> int | None:
        return self._ids[Kind(row["kind"])].get(row["record_id"])

    # Accounts

    def _account(self, row: Row) -> None:
        there = self._db.execute(
            "SELECT id FROM account WHERE email = ?", [row["email"]]
        ).fetchone()
        if there:
            self._accounts[row["id"]] = there[0]
            return
        lists = ("addresses", "internal", "folders", "calendars")
        number = self._new("account", {n: v for n, v in row.items() if n not in ("id", *lists)})
        own = {"account_id": number}
        self._accounts[row["id"]] = number
        self._insert("own_address", [own | {"address": one} for one in row["addresses"]])
        self._insert("internal_domain", [own | {"domain": one} for one in row["internal"]])
        self._insert("folder", [own | one for one in row["folders"]])
        self._insert("calendar", [own | one for one in row["calendars"]])
        self._insert("sync_state", [own])
        self._done["accounts"] += 1

    def _written(self) -> None:
        """Role addresses that were written to; a message of them is let in by that (M5)."""
        for address in self._document["written"]:
            values = {"address": address, "site": site(domain_of(address))}
            self._new("address", values, "OR IGNORE ")
            self._db.execute("UPDATE address SET written = 1 WHERE address = ?", [address])

    def _rules(self) -> None:
        """Changes of rules that can be set back: who comes from now on came by them."""
        for row in self._document["rules"]:
            account = self._accounts.get(row["account_id"] or 0)
            if row["account_id"] and not account:
                continue
            values = {name: row[name] for name in ("setting", "key", "before")}
            if self._db.execute(
                """SELECT 1 FROM rule_change WHERE setting = :setting AND "key" = :key
                   AND before = :before AND account_id IS :account""",
                values | {"account": account},
            ).fetchone():
                continue
            marks = {
                f"{table}_mark": self._db.execute(
                    f"SELECT ifnull(max(id), 0) FROM {table}"
                ).fetchone()[0]
                for table in ("person", "company")
            }
            self._new("rule_change", row | marks | {"account_id": account})

    # Rows

    def _mapped(self, row: Row) -> Row:
        """The columns of a record, its references by their numbers here."""
        values = {}
        for name, value in row.items():
            if name in REFERENCES:
                values[name] = self._ids[REFERENCES[name]].get(value or 0)
            elif name not in ("id", *_LISTED.values()):
                values[name] = value
        return values

    def _insert(self, table: str, rows: list[Row]) -> None:
        for row in rows:
            self._new(table, row, "OR IGNORE ")

    def _new(self, table: str, values: Mapping[str, Any], otherwise: str = "") -> int:
        known = self._columns(table)
        names = [name for name in values if name in known]
        made = self._db.execute(
            f"INSERT {otherwise}INTO {table} ({', '.join(map(_quoted, names))}) "
            f"VALUES ({', '.join('?' for _ in names)})",
            [values[name] for name in names],
        )
        return made.lastrowid or 0

    def _update(self, table: str, row: int, values: Mapping[str, Any]) -> None:
        known = self._columns(table)
        names = [name for name in values if name in known]
        self._db.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
            [*(values[name] for name in names), row],
        )

    def _columns(self, table: str) -> set[str]:
        """A backup may be of a version with other columns."""
        return {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}


def _quoted(name: str) -> str:
    return f'"{name}"'


def _primary_first(one: Row) -> bool:
    return not one["primary"]


def _held(db: sqlite3.Connection, what: str) -> list[int]:
    """The threads or meetings here of which the hand says something."""
    query = {
        manual.THREAD: """SELECT DISTINCT thread_id FROM thread_ref WHERE digest_key(mid) IN (
                              SELECT key FROM manual_link WHERE target = 1)""",
        manual.MEETING: """SELECT id FROM meeting WHERE digest_key(uid) IN (
                               SELECT key FROM manual_link WHERE target = 2)""",
    }
    return [number for (number,) in db.execute(query[what])]
