"""Who is asked to a meeting, and what they answered (rules.md K5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from crmmail.addresses import domain_of, normal
from crmmail.sync.ical import Component, Line
from crmmail.sync.parsed import Attendee
from crmmail.text import one_line

_ROLES = {"CHAIR": "chair", "OPT-PARTICIPANT": "optional", "NON-PARTICIPANT": "informed"}
_RESPONSES = {"ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"}
_KINDS = {"GROUP", "ROOM", "RESOURCE"}
# Domains of addresses that are nobody's.
_THINGS = {
    "resource.calendar.google.com": "room",
    "group.calendar.google.com": "group",
    "group.v.calendar.google.com": "group",
    "import.calendar.google.com": "group",
}


def attendees(event: Component) -> tuple[Attendee, ...]:
    """Everybody with an address, each once, the organizer first."""
    found: dict[str, Attendee] = {}
    for one in _all(event):
        known = found.get(one.address)
        if known is None:
            found[one.address] = one
        elif known.organizer and not known.response:  # the organizer, as an attendee too
            found[one.address] = replace(one, name=one.name or known.name, organizer=True)
    return tuple(found.values())


def _all(event: Component) -> Iterator[Attendee]:
    for line in event.all("ORGANIZER"):
        if address := _address(line):
            yield Attendee(address, _name(line), "chair", "", _kind(line, address), organizer=True)
            break
    for line in event.all("ATTENDEE"):
        if address := _address(line):
            response = line.params.get("PARTSTAT", "").upper()
            yield Attendee(
                address,
                _name(line),
                _ROLES.get(line.params.get("ROLE", "").upper(), "required"),
                response.lower() if response in _RESPONSES else "needs-action",
                _kind(line, address),
            )


def _address(line: Line) -> str:
    """The address of a person: Apple has it in a parameter and a path as the value."""
    for text in (line.params.get("EMAIL", ""), line.value.strip(), line.params.get("X-EMAIL", "")):
        scheme, _, rest = text.strip().partition(":")
        bare = unquote(rest).partition("?")[0] if scheme.lower() == "mailto" else text
        if address := normal(bare.strip().strip("<>")):
            return address
    return ""


def _name(line: Line) -> str:
    return one_line(line.params.get("CN", ""), 200).strip(" '\"")


def _kind(line: Line, address: str) -> str:
    kind = line.params.get("CUTYPE", "").upper()
    return kind.lower() if kind in _KINDS else _THINGS.get(domain_of(address), "individual")
