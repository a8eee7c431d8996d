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
class Guest:
    """Somebody at a meeting, as a test wants them; the first one is the organiser."""

    address: str
    response: str = "accepted"
    name: str = ""
    kind: str = "individual"


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
        self._insert("thread_ref", mid=f"{i}@test.example", thread_id=thread)
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

    def meeting(
        self, title: str, *times: tuple[int, int], guests: tuple[Guest, ...], **values: int | str
    ) -> list[int]:
        """A meeting at some times, on its people's records; returns its occurrences."""
        ids = {guest.address: self.address(guest.address) for guest in guests}
        fields: dict[str, int | str] = {
            "uid": f"{title}-{times[0][0]}@test.example",
            "title": title,
            "people": " ".join(guest.address for guest in guests),
            "organizer_id": ids[guests[0].address],
            "first_at": times[0][0],
            "last_at": times[-1][0],
        }
        i = self._insert("meeting", **(fields | values))
        for position, guest in enumerate(guests):
            self._insert(
                "attendee",
                meeting_id=i,
                position=position,
                address_id=ids[guest.address],
                name=guest.name,
                role="required",
                response=guest.response,
                kind=guest.kind,
                organizer=not position,
            )
        self.db.execute(
            """INSERT OR IGNORE INTO meeting_link (kind, record_id, meeting_id, why)
               SELECT 1, person_id, meeting_id, 'participant' FROM attendee
               JOIN address ON address.id = address_id
               WHERE meeting_id = ?1 AND person_id IS NOT NULL
               UNION SELECT 2, company_id, meeting_id, 'people' FROM attendee
               JOIN address ON address.id = address_id JOIN person ON person.id = person_id
               WHERE meeting_id = ?1 AND company_id IS NOT NULL""",
            [i],
        )
        return [
            self._insert("occurrence", meeting_id=i, original_at=a, starts_at=a, ends_at=b)
            for a, b in times
        ]

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


def meetings(store: Store, now: int) -> dict[str, list[int]]:
    """Meetings with the people of small(), past and to come; `now` is a Saturday morning."""
    me, ada, bob = Guest(ME), Guest("ada@acme.example"), Guest("bob@acme.example", "tentative")
    midnight = now - now % DAY
    with store.write("meetings") as (db, change):
        fill = Filler(db, change)
        weekly = [(now + days * DAY, now + days * DAY + 1_800) for days in range(-68, 80, 7)]
        found = {
            "weekly": fill.meeting(
                "Pilot: weekly call",
                *weekly,
                guests=(ada, me, bob),
                recurrence="every week on Monday",
                link="https://meet.example/pilot-4711",
                tzid="Europe/London",
            ),
            "visit": fill.meeting(
                "Visit at Acme",
                (now + 3 * DAY, now + 3 * DAY + 7_200),
                guests=(
                    ada,
                    Guest(ME, "needs-action"),
                    Guest("kim@gmail.example", "needs-action", "Kim"),
                    Guest("room4@acme.example", "accepted", "Room 4", "room"),
                ),
                location="Acme, Room 4",
                description="Agenda:\n1. Contract\n2. Dates\n\nhttps://acme.example/how-to-find-us",
            ),
            "fair": fill.meeting(
                "Trade fair",
                (midnight + 9 * DAY, midnight + 12 * DAY),
                guests=(bob, me),
                all_day=1,
                location="Hannover",
            ),
            "lunch": fill.meeting(
                "Lunch", (now - 2 * DAY, now - 2 * DAY + 3_600), guests=(me, ada)
            ),
            "declined": fill.meeting(
                "Webinar",
                (now + 4 * DAY, now + 4 * DAY + 3_600),
                guests=(bob, Guest(ME, "declined")),
            ),
            "cancelled": fill.meeting(
                "Workshop", (now + 5 * DAY, now + 5 * DAY + 3_600), guests=(ada, me)
            ),
        }
        db.execute("UPDATE occurrence SET cancelled = 1 WHERE id = ?", found["cancelled"])
    return found
