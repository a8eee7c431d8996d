"""The schema, on one page. Read this file first.

Times are whole seconds since 1970, UTC. Every text that came from outside was made safe by
`crmmail.text` before it was stored. `migrations/` holds the same tables as frozen SQL, with the
indexes and the search index; a test keeps the two equal. Calendars and meetings have their page in
`calendar_models.py`, what the user did has its in `user_models.py`.
"""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from crmmail.store.calendar_models import Attendee as Attendee
from crmmail.store.calendar_models import Calendar as Calendar
from crmmail.store.calendar_models import CalendarObject as CalendarObject
from crmmail.store.calendar_models import Meeting as Meeting
from crmmail.store.calendar_models import MeetingLink as MeetingLink
from crmmail.store.calendar_models import Occurrence as Occurrence
from crmmail.store.kinds import Flag as Flag
from crmmail.store.kinds import Kind as Kind
from crmmail.store.user_models import FormerId as FormerId
from crmmail.store.user_models import ManualLink as ManualLink
from crmmail.store.user_models import Note as Note
from crmmail.store.user_models import RecordChange as RecordChange
from crmmail.store.user_models import RuleChange as RuleChange


class Account(SQLModel, table=True):
    """A mailbox login and the rules that hold for it. Never its secret: only where that is kept."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str = ""
    host: str = ""
    port: int = 993
    security: str = "tls"  # tls | starttls | none
    username: str = ""
    secret: str = ""  # "keyring:" | "command:JSON text for the shell" | "env:NAME"
    policy: str = "sent"  # C2: sent | sent_and_received | none
    exclude_group: bool = True  # M5
    exclude_free: bool = True  # C3
    sync_internal: bool = False  # M4
    mail_since: int = 0  # M10: 0 is no limit
    paused: bool = False
    applied: str = ""  # M9: what the rules were when all that is stored was last judged
    caldav_url: str = ""  # where its calendars are found, "" when it has none
    caldav_username: str = ""  # "" for the mailbox's
    caldav_secret: str = ""  # where that password is kept, "" for the mailbox's
    meeting_policy: str = "both"  # C2: organizer | participant | both | none
    sync_internal_meetings: bool = False  # K7
    sync_private: bool = False  # K7: CLASS:PRIVATE and CONFIDENTIAL too
    meetings_applied: str = ""  # as `applied`, for meetings
    pin: str = ""  # SHA-256 of the mail server's certificate, where no authority vouches for it
    login_at: int = 0  # when the sign-in was last set; a running sync then signs in anew
    mail_level: int = 2  # V: Level
    meeting_level: int = 2  # V5: METADATA or EVERYTHING


class OwnAddress(SQLModel, table=True):
    """An address that is the user's own: the account's, or an alias."""

    __tablename__ = "own_address"
    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    address: str = Field(primary_key=True)


class InternalDomain(SQLModel, table=True):
    """A domain whose people are colleagues (M4), with its subdomains."""

    __tablename__ = "internal_domain"
    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    domain: str = Field(primary_key=True)


class Blocked(SQLModel, table=True):
    """A blocklist entry (M3): an address, or "@domain" with its subdomains."""

    __tablename__ = "blocklist"
    pattern: str = Field(primary_key=True)


class Allowed(SQLModel, table=True):
    """An exception from M4 to M7: mail of that sender, or one message, enters all the same."""

    __tablename__ = "allowlist"
    pattern: str = Field(primary_key=True)  # an address, "@domain", or "<Message-ID>"


class Chore(SQLModel, table=True):
    """Work on the file itself that is still to be done: "wipe" (V3), or of its copies."""

    name: str = Field(primary_key=True)


class Forgotten(SQLModel, table=True):
    """An address of which no trace may be kept, as a salted digest: "salt:digest" in hex."""

    digest: str = Field(primary_key=True)


class Remembered(SQLModel, table=True):
    """An address that was forgotten and let in again, as it was in `Forgotten`."""

    digest: str = Field(primary_key=True)
    at: int


class SyncState(SQLModel, table=True):
    """What an account's sync is doing, for the status line (S6)."""

    __tablename__ = "sync_state"
    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    # new | connecting | importing | checking | watching | waiting
    # | refused | untrusted | asking | stopped: its user can do something
    state: str = "new"
    done: int = 0  # messages of the import under way that are stored or in the ledger
    total: int = 0
    started_at: int = 0  # of the import under way, 0 when there is none
    last_success: int = 0
    next_try: int = 0
    error: str = ""  # in words, "" when the last pass went well
    hint: str = ""  # what to do about it
    bytes_received: int = 0
    calendar_error: str = ""  # of finding or reading the calendars, in words
    calendar_hint: str = ""
    calendar_success: int = 0
    miscounts_at: int = 0  # S3: when the server was found not to count all changes of flags


class Folder(SQLModel, table=True):
    """A mailbox folder on the server, and how far it was read.

    UIDs from `floor` up to and excluding `uidnext` are in the store or the ledger; an import goes
    down from the top until `floor` is 1.
    """

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    name: str  # decoded and made safe; no two of an account are alike (M15)
    role: str = (
        ""  # inbox | sent | archive | all | drafts | junk | trash | flagged | important | ""
    )
    selectable: bool = True
    selected: bool = True  # M1
    uidvalidity: int = 0  # 0: never opened
    uidnext: int = 0
    floor: int = 0
    modseq: int = 0
    messages: int = 0  # as the server counts them
    former: bool = False  # S4: as it was before its UIDVALIDITY changed, until that is confirmed
    wire: bytes = b""  # the name as the server spells it; "" before the first sync that keeps it
    suspects: str = ""  # M8: UIDs among which one makes the connection end, as JSON
    compared: int = 0  # how many were here when it was last compared with the server
    flags_at: int = 0  # when the flags of all messages were last read
    unseen: int = -1  # how many were unread on the server when it was last compared; -1: not told
    flags_failed: str = ""  # S11: UIDs whose flags the server failed to send, as JSON


class Unconfirmed(SQLModel, table=True):
    """What a server has stopped to list, while later runs have not said the same (M12)."""

    folder_id: int = Field(primary_key=True, foreign_key="folder.id", ondelete="CASCADE")
    # folder: it is not listed | messages: more than half of it | numbers: its UIDs were changed |
    # list: the server's counts and its list of messages do not agree
    kind: str = Field(primary_key=True)
    said: str = ""  # folder: the newest folder.id of then; messages: see believing.unlisted
    runs: int = 1  # that said so, in a row
    counted_at: int = 0  # when the last of them was counted


class Message(SQLModel, table=True):
    """One message, however many folders hold it (M11).

    `id` is `sent_at << 20 | hash`: newest first is descending id, in every table and in the
    search index, without a sort.
    """

    id: int = Field(primary_key=True)
    message_id: str = Field(unique=True)  # without <>; made up for a message that has none (M11)
    thread_id: int = Field(index=True)
    sent_at: int
    subject: str
    from_id: int | None = None  # address.id
    outgoing: bool = False  # From is an own address
    flags: int = 0  # Flag, over all placements
    size: int = 0
    attachments: int = 0
    preview: str = ""  # the first unquoted words
    refs: str = ""  # Message-IDs that it refers to, oldest first, space-separated
    loose_key: str = ""  # T2: base subject and participants, "" when too short to compare
    loose: bool = False  # T2: a reply without references
    sign: str = ""  # M5: the header that marks it as group mail
    orphaned_at: int = 0  # M12: pass in which its last placement vanished
    level: int = 2  # V: the Level at which it is here
    invitation: int = 0  # M6, for one that an exception lets in: 2 when only the text tells


class MessageText(SQLModel, table=True):
    """The readable text of a message, apart from its row; what the search index is built on."""

    __tablename__ = "message_text"
    message_id: int = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE")
    people: str  # names and addresses of all participants, to be found by
    text: str
    quotes: str = ""  # line spans of quoted text, "3-9,14-20": first line is 0, end excluded


class Placement(SQLModel, table=True):
    """Where a message lies on a server."""

    folder_id: int = Field(primary_key=True, foreign_key="folder.id", ondelete="CASCADE")
    uid: int = Field(primary_key=True)
    message_id: int = Field(foreign_key="message.id", ondelete="CASCADE", index=True)
    flags: int = 0  # Flag
    wanted: bool = False  # V3: to be fetched again at the account's level; 2: by the next pass


class Thread(SQLModel, table=True):
    """A conversation (rules.md T). Subject of its oldest message, date of its newest (T3)."""

    id: int | None = Field(default=None, primary_key=True)
    subject: str = ""
    first_at: int = 0
    last_at: int = 0
    last_id: int = 0  # message.id of the newest
    messages: int = 0
    unread: int = 0
    attachments: int = 0


class ThreadRef(SQLModel, table=True):
    """Which thread a Message-ID belongs to: of a message seen, or only mentioned (T1)."""

    __tablename__ = "thread_ref"
    mid: str = Field(primary_key=True)
    thread_id: int = Field(index=True)


class Address(SQLModel, table=True):
    """An e-mail address, and whose it is (C1)."""

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)  # lower case, domain in IDNA form
    site: str = Field(default="", index=True)  # registrable domain
    name: str = ""  # the newest usable display name (C4)
    name_at: int = 0  # message.id it was taken from
    written: bool = False  # I have written to it (M5)
    person_id: int | None = Field(
        default=None, foreign_key="person.id", ondelete="SET NULL", index=True
    )
    is_primary: bool = False  # of that person
    no_contact: str = ""  # C3: own | internal | group | blocked | free-mail | policy | deleted | ""


class Participant(SQLModel, table=True):
    """Who took part in a message, in which role."""

    message_id: int = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    address_id: int = Field(foreign_key="address.id", index=True)
    role: str  # from | to | cc | bcc | reply_to
    name: str = ""


class Attachment(SQLModel, table=True):
    """What a message carries; the bytes stay on the server until somebody opens it."""

    message_id: int = Field(primary_key=True, foreign_key="message.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    name: str
    mime: str
    size: int  # bytes, as encoded in the message
    inline: bool = False


class Person(SQLModel, table=True):
    """Somebody outside the house."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = ""
    name_by_hand: bool = False  # C4: then mail never changes it
    company_id: int | None = Field(
        default=None, foreign_key="company.id", ondelete="SET NULL", index=True
    )
    job: str = ""
    phone: str = ""
    links: str = ""  # one URL a line
    source: str = "mail"  # mail | calendar | hand
    created_at: int = 0
    deleted_at: int = 0  # C5: 0 while alive
    threads: int = 0
    first_at: int = 0
    last_at: int = 0


class Company(SQLModel, table=True):
    """An organisation, known by its domains (C5)."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = ""
    name_by_hand: bool = False
    links: str = ""
    source: str = "mail"
    created_at: int = 0
    deleted_at: int = 0
    threads: int = 0
    first_at: int = 0
    last_at: int = 0


class CompanyDomain(SQLModel, table=True):
    """A registrable domain and the company that it belongs to."""

    __tablename__ = "company_domain"
    domain: str = Field(primary_key=True)
    company_id: int = Field(foreign_key="company.id", ondelete="CASCADE", index=True)


class Opportunity(SQLModel, table=True):
    """A deal, made by hand, that mail gathers around through its company and its contact."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    company_id: int | None = Field(
        default=None, foreign_key="company.id", ondelete="SET NULL", index=True
    )
    contact_id: int | None = Field(
        default=None, foreign_key="person.id", ondelete="SET NULL", index=True
    )
    stage: str = "new"  # new | screening | meeting | proposal | won | lost
    amount: int = 0  # in minor units of `currency`
    currency: str = "EUR"
    closes_on: str = ""  # ISO date
    source: str = "hand"
    created_at: int = 0
    deleted_at: int = 0
    threads: int = 0
    first_at: int = 0
    last_at: int = 0


class ThreadLink(SQLModel, table=True):
    """A thread on a record's Emails tab (C7)."""

    __tablename__ = "thread_link"
    kind: int = Field(primary_key=True)  # Kind
    record_id: int = Field(primary_key=True)
    thread_id: int = Field(primary_key=True, foreign_key="thread.id", ondelete="CASCADE")
    last_at: int = 0  # the thread's
    why: str = (
        ""  # participant | people | domain | company | contact, joined by ","; "" by hand only
    )
    hand: int = 0  # 1: linked by hand, -1: hidden by hand, 0: automatic


class Skipped(SQLModel, table=True):
    """The ledger: a message that did not enter, with the one reason (rules.md M).

    `facts` is what the rules need to judge it again without the server: JSON
    `{"people": [[role, name, address], …], "sign": …, "invitation": …}`; invitation is 2 when only
    the text tells.
    """

    folder_id: int = Field(primary_key=True, foreign_key="folder.id", ondelete="CASCADE")
    uid: int = Field(primary_key=True)
    reason: str  # old | draft | blocked | internal | group | invitation | nobody | unreadable
    detail: str = ""  # what fired: "List-Id", "role:info", the blocked pattern, the error
    message_id: str = Field(default="", index=True)
    sent_at: int = 0
    subject: str = ""
    sender: str = Field(default="", index=True)  # From address
    size: int = 0
    flags: int = 0
    attempts: int = 0  # M8: passes in which it could not be read
    readmit: bool = False  # to be listed again, and fetched if it enters (M9)
    facts: str = ""
    level: int = 2  # V: the Level at which it was listed
    tried_at: int = 0  # M8: when the last attempt was, in ms
