"""One calendar on its server: what it lists, what changed since a token, its resources whole."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from dataclasses import dataclass

from crmmail.sync import multistatus
from crmmail.sync.dav import Dav, Fault
from crmmail.sync.meetings import Resource
from crmmail.sync.multistatus import canonical
from crmmail.sync.problems import BadAnswer

_GONE = (404, 410)
_FEW = 3
_FULL = 507  # there is more than the server tells at once (RFC 6578, 3.6)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a server says has happened since a token."""

    etags: dict[str, str]  # of what is new or changed, by path
    gone: set[str]
    token: str  # that goes on from here
    more: bool  # ask again with the new token


def everything(dav: Dav, url: str) -> dict[str, str]:
    """The ETag of every resource by its path, "" where the server gives none."""
    found = dav.propfind(url, "d:getetag", "d:resourcetype", depth=1)
    itself = canonical(url).rstrip("/")
    return {
        one.href: one.text("d:getetag")
        for one in found.answers
        if one.href.rstrip("/") != itself and not one.has("d:resourcetype", "d:collection")
    }


def changes(dav: Dav, url: str, token: str) -> Changes:
    """What happened since a token. Raises a Fault where the server has forgotten it."""
    found = dav.report(url, multistatus.sync_collection(token))
    itself = canonical(url).rstrip("/")
    members = [one for one in found.answers if one.href.rstrip("/") != itself]
    if not found.sync_token:
        raise BadAnswer("The server's answer says not where it ends.")
    return Changes(
        {one.href: one.text("d:getetag") for one in members if one.status not in _GONE},
        {one.href for one in members if one.status in _GONE},
        found.sync_token,
        len(members) < len(found.answers) and any(one.status == _FULL for one in found.answers),
    )


def fetch(
    dav: Dav, url: str, hrefs: Sequence[str], failing: Container[str] = ()
) -> tuple[list[Resource], set[str]]:
    """These resources whole, and which of them are not there any more.

    A request that fails is halved until the one bad resource is alone: that one is given without
    its text. What an answer leaves out is asked for by itself. Raises the last BadAnswer where more
    than a few are asked for and the server sends none: then the fault is the server's. Those that
    have failed before, `failing`, do not count.
    """
    resources, gone, problem = _fetch(dav, url, hrefs)
    count = sum(href not in failing for href in hrefs)
    if problem and count > _FEW and not gone and not any(one.raw for one in resources):
        raise problem
    return resources, gone


_Fetched = tuple[list[Resource], set[str], BadAnswer | None]


def _fetch(dav: Dav, url: str, hrefs: Sequence[str]) -> _Fetched:
    if not hrefs:
        return [], set(), None
    try:
        found = dav.report(url, multistatus.multiget(hrefs))
    except BadAnswer:
        if len(hrefs) == 1:
            return _alone(dav, url, hrefs[0])
        middle = len(hrefs) // 2
        first, second = _fetch(dav, url, hrefs[:middle]), _fetch(dav, url, hrefs[middle:])
        return first[0] + second[0], first[1] | second[1], second[2] or first[2]
    answers = {one.href: one for one in found.answers}
    resources, gone = list[Resource](), set[str]()
    problem: BadAnswer | None = None
    for href in hrefs:
        answer = answers.get(href)
        if answer is not None and answer.status in _GONE:
            gone.add(href)
        elif answer is not None and _is_calendar(raw := answer.text("c:calendar-data")):
            resources.append(_resource(href, answer.text("d:getetag"), raw))
        else:
            more, lost, why = _alone(dav, url, href)
            resources += more
            gone |= lost
            problem = why or problem
    return resources, gone, problem


def _alone(dav: Dav, url: str, href: str) -> _Fetched:
    """One resource by an ordinary GET, for servers that stumble over their reports."""
    try:
        etag, raw = dav.get(multistatus.address(url, href))
    except Fault as problem:
        if problem.status in _GONE:
            return [], {href}, None
        return [Resource(href, "", "")], set(), problem
    if not _is_calendar(raw):
        return [Resource(href, "", "")], set(), BadAnswer("The server sends no calendar data.")
    return [_resource(href, etag, raw)], set(), None


def _is_calendar(raw: str) -> bool:
    """Whether a text can be a calendar's: a page for signing in, say, is not."""
    return "BEGIN:VCALENDAR" in raw.upper()


def _resource(href: str, etag: str, raw: str) -> Resource:
    return Resource(href, etag or f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}", raw)
