"""Resources that a calendar's server lists and does not send: what is known of those, how long."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from tests.dav_proxy import Request, Scripted
from tests.sync.events import event, events
from tests.sync.office import Office

from crmmail.store import calendars
from crmmail.sync import calendars as sync_calendars

_RESPONSE = re.compile(rb"<(?:\w+:)?response\b.*?</(?:\w+:)?response>", re.DOTALL)
_TOKEN = re.compile(rb"(<(?:\w+:)?sync-token>)[^<]*(</)")
_MORE = (
    '<response xmlns="DAV:"><href>{}</href><status>HTTP/1.1 507 Insufficient Storage</status>'
    "</response>"
)


def broken(office: Office, *names: str) -> Callable[[Request], Scripted | None]:
    """A server that fails at these resources."""
    paths = [office.server.path("work", name).encode() for name in names]

    def script(asked: Request) -> Scripted | None:
        hit = asked.kind == "calendar-multiget" and any(path in asked.body for path in paths)
        return (500, {}, b"") if hit or asked.path.encode() in paths else None

    return script


def failing(office: Office) -> dict[str, list[int]]:
    (packed,) = office.store.read().execute("SELECT max(failing) FROM calendar").fetchone()
    return json.loads(packed or "{}")


def a_day_passes(office: Office) -> None:
    """All that failed did so a day before."""
    before = {href: (count, at - 86_400) for href, (count, at) in failing(office).items()}
    with office.store.write() as (db, _):
        db.execute("UPDATE calendar SET failing = ?", [json.dumps(before) if before else ""])


def test_a_meeting_that_is_again_as_it_is_here_has_not_failed(radicale_office: Office) -> None:
    office = radicale_office
    office.server.fill("work", events(5))
    office.settle()
    before = office.server.resources("work")[office.server.path("work", "3.ics")]
    office.server.put("work", "3.ics", event(3, "Moved"))
    office.proxy.script = broken(office, "3.ics")
    assert len([office.later() for _ in range(3)][-1]) == 1
    office.server.put("work", "3.ics", before)
    for _ in range(5):
        office.later()
        a_day_passes(office)
    assert office.later() == []
    assert failing(office) == {}
    assert office.is_equal()


def test_a_meeting_that_failed_and_is_gone_has_not_failed(radicale_office: Office) -> None:
    office = radicale_office
    office.server.fill("work", events(5))
    office.proxy.script = broken(office, "3.ics")
    office.later()
    assert len(failing(office)) == 1
    office.server.delete("work", "3.ics")
    office.proxy.script = lambda _: None
    assert office.later() == []
    assert failing(office) == {}


def test_some_meetings_that_always_fail_do_not_keep_others_from_leaving(
    radicale_office: Office,
) -> None:
    office = radicale_office
    office.server.fill("work", events(20))
    office.proxy.script = broken(office, *(f"{number}.ics" for number in range(5)))
    office.settle()
    assert office.later() == []
    office.server.delete("work", "19.ics")
    assert office.later() == []
    assert office.titles() == {f"Meeting {number}" for number in range(5, 19)}
    office.proxy.script = lambda _: None
    assert office.later() == []
    assert office.is_equal()


def test_where_others_fail_at_once_that_is_still_the_server_s_fault(
    radicale_office: Office,
) -> None:
    office = radicale_office
    office.server.fill("work", events(20))
    office.proxy.script = broken(office, "0.ics")
    office.settle()
    for number in range(1, 5):
        office.server.put("work", f"{number}.ics", event(number, f"Moved {number}"))
    office.proxy.script = broken(office, *(f"{number}.ics" for number in range(5)))
    assert len(office.later()) == 1
    assert failing(office).keys() == {office.server.path("work", "0.ics")}


def test_what_fails_on_one_page_of_the_news_is_asked_for_again(radicale_office: Office) -> None:
    office = radicale_office
    office.server.fill("work", events(5))
    office.settle()
    token = calendars.named(office.store.read(), "work").sync_token.encode()
    for number in (1, 2):
        office.server.put("work", f"{number}.ics", event(number, f"Moved {number}"))

    def page(asked: Request, body: bytes) -> bytes:
        """One change in each answer; the first says that there is more (RFC 6578, 3.6)."""
        if asked.kind != "sync-collection":
            return body
        is_first = b"urn:half" not in asked.body
        name = b"1.ics" if is_first else b"2.ics"
        body = _RESPONSE.sub(lambda found: found[0] if name in found[0] else b"", body)
        if not is_first:
            return body
        end = body.rindex(b"</")
        more = _MORE.format(office.server.path("work")).encode()
        return _TOKEN.sub(rb"\1urn:half\2", body[:end] + more + body[end:])

    office.proxy.ask = lambda asked: asked.body.replace(b"urn:half", token)
    office.proxy.alter = page
    office.proxy.script = broken(office, "1.ics")
    office.settle()
    office.proxy.script = lambda _: None
    office.settle()
    assert {"Moved 1", "Moved 2"} <= office.titles()
    assert office.is_equal()


def test_a_calendar_that_is_read_again_forgets_what_failed(radicale_office: Office) -> None:
    office = radicale_office
    office.server.fill("work", events(5))
    office.proxy.script = broken(office, "3.ics")
    for _ in range(6):
        office.later()
    row = calendars.named(office.store.read(), "work")
    calendars.select(office.store, row.id, on=False)
    office.later()
    calendars.select(office.store, row.id, on=True)
    office.proxy.script = lambda _: None
    assert office.later() == []
    assert office.is_equal()


def test_a_meeting_that_fails_while_all_is_read_is_asked_for_in_the_next_turn(
    radicale_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = radicale_office
    office.server.fill("work", events(5))
    office.proxy.alter = lambda _, body: re.sub(rb"(getetag>)[^<]+<", rb'\1"same"<', body).replace(
        b"sync-token", b"no-such-thing"
    )
    office.settle()
    office.server.put("work", "3.ics", event(3, "Moved"))
    office.proxy.script = broken(office, "3.ics")
    office.settle()
    office.proxy.script = lambda _: None
    for _ in range(2):
        office.settle()
    assert "Moved" not in office.titles()
    monkeypatch.setattr(sync_calendars, "_HOUR", 0.0)
    office.settle()
    assert office.is_equal()
    office.proxy.kinds()
    office.settle()
    assert office.proxy.kinds() == ["PROPFIND"]
