"""Real mail, odd mail, hostile mail: 4,500 messages of other projects, read without a scratch.

The files are no part of this repository (see its README); without them these tests are skipped.
"""

from __future__ import annotations

import calendar
import json
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from crmmail import addresses
from crmmail.sync.message import Body, Header, Unreadable, parse_body, parse_header
from crmmail.text import one_line

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
RECEIVED = 4_000_000_000  # later than any of these messages
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# What there is to read, at least, in a set: the rest are empty, or files and pictures only.
READABLE = {
    "spamassassin": 0.998,
    "bounces": 1.0,
    "stalwart": 0.89,
    "ruby-mail": 0.88,
    "rspamd": 0.83,
}

# Where we read a message of stalwart's set otherwise on purpose: field -> messages.
RAW_8BIT = "legacy/010 legacy/017 legacy/020 legacy/022 legacy/027 legacy/052"
READ_OTHERWISE = (
    "malformed/001 malformed/002 malformed/003 malformed/004 malformed/005 malformed/006 "
    "malformed/010 malformed/012 malformed/019 thirdparty/007 thirdparty/012"
)
KNOWN = {
    # Charsets of raw 8-bit headers are guessed, not replaced by U+FFFD.
    "subject": set(RAW_8BIT.split()) - {"legacy/017"},
    "names": set(RAW_8BIT.split()),
    # Its first Date cannot be read, and we take no second.
    "date": {"malformed/019"},
    # Embedded messages are read, and bodies whose boundary is wrong, where there is no other text;
    # of 005 (boundary "a----" inside "a--") we see less.
    "text": set(READ_OTHERWISE.split()),
}


@lru_cache(maxsize=5)
def messages(corpus: str) -> list[tuple[str, bytes]]:
    """Name and bytes of every message of a set."""
    kinds = (".eml", ".txt", "sample_output_multipart")
    return [(name, data) for name, data in files(corpus) if name.endswith(kinds)]


def files(corpus: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of a set."""
    path = CORPORA / f"{corpus}.zip"
    if not path.exists():
        pytest.skip(f"The test mail {corpus}.zip is not beside this repository (shared/corpora).")
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield info.filename, archive.read(info)


def read(data: bytes) -> tuple[Header, Body | None]:
    """A message as the sync reads it; no body where it is unreadable."""
    try:
        return parse_header(data, RECEIVED), parse_body(data)
    except Unreadable:
        return parse_header(data, RECEIVED), None


def strings(header: Header, body: Body) -> Iterator[str]:
    """Every string that goes on to the store."""
    yield from (header.message_id, header.subject, header.sign, *header.refs)
    for one in header.participants:
        yield from (one.name, one.address)
    yield from (body.text.replace("\n", ""), body.preview)
    for part in body.attachments:
        yield from (part.name, part.mime)


def unsafe(text: str) -> set[str]:
    """Characters that a terminal would obey."""
    return {one for one in set(text) if unicodedata.category(one) in ("Cc", "Cs") or one in BIDI}


@pytest.mark.parametrize("corpus", READABLE)
def test_every_message_is_read(corpus: str) -> None:
    readable, slow, dirty, unreadable = 0, [], [], []
    for name, data in messages(corpus):
        started = time.thread_time()
        header, body = read(data)
        if time.thread_time() - started > 1:
            slow.append(name)
        assert header.message_id
        assert 0 < header.sent_at <= RECEIVED + 86_400
        if body is None:
            unreadable.append(name)
            continue
        readable += bool(body.text.strip())
        if any(map(unsafe, strings(header, body))):
            dirty.append(name)
        lines = body.text.count("\n") + 1
        assert all(0 <= start < end <= lines for start, end in body.quotes), name
        assert len(body.text.encode()) <= 262_144
        assert not body.text.strip() or body.preview, name
    total = len(messages(corpus))
    print(f"{corpus}: {readable / total:.3%} of {total} have text")
    assert (slow, dirty) == ([], [])
    assert len(unreadable) <= 1  # one of ruby-mail's files has no byte in it
    assert readable / total >= READABLE[corpus]


def test_the_same_bytes_read_the_same() -> None:
    for _, data in messages("stalwart"):
        assert read(data) == read(data)


def test_line_ends_make_no_difference() -> None:
    """The same bounces with the line ends LF, CRLF and CR."""
    bounces = dict(messages("bounces"))
    compared = 0
    for name, data in bounces.items():
        for folder in ("dos", "mac"):
            twin = bounces.get(name.replace("/bsd/", f"/{folder}/"))
            if "/bsd/" not in name or twin is None or lines_of(twin) != lines_of(data):
                continue
            header, body = read(data)
            other, other_body = read(twin)
            assert body is not None
            assert other_body is not None
            assert (other, other_body.text) == (header, body.text), (name, folder)
            compared += 1
    assert compared > 20


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a file, however they end."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip().split(b"\n")


class TestStalwart:
    """Messages with the parse that stalwartlabs/mail-parser expects of them."""

    def test_subject(self) -> None:
        def wanted(fields: dict[str, list[Any]]) -> str | None:
            value = fields.get("subject", [None])[0]
            return one_line(value["Text"]) if isinstance(value, dict) else None

        assert differing(wanted, lambda header, _: header.subject) == KNOWN["subject"]

    @pytest.mark.parametrize("role", ["from", "to", "cc", "bcc"])
    def test_addresses(self, role: str) -> None:
        def wanted(fields: dict[str, list[Any]]) -> set[str] | None:
            found = {addresses.normal(address) for _, address in mailboxes(fields, role)}
            return found - {""} if role in fields else None

        def ours(header: Header, _: Body | None) -> set[str]:
            return {one.address for one in header.participants if one.role == role}

        assert differing(wanted, ours) == set()

    def test_names_of_recipients(self) -> None:
        def wanted(fields: dict[str, list[Any]]) -> set[str] | None:
            found = mailboxes(fields, "to")
            return {
                one_line(name).strip(" '\"")
                for name, address in found
                if name and addresses.normal(address) not in ("", name.lower())
            }

        def ours(header: Header, _: Body | None) -> set[str]:
            return {one.name for one in header.participants if one.role == "to" and one.name}

        assert differing(wanted, ours) == KNOWN["names"]

    def test_date(self) -> None:
        def wanted(fields: dict[str, list[Any]]) -> int | None:
            value = fields.get("date", [None])[0]
            moment = epoch(value["DateTime"]) if isinstance(value, dict) else 0
            return moment if moment > 631_152_000 else None

        assert differing(wanted, lambda header, _: header.sent_at) == KNOWN["date"]

    def test_whether_there_is_text(self) -> None:
        def wanted(fields: dict[str, list[Any]]) -> bool:
            return bool("".join(fields["texts"]).strip())

        def ours(_: Header, body: Body | None) -> bool:
            return body is not None and bool(body.text.strip())

        assert differing(wanted, ours) == KNOWN["text"]


def differing(wanted: Any, ours: Any) -> set[str]:
    """The messages of stalwart's set where the two disagree."""
    found = set()
    for name, data in messages("stalwart"):
        expected = wanted(expectations()[name.removesuffix(".eml")])
        if expected is not None and expected != ours(*read(data)):
            found.add(name.removesuffix(".eml"))
    return found


@lru_cache(maxsize=1)
def expectations() -> dict[str, dict[str, list[Any]]]:
    """Per message: the values of each header field, and its texts."""
    found = {}
    for name, data in files("stalwart"):
        if not name.endswith(".json") or name.endswith(".crlf.json"):
            continue
        parsed = json.loads(data)
        fields: dict[str, list[Any]] = {}
        for one in parsed["parts"][0]["headers"]:
            if isinstance(one["name"], str):
                fields.setdefault(one["name"], []).append(one["value"])
        bodies = [parsed["parts"][place]["body"] for place in parsed["text_body"]]
        fields["texts"] = [
            one.get("Text") or one.get("Html") or "" for one in bodies if isinstance(one, dict)
        ]
        found[name.removesuffix(".json")] = fields
    return found


def mailboxes(fields: dict[str, list[Any]], role: str) -> list[tuple[str, str]]:
    """The (name, address) pairs that stalwart found in a field."""
    found: list[tuple[str, str]] = []
    for value in fields.get(role, []):
        written = value.get("Address") if isinstance(value, dict) else None
        if not written:
            continue
        groups = written.get("Group") or [{"addresses": written["List"]}]
        found += [
            (one.get("name") or "", one.get("address") or "")
            for group in groups
            for one in group["addresses"]
        ]
    return found


def epoch(value: dict[str, Any]) -> int:
    """Seconds since 1970 of a date with its offset from GMT."""
    parts = [value[name] for name in ("year", "month", "day", "hour", "minute", "second")]
    offset = (value["tz_hour"] * 60 + value["tz_minute"]) * 60
    return calendar.timegm(tuple(parts)) + (offset if value["tz_before_gmt"] else -offset)
