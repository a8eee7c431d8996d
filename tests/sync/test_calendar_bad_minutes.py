"""A calendar server's bad minute loses no meeting and no link: absence is not deletion (M12)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from tests.dav_proxy import Request, Scripted
from tests.sync.events import event, events
from tests.sync.office import Office

from crmmail.sync import calendars
from crmmail.sync.problems import Problem

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_HTML = {"Content-Type": "text/html; charset=utf-8"}
_PAGE = b"<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>"
_EMPTY = b'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"/>'
_RESPONSE = re.compile(rb"<(?:\w+:)?response\b.*?</(?:\w+:)?response>", re.DOTALL)
Alter = Callable[[Request, bytes], bytes]


@pytest.fixture
def full(radicale_office: Office) -> Office:
    """A calendar of 20 meetings that was read once, and one of them is to be read again."""
    office = radicale_office
    office.server.fill("work", events(20))
    office.settle()
    office.server.put("work", "0.ics", event(0, "Moved"))
    return office


def _bad_minute(office: Office) -> None:
    """A run while the server is unwell: no meeting leaves."""
    titles, numbers = office.titles() - {"Meeting 0"}, _numbers(office)
    with suppress(Problem):
        office.later()
    assert office.titles() >= titles
    assert _numbers(office) == numbers


def _numbers(office: Office) -> list[tuple[int, str]]:
    """The meetings by number: what was linked by hand holds as long as they stay."""
    return office.store.read().execute("SELECT id, uid FROM meeting ORDER BY id").fetchall()


def _ends_well(office: Office) -> None:
    office.proxy.script = lambda _: None
    office.proxy.alter = lambda _, body: body
    assert office.later() == []
    assert office.is_equal()
    assert "Moved" in office.titles()


def _answers(answer: Scripted, *kinds: str) -> Callable[[Request], Scripted | None]:
    return lambda asked: answer if not kinds or asked.kind in kinds else None


_SCRIPTS: dict[str, Callable[[Request], Scripted | None]] = {
    "everything is empty": _answers((207, _XML, _EMPTY)),
    "the list of calendars is empty": lambda asked: (
        (207, _XML, _EMPTY)
        if b"resourcetype" in asked.body and b"sync-token" in asked.body
        else None
    ),
    "a page for everything": _answers((200, _HTML, _PAGE)),
    "a page for resources": _answers((200, _HTML, _PAGE), "calendar-multiget", "GET"),
    "a page instead of reports": _answers(
        (200, _HTML, _PAGE), "sync-collection", "calendar-multiget"
    ),
    "resources are not there": _answers((404, {}, b""), "calendar-multiget", "GET"),
    "everything is not there": _answers((404, {}, b"")),
    "everything is gone": _answers((410, {}, b"")),
    "resources fail": _answers((500, {}, b""), "calendar-multiget", "GET"),
    "the server is busy": _answers((503, {"Retry-After": "30"}, b"")),
    "it asks to slow down": _answers((429, {"Retry-After": "30"}, b"")),
    "reports are empty": _answers((207, _XML, _EMPTY), "sync-collection", "calendar-multiget"),
    "the token is refused": _answers((403, {}, b""), "sync-collection"),
    "the token is refused and the list is empty": lambda asked: (
        (403, {}, b"")
        if asked.kind == "sync-collection"
        else ((207, _XML, _EMPTY) if b"getetag" in asked.body else None)
    ),
}


def _without(every: int) -> Alter:
    """Leave out each so many-th response of each answer that has more than a few."""

    def alter(_: Request, body: bytes) -> bytes:
        found = _RESPONSE.findall(body)
        for response in found[1::every] if len(found) > 3 else ():
            body = body.replace(response, b"")
        return body

    return alter


_ALTERS: dict[str, Alter] = {
    "half a multistatus": lambda _, body: body[: len(body) // 2] if b"<" in body else body,
    "some responses are missing": _without(5),
    "most responses are missing": _without(1),
    "no status says anything": lambda _, body: body.replace(b"200 OK", b"500 Oops"),
    "texts are empty": lambda _, body: re.sub(
        rb"BEGIN:VCALENDAR.*?END:VCALENDAR", b"", body, flags=re.DOTALL
    ),
}


@pytest.mark.parametrize("how", _SCRIPTS)
def test_no_answer_of_a_bad_minute_takes_a_meeting_away(full: Office, how: str) -> None:
    full.proxy.script = _SCRIPTS[how]
    _bad_minute(full)
    _ends_well(full)


@pytest.mark.parametrize("token", ["with a token", "without"])
@pytest.mark.parametrize("how", _ALTERS)
def test_nor_does_half_an_answer(full: Office, how: str, token: str) -> None:
    def alter(asked: Request, body: bytes) -> bytes:
        body = _ALTERS[how](asked, body)
        return body if token == "with a token" else body.replace(b"sync-token", b"no-token")

    full.proxy.alter = alter
    _bad_minute(full)
    _ends_well(full)


def test_a_first_sync_in_a_bad_minute_is_made_good_by_the_next(radicale_office: Office) -> None:
    office = radicale_office
    office.server.fill("work", events(20))
    for how in ("resources fail", "a page for resources", "reports are empty"):
        office.proxy.script = _SCRIPTS[how]
        office.later()
    office.proxy.script = lambda _: None
    assert office.later() == []
    assert office.is_equal()
    assert len(office.titles()) == 20


@pytest.mark.parametrize("without", [b"nothing", b"sync-token"])
def test_a_change_with_the_etag_of_before_is_seen(full: Office, without: bytes) -> None:
    def alter(_: Request, body: bytes) -> bytes:
        body = re.sub(rb"(getetag>)[^<]+<", rb'\1"same"<', body)
        return body.replace(without, b"no-such-thing")

    full.proxy.alter = alter
    for _ in range(2):
        assert full.later() == []
    assert "Moved" in full.titles()
    full.server.put("work", "3.ics", event(3, "Again"))
    assert full.later() == []
    assert {"Moved", "Again"} <= full.titles()
    assert full.is_equal()


@pytest.mark.parametrize("without", ["no sync-token", "an empty report"])
def test_a_second_change_with_that_etag_is_seen_when_its_hour_has_come(
    full: Office, without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alter(asked: Request, body: bytes) -> bytes:
        body = re.sub(rb"(getetag>)[^<]+<", rb'\1"same"<', body)
        if without == "no sync-token":
            return body.replace(b"sync-token", b"no-such-thing")
        return _RESPONSE.sub(b"", body) if asked.kind == "sync-collection" else body

    full.proxy.alter = alter
    full.later()
    for title in ("Second", "Third"):
        full.settle()
        full.server.put("work", "3.ics", event(3, title))
        full.settle()
        full.proxy.kinds()
        full.settle()  # the change waits for its turn
        assert "calendar-multiget" not in full.proxy.kinds()
        with monkeypatch.context() as clock:
            clock.setattr(calendars, "_HOUR", 0.0)
            full.settle()
        assert title in full.titles()
        full.settle()
        full.proxy.kinds()
        full.settle()
        assert full.proxy.kinds() == ["PROPFIND"]  # nothing is left to read
    assert full.is_equal()


def test_a_cut_while_all_is_read_does_not_use_up_the_turn(full: Office) -> None:
    full.proxy.alter = lambda _, body: re.sub(rb"(getetag>)[^<]+<", rb'\1"same"<', body).replace(
        b"sync-token", b"no-such-thing"
    )
    full.later()
    full.again()
    full.server.put("work", "3.ics", event(3, "Second"))
    full.proxy.script = _SCRIPTS["resources fail"]
    full.sync.settle()
    assert full.sync.errors != []
    full.proxy.script = lambda _: None
    full.settle()
    assert "Second" in full.titles()


def test_real_deletions_leave_at_once(full: Office) -> None:
    for number in range(3, 9):
        full.server.delete("work", f"{number}.ics")
    assert full.later() == []
    assert full.is_equal()
    full.proxy.alter = lambda _, body: body.replace(b"sync-token", b"no-token")
    full.server.delete("work", "10.ics")
    assert full.later() == []
    assert full.is_equal()
    assert len(full.titles()) == 13
