"""Short letters for the sync tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

ME = "me@home.example"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def letter(
    number: int,
    *,
    sender: str = "Ann Lee <ann@acme.com>",
    to: str = ME,
    subject: str = "",
    refs: str = "",
    text: str = "",
    more: str = "",
    day: float | None = None,
) -> bytes:
    """A plain message with the Message-ID <number@test>, a day after the one before."""
    date = format_datetime(START + timedelta(days=number if day is None else day))
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject or f'Letter {number}'}",
        f"Date: {date}",
        f"Message-ID: <{number}@test>",
    ]
    if refs:
        lines += [f"References: {refs}", f"In-Reply-To: {refs.split()[-1]}"]
    if more:
        lines += more.splitlines()
    body = text or f"This is letter {number}."
    lines += ["Content-Type: text/plain; charset=utf-8", "", body, ""]
    return "\r\n".join(lines).encode()
