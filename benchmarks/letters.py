"""One message as it is meant, before it has bytes: what the renderer and the truth both read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

ROLES = ("from", "to", "cc", "bcc", "reply_to")


class Name(NamedTuple):
    """A display name as it stands in a header, and as C4 should read it ("" when unusable)."""

    shown: str = ""
    meant: str = ""


class Who(NamedTuple):
    """Somebody in a header of one letter."""

    role: str  # from | to | cc | bcc | reply_to
    address: str  # as it is compared (C1)
    written: str  # as it stands in the header
    name: Name


class Placed(NamedTuple):
    """A folder that holds the letter, with its flags there."""

    folder: str
    flags: tuple[str, ...] = ("\\Seen",)


class Attached(NamedTuple):
    """A file that comes with a letter; `kind` is file, ics (no METHOD) or message."""

    name: str
    mime: str
    size: int
    kind: str = "file"


@dataclass(slots=True, eq=False)
class Letter:
    """A message with everything that decides where it ends up."""

    sent_at: int  # what the rules should take it for
    received_at: int
    who: tuple[Who, ...] = ()
    message_id: str = ""  # without <>; "" for none
    references: tuple[str, ...] = ()
    in_reply_to: str = ""
    base: str = ""  # the subject without reply prefixes
    prefix: str = ""  # "Re: ", "AW: RE: " …
    marks: tuple[tuple[str, str], ...] = ()  # headers that make it group mail, or look like it
    loose_headers: tuple[tuple[str, str], ...] = ()  # address headers without a usable address
    invitation: str = ""  # top | nested | nested-bare (METHOD in the calendar only)
    shape: str = "plain"  # plain | alternative | html | newsletter
    language: str = "en"
    charset: str = "utf-8"
    date: str = "good"  # good | missing | garbage | future | ancient: the Date header
    zone: int = 0  # minutes east
    length: int = 600  # characters of own text
    logo: int = 0  # bytes of an inline picture
    attached: tuple[Attached, ...] = ()
    parent: Letter | None = None  # whose text is quoted
    placed: tuple[Placed, ...] = ()
    number: int = 0

    @property
    def subject(self) -> str:
        """The decoded Subject."""
        return self.prefix + self.base

    @property
    def key(self) -> str:
        """What tells it from every other letter: its Message-ID, else its (unique) subject."""
        return self.message_id or f"subject:{self.subject}"

    @property
    def sender(self) -> str:
        """The From address, "" when there is no usable one."""
        return next((who.address for who in self.who if who.role == "from"), "")

    @property
    def addresses(self) -> set[str]:
        """Every usable address of the letter."""
        return {who.address for who in self.who}
