"""MIME as mail programs make it, the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.charset import BASE64, QP, Charset
from email.header import Header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from hashlib import sha256

from crmmail.demo.files import MIME, content

_POLICY = compat32.clone(linesep="\r\n", mangle_from_=False)


def stable(seed: str) -> str:
    """Twenty hex digits that stand for a text."""
    return sha256(seed.encode()).hexdigest()[:20]


def to_bytes(message: Message) -> bytes:
    """The message as it goes over the wire."""
    return message.as_bytes(policy=_POLICY)


def set_header(message: Message, name: str, value: str) -> None:
    """Add a header line, encoded if it must be."""
    message[name] = value if value.isascii() else Header(value, "utf-8").encode()


def text_part(text: str, subtype: str, charset: str = "utf-8", *, base64: bool = False) -> MIMEText:
    """A text part; in UTF-8 where the wished charset lacks a character of it."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    if charset == "utf-8" and not text.isascii():
        encoded = Charset("utf-8")
        encoded.body_encoding = BASE64 if base64 else QP
        part = MIMEText("", subtype)
        del part["Content-Transfer-Encoding"], part["Content-Type"], part["MIME-Version"]
        part["MIME-Version"] = "1.0"
        part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
        part.set_payload(text, encoded)
        return part
    return MIMEText(text, subtype, "us-ascii" if charset == "utf-8" else charset)


def multipart(subtype: str, seed: str) -> MIMEMultipart:
    """An empty multipart with a boundary that is the same every time."""
    return MIMEMultipart(subtype, boundary=f"=_{stable(subtype + seed)}")


def attach(message: Message, names: Sequence[str]) -> None:
    """Add the files of these names."""
    for name in names:
        kind, _, subtype = MIME[name.rpartition(".")[2]].partition("/")
        part = MIMEApplication(content(name), subtype)
        part.replace_header("Content-Type", f"{kind}/{subtype}")
        part.add_header("Content-Disposition", "attachment", filename=name)
        message.attach(part)


def meeting_request(
    uid: str, title: str, organizer: str, sent_at: datetime, start: datetime, minutes: int
) -> MIMEText:
    """The text/calendar part of an invitation (iMIP)."""
    times = [one.astimezone(UTC) for one in (sent_at, start, start + timedelta(minutes=minutes))]
    stamp, begin, end = (f"{one:%Y%m%dT%H%M%SZ}" for one in times)
    name, _, address = organizer.partition(" <")
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Desk Mail//16//EN",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{stamp}",
        f"DTSTART:{begin}",
        f"DTEND:{end}",
        "SUMMARY:" + title.replace(",", "\\,"),
        f'ORGANIZER;CN="{name}":mailto:{address.rstrip(">")}',
        "ATTENDEE;RSVP=TRUE:mailto:mira@quietrooms.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    part = text_part("\r\n".join(lines), "calendar")
    part.set_param("method", "REQUEST")
    return part
