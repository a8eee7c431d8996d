"""The numbers that stand in the store for words: apart from the tables, for those who only read."""

from __future__ import annotations

from enum import IntEnum, IntFlag


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
