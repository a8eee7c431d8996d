"""Newsletters, notifications, lists and junk of the sample mailbox. Read from data/bulk.txt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import Message
from email.utils import format_datetime, formataddr, parseaddr
from html import escape

from crmmail.demo.parts import attach, multipart, set_header, stable, text_part, to_bytes

_TO = formataddr(("Mira Castellan", "mira@quietrooms.example"))


@dataclass(slots=True)
class Series:
    """One sender, its rhythm, and its issues."""

    name: str
    address: str
    every: int
    first: int
    clock: str
    headers: list[tuple[str, str]]
    how: str
    issues: list[tuple[str, str]] = field(default_factory=list)

    def written(self, now: datetime) -> Iterator[tuple[datetime, bytes]]:
        """All issues that were sent by now, oldest first."""
        hour, minute = (int(part) for part in self.clock.split(":"))
        start = (now - timedelta(days=self.first)).replace(hour=hour, minute=minute, second=0)
        issues = itertools.cycle(self.issues) if "cycle" in self.how else iter(self.issues)
        for number, (subject, text) in enumerate(issues):
            sent_at = start + timedelta(days=number * self.every)
            if sent_at >= now - timedelta(minutes=10):
                return
            yield sent_at, self._message(number, subject, text, sent_at)

    def _message(self, number: int, subject: str, text: str, sent_at: datetime) -> bytes:
        seed = f"{self.address}{number}"
        message = self._body(seed, subject, text)
        sender, recipient = formataddr((self.name, self.address)), _TO
        if self.how.startswith("by "):
            members = [parseaddr(one) for one in self.how.removeprefix("by ").split(";")]
            sender, recipient = formataddr(members[number % len(members)]), sender
        message["From"], message["To"] = sender, recipient
        set_header(message, "Subject", subject)
        message["Date"] = format_datetime(sent_at)
        message["Message-ID"] = f"<{stable(seed)}@{self.address.partition('@')[2]}>"
        for header, value in self.headers:
            message[header] = value
        return to_bytes(message)

    def _body(self, seed: str, subject: str, text: str) -> Message:
        if self.how == "htmlonly":
            return text_part(self._page(subject, text), "html")
        plain = text_part(f"{text}\n", "plain")
        if self.how == "html":
            both = multipart("alternative", seed)
            both.attach(plain)
            both.attach(text_part(self._page(subject, text), "html", base64=True))
            return both
        if self.how.startswith("pdf"):
            mixed = multipart("mixed", seed)
            mixed.attach(plain)
            attach(mixed, [f"{self.name.replace(' ', '_')}_{stable(seed)[:5]}.pdf"])
            return mixed
        return plain

    def _page(self, subject: str, text: str) -> str:
        site = self.address.partition("@")[2]
        return f"""<html><head><title>{escape(subject)}</title><style>td {{ padding: 12px }}</style>
</head><body><table width="600"><tr><td><h1>{escape(self.name)}</h1></td></tr>
<tr><td><h2>{escape(subject)}</h2><p>{escape(text)}</p>
<p><a href="https://{site}/read">Read on</a></p></td></tr>
<tr><td><small>You get this because you asked for it, once.
<a href="https://{site}/unsubscribe">Unsubscribe</a></small>
<img src="https://{site}/seen.png" width="1" height="1"></td></tr></table></body></html>
"""


def all_series(lines: list[str]) -> list[Series]:
    """The series of data/bulk.txt."""
    series = list[Series]()
    for line in lines:
        if line.startswith("@@ "):
            name, address, rhythm, headers, how = (part.strip() for part in line[3:].split("|"))
            every, first, clock = rhythm.split()
            pairs = [one.split(": ", 1) for one in headers.split("; ") if ": " in one]
            extra = [(header, value) for header, value in pairs]
            series.append(Series(name, address, int(every), int(first), clock, extra, how))
        elif line.strip():
            subject, text = line.split(" | ", 1)
            series[-1].issues.append((subject, text))
    return series
