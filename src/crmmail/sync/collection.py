"""One calendar on its server: what it lists, what changed since a token, its resources whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from crmmail.sync import multistatus
from crmmail.sync.dav import Dav, Fault
from crmmail.sync.meetings import Resource
from crmmail.sync.multistatus import canonical
from crmmail.sync.problems import BadAnswer

_GONE = (404, 410)
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


def fetch(dav: Dav, url: str, hrefs: Sequence[str]) -> tuple[list[Resource], set[str]]:
    """These resources whole, and which of them are not there any more.

    A request that fails is halved until the one bad resource is alone: that one is given without
    its text. What an answer leaves out is asked for by itself.
    """
    if not hrefs:
        return [], set()
    try:
        found = dav.report(url, multistatus.multiget(hrefs))
    except BadAnswer:
        if len(hrefs) == 1:
            return _alone(dav, url, hrefs[0])
        middle = len(hrefs) // 2
        first, second = fetch(dav, url, hrefs[:middle]), fetch(dav, url, hrefs[middle:])
        return first[0] + second[0], first[1] | second[1]
    answers = {one.href: one for one in found.answers}
    resources, gone = [], set()
    for href in hrefs:
        answer = answers.get(href)
        if answer is not None and answer.status in _GONE:
            gone.add(href)
        elif answer is not None and (raw := answer.text("c:calendar-data")):
            resources.append(_resource(href, answer.text("d:getetag"), raw))
        else:
            more, lost = _alone(dav, url, href)
            resources += more
            gone |= lost
    return resources, gone


def _alone(dav: Dav, url: str, href: str) -> tuple[list[Resource], set[str]]:
    """One resource by an ordinary GET, for servers that stumble over their reports."""
    try:
        etag, raw = dav.get(urljoin(url, href))
    except Fault as problem:
        if problem.status in _GONE:
            return [], {href}
        return [Resource(href, "", "")], set()
    return [_resource(href, etag, raw)], set()


def _resource(href: str, etag: str, raw: str) -> Resource:
    return Resource(href, etag or f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}", raw)
