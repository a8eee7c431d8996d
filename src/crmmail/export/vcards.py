"""People as vCards, version 4 (RFC 6350)."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Iterator

from crmmail.store import notes, people
from crmmail.store.kinds import Kind
from crmmail.store.people import PersonDetail

_OCTETS = 75  # a line has at most so many before it is folded
_ESCAPED = re.compile(r"[\\,;]")


def cards(db: sqlite3.Connection) -> Iterator[str]:
    """A vCard for every live person, by name, each with its line ends (CRLF)."""
    for person_id in people.view(db, "name"):
        if (person := people.get(db, person_id)) is not None:
            said = [note.text for note in notes.of_record(db, Kind.PERSON, person_id)]
            yield card(person, said)


def card(person: PersonDetail, said: list[str]) -> str:
    """One person, with the notes about them."""
    return "".join(f"{_folded(line)}\r\n" for line in _lines(person, said))


def _lines(person: PersonDetail, said: list[str]) -> Iterator[str]:
    known_by = person.addresses[0] if person.addresses else f"person {person.id}"
    first, _, last = person.name.rpartition(" ")
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    # The same person has the same UID in every export: programs update instead of doubling.
    yield f"UID:{uuid.uuid5(uuid.NAMESPACE_URL, f'mailto:{known_by}').urn}"
    yield f"FN:{_escaped(person.name)}"
    yield f"N:{_escaped(last)};{_escaped(first)};;;"
    for position, address in enumerate(person.addresses):
        preference = f";PREF={min(position + 1, 100)}" if len(person.addresses) > 1 else ""
        yield f"EMAIL{preference}:{_escaped(address)}"
    if person.phone:
        yield f"TEL:{_escaped(person.phone)}"
    if person.company:
        yield f"ORG:{_escaped(person.company)}"
    if person.job:
        yield f"TITLE:{_escaped(person.job)}"
    yield from (f"URL:{link}" for link in person.links.split())
    yield from (f"NOTE:{_escaped(text)}" for text in said)
    yield "END:VCARD"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda sign: f"\\{sign[0]}", text).replace("\n", "\\n")


def _folded(line: str) -> str:
    """A line in pieces of at most 75 octets, no character cut in two (RFC 6350, 3.2)."""
    pieces, piece, octets = [], "", 0
    for character in line:
        width = len(character.encode("utf-8", "replace"))
        if octets + width > _OCTETS:
            pieces.append(piece)
            piece, octets = " ", 1
        piece += character
        octets += width
    return "\r\n".join([*pieces, piece])
