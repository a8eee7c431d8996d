"""What passes between the screen that sets up an account and the app: entries, findings, words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets import Input, Label

from crmmail.errors import CrmmailError
from crmmail.screens.undo import FieldError
from crmmail.widgets.pieces import safe
from crmmail.widgets.words import plural

if TYPE_CHECKING:
    from crmmail.accounts.discovery import Found


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed."""

    email: str
    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    command: str = ""
    variable: str = ""
    pin: str = ""
    oauth: str = ""
    """Who lets the user in in the browser, in place of a password."""
    known: bool = False
    """The account is there, and signed in to again."""
    secret: str = ""
    """Where its password is, when that stays as it is."""
    once: bool = False
    """The password is for this run only: there is no keyring to keep it in."""


@dataclass
class LookUp(Message):
    """The user has typed an address: where may its mail be?"""

    asker: MessagePump
    email: str


@dataclass
class LookedUp(Message):
    """What was found for an address so far; None when nothing more is coming."""

    email: str
    found: Found | None


@dataclass(frozen=True, slots=True)
class CalendarsFound:
    """Where the same password opens calendars too."""

    url: str
    username: str
    calendars: tuple[tuple[str, str, str], ...]  # url, name, color


@dataclass
class SignUp(Message):
    """The user wants to try an account, or, with `save`, to have it."""

    asker: MessagePump
    entry: Entry
    save: bool
    calendars: CalendarsFound | str = ""
    """Or, in words, why there are none."""
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class BrowserWanted(Message):
    """The user has to sign in at an address, in the browser."""

    title: str
    url: str


@dataclass
class SignedUp(Message):
    """How that went: the folders with their counts, or what is wrong with which field."""

    wanted: SignUp
    folders: tuple[tuple[str, str, int], ...] = ()
    calendars: CalendarsFound | str = ""
    problem: CrmmailError | None = None
    fingerprint: str = ""
    """Of the certificate that the user may trust, which no known authority has signed."""


@dataclass
class DemoWanted(Message):
    """The user wants to look around first."""


@dataclass
class KeyringFound(Message):
    """Whether this machine can keep a password; if not, why."""

    problem: str


class Field(Horizontal):
    """A name, a line to type in, and below it what is wrong with it."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        layout: grid;
        grid-size: 2;
        grid-columns: 20 1fr;
        grid-rows: auto;
        Label { color: $foreground 60%; }
        Input { background: $panel; max-width: 60; }
        Input:focus { background: $primary 30%; }
        .wrong { display: none; column-span: 2; padding-left: 20; color: $error; width: 100%; }
        &.-wrong .wrong { display: block; }
        &.-hidden { display: none; }
    }
    """

    def __init__(self, name: str, words: str, hint: str = "", password: bool = False) -> None:
        super().__init__(id=f"field-{name}")
        self.field = name
        self._words = words
        self._hint = hint
        self._password = password

    def compose(self) -> Iterator[Widget]:
        yield Label(self._words, markup=False)
        line = Input(placeholder=self._hint, password=self._password, compact=True)
        line.cursor_blink = False
        yield line
        yield Label("", markup=False, classes="wrong")

    @property
    def input(self) -> Input:
        """The line to type in."""
        return self.query_one(Input)

    def complain(self, words: str = "") -> None:
        """Say what is wrong; nothing is, without words."""
        self.query_one(".wrong", Label).update(Content(safe(words)))
        self.set_class(bool(words), "-wrong")


def account_secret(secret: str) -> tuple[str, str]:
    """The field of the form that says where a password is, and what it says; "" for others."""
    from crmmail.accounts import credentials

    if variable := credentials.variable_of(secret):
        return "variable", variable
    if command := credentials.command_of(secret):
        return "command", command
    return "", ""


def told(found: Found) -> str:
    """A server that was found, in words."""
    place = found.provider
    words = f"Found {found.origin}: {place.host}:{place.port}, {place.security}."
    if not found.sure:
        words += " It is only a guess: check it."
    return f"{words} {place.note}".strip()


def server(typed: str) -> tuple[str, int]:
    """Host and port as typed, or a FieldError."""
    host, _, port = typed.rpartition(":") if ":" in typed else (typed, ":", "993")
    if not host or any(c.isspace() or c in "/@" for c in host):
        raise FieldError("server", "This is not a server.", "Example: imap.example.org:993")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        raise FieldError("server", f"{port!r} is not a port.", "Mostly it is 993.")
    return host.strip("[]"), int(port)


def folder_lines(folders: tuple[tuple[str, str, int], ...]) -> Iterator[str]:
    """The biggest folders, a line each, and what is left."""
    biggest = sorted(folders, key=lambda folder: -folder[2])
    for name, role, count in biggest[:5]:
        yield f"  {count:>9,}  {safe(name)}" + (f"  ({role})" if role else "")
    if len(folders) > 5:
        yield f"  {sum(count for _, _, count in biggest[5:]):>9,}  in {len(folders) - 5} more"


def calendar_line(found: CalendarsFound | str) -> str:
    """What the same password opens besides the mail."""
    if isinstance(found, str):
        return f"No calendars: {safe(found)} They can be added later."
    names = ", ".join(safe(name) for _, name, _ in found.calendars)
    return f"{plural(len(found.calendars), 'calendar')}: {names}"
