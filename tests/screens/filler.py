"""Filling a store with exactly what a test of a screen needs, unsafe text included."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from crmmail.store import links
from crmmail.store.database import Change, Store
from crmmail.store.kinds import Flag

ME = "me@home.example"
DAY = 86_400


@dataclass
class Mail:
    """A message, as a test wants it."""

    sender: str
    at: int
    to: tuple[str, ...] = (ME,)
    text: str = "Hello."
    quotes: str = ""
    seen: bool = True
    parts: tuple[tuple[str, str, int], ...] = ()
    cc: tuple[str, ...] = ()
    preview: str = ""


@dataclass
class Filler:
    """Inserts rows; what it makes is committed when `write` ends."""

    db: sqlite3.Connection
    change: Change
    threads: list[int] = field(default_factory=list)

    def account(self, email: str = ME, state: str = "watching", **values: int | str) -> int:
        """A mail account, with how its sync stands."""
        i = self._insert("account", email=email)
        self._insert("own_address", account_id=i, address=email)
        self._insert("sync_state", account_id=i, state=state, **values)
        self.address(email, no_contact="own")
        return i

    def address(self, address: str, name: str = "", no_contact: str = "") -> int:
        """The id of an address, made when it is new."""
        found = self.db.execute("SELECT id FROM address WHERE address = ?", [address]).fetchone()
        if found:
            return int(found[0])
        site = address.rpartition("@")[2]
        return self._insert("address", address=address, site=site, name=name, no_contact=no_contact)

    def company(self, name: str, *domains: str) -> int:
        """A company with its domains."""
        i = self._insert("company", name=name)
        for domain in domains:
            self._insert("company_domain", domain=domain, company_id=i)
        return i

    def person(self, name: str, *addresses: str, company: int | None = None) -> int:
        """A person with addresses, the first one primary."""
        i = self._insert("person", name=name, company_id=company)
        for position, address in enumerate(addresses):
            self.db.execute(
                "UPDATE address SET person_id = ?, is_primary = ? WHERE id = ?",
                [i, position == 0, self.address(address)],
            )
        return i

    def opportunity(self, name: str, **values: int | str | None) -> int:
        """A deal."""
        return self._insert("opportunity", name=name, **values)

    def thread(self, subject: str, *mails: Mail) -> int:
        """A conversation of these messages, oldest first."""
        ids = [(mail.at << 20) + position for position, mail in enumerate(mails)]
        i = self._insert(
            "thread",
            subject=subject,
            first_at=mails[0].at,
            last_at=mails[-1].at,
            last_id=ids[-1],
            messages=len(mails),
            unread=sum(not mail.seen for mail in mails),
            attachments=sum(len(mail.parts) for mail in mails),
        )
        for message_id, mail in zip(ids, mails, strict=True):
            self._message(message_id, i, subject, mail)
        self.threads.append(i)
        self.change.threads.add(i)
        return i

    def reply(self, thread: int, mail: Mail) -> int:
        """One more message in a thread, the newest."""
        (subject,) = self.db.execute("SELECT subject FROM thread WHERE id = ?", [thread]).fetchone()
        message_id = mail.at << 20
        self._message(message_id, thread, subject, mail)
        self.db.execute(
            "UPDATE thread SET last_at = ?, last_id = ?, messages = messages + 1 WHERE id = ?",
            [mail.at, message_id, thread],
        )
        self.threads.append(thread)
        self.change.threads.add(thread)
        return message_id

    def _message(self, i: int, thread: int, subject: str, mail: Mail) -> None:
        self._insert(
            "message",
            id=i,
            message_id=f"{i}@test.example",
            thread_id=thread,
            sent_at=mail.at,
            subject=subject,
            from_id=self.address(mail.sender),
            outgoing=mail.sender == ME,
            flags=int(Flag.SEEN) if mail.seen else 0,
            size=len(mail.text),
            attachments=len(mail.parts),
            preview=mail.preview or mail.text.split("\n")[0][:200],
        )
        who = "\n".join((mail.sender, *mail.to, *mail.cc))
        self._insert("message_text", message_id=i, people=who, text=mail.text, quotes=mail.quotes)
        self._insert("search", rowid=i, subject=subject, people=who, text=mail.text)
        roles = [("from", mail.sender), *(("to", to) for to in mail.to)]
        roles += [("cc", cc) for cc in mail.cc]
        for position, (role, address) in enumerate(roles):
            self._insert(
                "participant",
                message_id=i,
                position=position,
                address_id=self.address(address),
                role=role,
            )
        for position, (name, mime, size) in enumerate(mail.parts):
            self._insert(
                "attachment", message_id=i, position=position, name=name, mime=mime, size=size
            )

    def link(self) -> None:
        """Link the threads to their records, as an import does."""
        links.relink(self.db, self.change, self.threads)
        self.threads.clear()

    def _insert(self, table: str, **values: int | str | None) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        return int(
            self.db.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values())
            ).lastrowid
            or 0
        )


def small(store: Store, now: int) -> None:
    """A few people, companies and conversations, the newest an hour before `now`."""
    with store.write("accounts", "threads", "people", "companies", "opportunities") as (db, change):
        fill = Filler(db, change)
        fill.account(last_success=now - 60)
        _people(fill)
        _conversations(fill, now)
        fill.link()


def _people(fill: Filler) -> None:
    acme = fill.company("Acme", "acme.example", "acme-labs.example")
    fill.person("Ada Lovelace", "ada@acme.example", "ada@acme-labs.example", company=acme)
    fill.person("Bob Stone", "bob@acme.example", company=acme)
    nord = fill.company("Nordwind", "nordwind.example")
    fill.person("Çelik Öztürk", "celik@nordwind.example", company=nord)
    fill.person("田中 花子", "hanako@gmail.example")
    fill.address("info@print.example", no_contact="group")
    fill.address("kim@gmail.example", no_contact="free-mail")
    fill.opportunity(
        "Acme: pilot", company_id=acme, stage="proposal", amount=1_250_000, currency="EUR"
    )
    for number in range(30):
        name = f"Person {number:02}"
        fill.person(name, f"p{number:02}@many.example")


def _conversations(fill: Filler, now: int) -> None:
    ada, bob = "ada@acme.example", "bob@acme.example"
    fill.thread(
        "Pilot in March",
        Mail(ME, now - 9 * DAY, to=(ada,), text="Shall we start the pilot in March?"),
        Mail(
            ada,
            now - 8 * DAY,
            text="Yes.\n\n> Shall we start\n> the pilot in March?\n",
            quotes="2-4",
        ),
        Mail(bob, now - 7 * DAY, cc=(ada,), text="Who pays?"),
        Mail(ME, now - 6 * DAY, to=(ada, bob), text="You do."),
        Mail(ada, now - 5 * DAY, text="Fine."),
        Mail(
            bob,
            now - 3_600,
            to=(ME, ada),
            cc=("kim@gmail.example", "info@print.example"),
            text="The contract is attached.\n\nRegards\nBob",
            parts=(("contract.pdf", "application/pdf", 132_000), ("logo.png", "image/png", 900)),
            seen=False,
        ),
    )
    fill.thread(
        "Invoice 4711",
        Mail(ada, now - 40 * DAY, text="Please find the invoice in our portal."),
    )
    fill.thread("Besuch in Köln", Mail("celik@nordwind.example", now - 400 * DAY, text="Grüße!"))
    fill.thread(
        "お見積り", Mail("hanako@gmail.example", now - 20 * DAY, text="よろしくお願いします。")
    )
    for number in range(30):
        address = f"p{number:02}@many.example"
        at = now - (50 + number) * DAY
        fill.thread(f"Note {number}", Mail(address, at, text=f"Number {number}."))
