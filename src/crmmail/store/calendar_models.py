"""The tables of calendars and meetings (rules.md K); the rest of the schema is in models.py.

A resource of a calendar is kept as it came (`CalendarObject.raw`). The meetings are worked out
from all resources with one UID, whichever calendars hold them (K3), and can be at any time again.
"""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class Calendar(SQLModel, table=True):
    """A calendar on a server, and how far it was read; or a file that was imported."""

    id: int | None = Field(default=None, primary_key=True)
    account_id: int | None = Field(
        default=None, foreign_key="account.id", ondelete="CASCADE", index=True
    )  # None: imported from a file
    url: str  # of the collection, as the server spells it; "file:" and the name of a file
    name: str = ""
    color: str = ""  # "#rrggbb", "" when the server says none
    selected: bool = True  # K1
    sync_token: str = ""  # RFC 6578; "" where the server has none
    ctag: str = ""
    compared_at: int = 0  # when all ETags were last compared with the server's
    last_success: int = 0
    error: str = ""  # in words, "" when the last pass over it went well
    missing: str = ""  # M12: what the server does not list and is not believed to be gone, as JSON
    missing_runs: int = 0  # in how many runs in a row
    missing_at: int = 0  # when that was last counted
    failing: str = ""  # K8: resources that the server fails to send (calendar_failing.py), as JSON


class CalendarObject(SQLModel, table=True):
    """A resource of a calendar: all that it says about one UID.

    `reason` is "" when its meeting is in the store; else the row is its place in the ledger.
    """

    __tablename__ = "calendar_object"
    id: int | None = Field(default=None, primary_key=True)
    calendar_id: int = Field(foreign_key="calendar.id", ondelete="CASCADE")
    href: str  # path on the server
    etag: str = ""  # the server's; a hash of the text where it gives none
    uid: str = Field(default="", index=True)
    raw: str = ""  # the iCalendar text; below `everything` without what V5 hides
    # unreadable | endless | empty | old | later | private | blocked | nobody | internal | forgotten
    reason: str = ""
    detail: str = ""  # what exactly: the parser's words, the rule
    title: str = ""  # for the ledger
    starts_at: int = 0  # of its first occurrence, for the ledger
    expanded_to: int = 0  # K2: its occurrences are known up to here; 0: it does not recur


class Meeting(SQLModel, table=True):
    """A meeting, or one changed occurrence of a series (K3: UID and RECURRENCE-ID)."""

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    recurrence_id: str = ""  # "" for a series or a single meeting, else e.g. 20260314T080000Z
    object_id: int | None = Field(
        default=None, foreign_key="calendar_object.id", ondelete="SET NULL", index=True
    )  # the copy that it was taken from
    title: str = ""
    location: str = ""
    description: str = ""  # plain text
    link: str = ""  # K6: where it is held online
    people: str = ""  # names and addresses of all attendees, to be found by
    organizer_id: int | None = None  # address.id
    tzid: str = ""  # IANA name of the organiser's zone, "" for UTC, all-day and floating times
    all_day: bool = False  # then times are UTC midnights of its days
    recurrence: str = ""  # in words: "every week on Monday"
    first_at: int = 0  # start of its first occurrence
    last_at: int = 0  # start of its last one inside the window


class Occurrence(SQLModel, table=True):
    """One time at which a meeting takes place (K2)."""

    id: int | None = Field(default=None, primary_key=True)
    meeting_id: int = Field(foreign_key="meeting.id", ondelete="CASCADE")
    original_at: int  # where the series has it, before it was moved: with the UID its identity
    starts_at: int = Field(index=True)
    ends_at: int
    cancelled: bool = False  # K4


class Attendee(SQLModel, table=True):
    """Who is invited to a meeting, and what they answered (K5)."""

    meeting_id: int = Field(primary_key=True, foreign_key="meeting.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    address_id: int = Field(foreign_key="address.id", index=True)
    name: str = ""
    role: str = ""  # chair | required | optional | informed
    response: str = ""  # accepted | declined | tentative | delegated | needs-action
    kind: str = "individual"  # individual | group | room | resource
    organizer: bool = False


class MeetingLink(SQLModel, table=True):
    """A meeting on a record's Calendar tab (C7), as ThreadLink is a thread on its Emails tab."""

    __tablename__ = "meeting_link"
    kind: int = Field(primary_key=True)  # Kind
    record_id: int = Field(primary_key=True)
    meeting_id: int = Field(
        primary_key=True, foreign_key="meeting.id", ondelete="CASCADE", index=True
    )
    why: str = ""  # participant | people | domain | company | contact, joined by ","
    hand: int = 0  # 1: linked by hand, -1: hidden by hand, 0: automatic
