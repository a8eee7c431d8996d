"""Finding the calendars of an account, from an address or from any URL of its server (RFC 6764)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urljoin, urlsplit

from crmmail.sync.dav import Dav, DavLogin, Fault, look_up, onward
from crmmail.sync.multistatus import Answer, Multistatus, address, canonical
from crmmail.sync.problems import BadAnswer, Problem, Refused
from crmmail.text import one_line

_CALENDAR = (
    "d:resourcetype",
    "d:displayname",
    "a:calendar-color",
    "c:supported-calendar-component-set",
    "d:sync-token",
    "s:getctag",
)
_WHERE = ("d:current-user-principal", "c:calendar-home-set")
_COLOR = re.compile("#[0-9A-Fa-f]{6}")
_WELL_KNOWN = "/.well-known/caldav"


@dataclass(frozen=True, slots=True)
class Listed:
    """A calendar as the server lists it, with what tells whether it changed."""

    url: str
    name: str
    color: str  # "#rrggbb", "" when it says none
    sync_token: str  # "" where the server has none
    ctag: str


@dataclass(frozen=True, slots=True)
class Home:
    """Where an account's calendars lie: ask there again, and they are all listed."""

    url: str
    username: str
    calendars: list[Listed]


def discover(
    email: str, urls: Sequence[str], usernames: Sequence[str], password: str, *, only: bool = False
) -> Home:
    """Try addresses one after the other, then, but for `only`, what the domain publishes.

    Raises the Problem of the first when none has calendars.
    """
    first: Problem | None = None
    for url in urls if only else (*urls, ""):
        try:
            if where := url or look_up(email):
                return _signed_in(where, usernames, password)
        except Problem as problem:
            first = first or problem
    raise first or BadAnswer(f"No calendar server is known for {email}.", "Give its address.")


def _signed_in(url: str, usernames: Sequence[str], password: str) -> Home:
    """The calendars at an address, as the first of these users that it takes."""
    for username in usernames:
        dav = Dav(DavLogin(url, username, password))
        try:
            return find(dav, url, username)
        except Refused:
            if username == usernames[-1]:
                raise
        finally:
            dav.close()
    raise BadAnswer("No user name is given.")


def find(dav: Dav, url: str, username: str = "") -> Home:
    """The calendars that an address leads to: a calendar, a home, a principal, a server's root."""
    problem: Problem | None = None
    for start in _starts(url):
        try:
            home = _from(dav, start, username)
        except Refused:
            raise
        except Problem as one:
            problem = problem or one
        else:
            if home.calendars:
                return home
            problem = problem or BadAnswer(
                f"{urlsplit(url).hostname} lists no calendar at this address.",
                "Give the address of the calendars themselves.",
            )
    raise problem or BadAnswer("There is no calendar.")


def listing(dav: Dav, url: str, depth: int = 1) -> list[Listed]:
    """The calendars for events in a collection, or with depth 0 the one that it is."""
    return list(_calendars(dav.propfind(url, *_CALENDAR, depth=depth)))


def _starts(url: str) -> list[str]:
    """Where to look: at the address itself; at a bare server, where RFC 6764 has it."""
    bare = urlsplit(url).path in ("", "/")
    return [urljoin(url, _WELL_KNOWN), urljoin(url, "/")] if bare else [url]


def _from(dav: Dav, url: str, username: str) -> Home:
    here = dav.propfind(url, *_CALENDAR, *_WHERE)
    if itself := list(_calendars(here)):
        return Home(itself[0].url, username, itself)
    principals = _addresses(here, "d:current-user-principal")
    homes = _addresses(here, "c:calendar-home-set")
    for principal in () if homes else principals:
        homes += _addresses(dav.propfind(principal, *_WHERE), "c:calendar-home-set")
    if not homes:
        return Home(here.url, username, listing(dav, here.url))
    found = [one for home in homes for one in listing(dav, home)]
    # With several homes, their principal is what leads to all of them again.
    return Home(homes[0] if len(homes) == 1 else (principals or [here.url])[0], username, found)


def again(dav: Dav, url: str, is_calendar: bool) -> list[Listed]:
    """The calendars at an address that find() gave: mostly one request."""
    if is_calendar:
        return listing(dav, url, 0)
    found = listing(dav, url)
    return found or find(dav, url).calendars


def gone(dav: Dav, url: str) -> bool:
    """Whether the server says that there is no such calendar any more."""
    try:
        return not listing(dav, url, 0)
    except Fault as problem:
        return problem.status in (404, 410)


def _addresses(answer: Multistatus, name: str) -> list[str]:
    hrefs = (href for one in answer.answers for href in one.hrefs(name))
    return [onward(answer.url, href) for href in hrefs]


def _calendars(answer: Multistatus) -> Iterator[Listed]:
    for one in answer.answers:
        if one.has("d:resourcetype", "c:calendar") and _has_events(one):
            color = _COLOR.match(one.text("a:calendar-color"))
            yield Listed(
                address(answer.url, one.href),
                one_line(one.text("d:displayname"), 200) or _last_name(one.href),
                color[0].lower() if color else "",
                one.text("d:sync-token"),
                one.text("s:getctag"),
            )


def _has_events(one: Answer) -> bool:
    """K1: a server that does not say what a calendar is for lets it hold events."""
    said = one.props.get("{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set")
    names = [] if said is None else [str(comp.get("name", "")).upper() for comp in said]
    return not names or "VEVENT" in names


def _last_name(href: str) -> str:
    return one_line(unquote(canonical(href).rstrip("/").rpartition("/")[2]), 200)
