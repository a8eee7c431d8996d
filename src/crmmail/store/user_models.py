"""The tables of what the user did: notes, edits, manual links, changed rules (rules.md C).

No server can give this back. The rest of the schema is in models.py.
"""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class Note(SQLModel, table=True):
    """What the user wrote about a record."""

    id: int | None = Field(default=None, primary_key=True)
    kind: int
    record_id: int
    text: str
    created_at: int
    changed_at: int


class RecordChange(SQLModel, table=True):
    """What the user has changed about a record, for its timeline (store/changes.py)."""

    __tablename__ = "record_change"
    id: int | None = Field(default=None, primary_key=True)
    kind: int
    record_id: int
    at: int
    field: str  # a column, or: address | primary | domain | merged | deleted
    old: str = ""  # of a reference: the number of the record
    new: str = ""


class ManualLink(SQLModel, table=True):
    """What the user said of a record and a conversation, or a meeting (C7): see store/manual.py.

    No removal of messages or meetings touches it; `hand` in the tables of links follows it.
    """

    __tablename__ = "manual_link"
    target: int = Field(primary_key=True)  # 1: thread, 2: meeting
    key: int = Field(primary_key=True)  # digest of a Message-ID, or of a meeting's UID
    kind: int = Field(primary_key=True)  # Kind
    record_id: int = Field(primary_key=True)
    hand: int  # 1: linked by hand, -1: hidden by hand
    at: int  # when, in milliseconds: the latest decides


class FormerId(SQLModel, table=True):
    """The number that a thread or a meeting had that is not here now: see store/former.py."""

    __tablename__ = "former_id"
    target: int = Field(primary_key=True)  # 1: thread, 2: meeting
    key: int = Field(primary_key=True)  # digest of a Message-ID, or of UID and RECURRENCE-ID
    id: int
    uid_key: int = 0  # of a meeting: digest of its UID


class RuleChange(SQLModel, table=True):
    """A rule that was changed and not set back yet, or is to be taken back: see rule_changes.py."""

    __tablename__ = "rule_change"
    id: int | None = Field(default=None, primary_key=True)
    setting: str  # a column of the account, or: folder | calendar | alias | internal | …
    key: int  # digest of the entry, of a setting that is a list
    account_id: int | None = Field(
        default=None, foreign_key="account.id", ondelete="CASCADE"
    )  # None: of all accounts
    before: str  # what it was
    person_mark: int  # the newest person when it was changed
    company_mark: int
    undone: bool = False  # set back: what it made is to go
