"""The numbers that stand in the store for words: apart from the tables, for those who only read."""

from __future__ import annotations

from enum import IntEnum, IntFlag

MADE_UP = "@crmmail.invalid"
"""How the Message-ID ends that is made up for a message without one (M11)."""


class Kind(IntEnum):
    """What a link points to."""

    PERSON = 1
    COMPANY = 2
    OPPORTUNITY = 3


class Flag(IntFlag):
    """The IMAP system flags of a placement (RFC 9051, 2.3.2)."""

    SEEN = 1
    FLAGGED = 2
    ANSWERED = 4
    DRAFT = 8
    DELETED = 16


class Level(IntEnum):
    """How much of mail is kept (rules.md V): who and when; the subject too; the text too."""

    METADATA = 0
    SUBJECT = 1
    EVERYTHING = 2
