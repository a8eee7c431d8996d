"""Calendars against two real servers: after each sync the store equals the server (K8)."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from tests.dav_proxy import DavProxy, Request
from tests.servers import CalDav, Radicale, Xandikos
from tests.sync.events import event, events

from crmmail.store import accounts, calendars
from crmmail.store.database import Store
from crmmail.sync import calendars as sync_calendars
from crmmail.sync.calendars import CalendarSync, sign_in
from crmmail.sync.problems import Problem, Refused, Unsafe
from crmmail.sync.session import calendar_accounts


@dataclass(slots=True)
class Office:
    """A calendar "work" on a server, a proxy before it, and an account on the proxy."""

    server: CalDav
    proxy: DavProxy
    store: Store
    sync: CalendarSync

    def settle(self) -> None:
        """Sync, which must go well."""
        self.sync.settle()
        assert self.sync.errors == []

    def is_equal(self, calendar: str = "work") -> bool:
        """Whether the store holds exactly the server's resources, in their newest form."""
        row = calendars.named(self.store.read(), calendar)
        held = dict(
            self.store.read().execute(
                "SELECT href, raw FROM calendar_object WHERE calendar_id = ?", [row.id]
            )
        )
        there = self.server.resources(calendar)
        return {path: _lines(text) for path, text in there.items()} == {
            path: _lines(text) for path, text in held.items()
        }

    def again(self) -> CalendarSync:
        """A session that remembers nothing, as after a start of crmmail."""
        account = calendar_accounts(self.store)[0]
        self.sync = CalendarSync(self.store, account, sign_in(account))
        return self.sync

    def titles(self) -> set[str]:
        """The titles of all meetings in the store."""
        return {title for (title,) in self.store.read().execute("SELECT title FROM meeting")}


def _lines(text: str) -> list[str]:
    """A resource without what a server may write differently."""
    kept = (line for line in text.splitlines() if not line.startswith(("PRODID", "DTSTAMP")))
    return sorted(kept)


@pytest.fixture(params=[Radicale, Xandikos], ids=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest) -> Iterator[CalDav]:
    with request.param() as server:
        yield server


@pytest.fixture
def office(server: CalDav, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    yield from _office(server, store, monkeypatch)


@pytest.fixture
def radicale_office(
    radicale: Radicale, store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    yield from _office(radicale, store, monkeypatch)


def _office(server: CalDav, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("CRMMAIL_PASSWORD", server.password)
    server.make("work")
    with DavProxy(server) as proxy:
        accounts.add(
            store,
            "me@home.example",
            caldav_url=proxy.url,
            caldav_username=server.user,
            secret="env:CRMMAIL_PASSWORD",
        )
        account = calendar_accounts(store)[0]
        yield Office(server, proxy, store, CalendarSync(store, account, sign_in(account)))


def test_all_events_are_read_then_what_changed_came_and_went(office: Office) -> None:
    office.server.fill("work", events(250))
    office.settle()
    assert office.is_equal()
    assert office.proxy.kinds().count("calendar-multiget") == 3
    for number in range(10):
        office.server.put("work", f"{number}.ics", event(number, f"Moved {number}"))
        office.server.delete("work", f"{100 + number}.ics")
    office.server.put("work", "new.ics", event(900, "New"))
    office.settle()
    assert office.is_equal()
    assert office.proxy.kinds() == ["PROPFIND", "sync-collection", "calendar-multiget"]
    assert {"Moved 0", "Moved 9", "New"} <= office.titles()


def test_a_pass_without_news_costs_one_request_for_all_calendars(office: Office) -> None:
    office.server.make("home")
    for calendar in ("work", "home"):
        office.server.fill(calendar, events(5))
    office.settle()
    office.proxy.kinds()
    office.sync.run()
    assert office.proxy.kinds() == ["PROPFIND"]
    office.again().run()
    assert office.proxy.kinds() == ["PROPFIND"]


def test_a_server_that_forgot_its_token_is_compared_in_full(office: Office) -> None:
    office.server.fill("work", events(30))
    office.settle()
    office.server.put("work", "0.ics", event(0, "Moved"))
    office.server.delete("work", "1.ics")
    office.server.forget("work")
    office.settle()
    assert office.is_equal()


def test_a_server_that_answers_an_old_token_with_everything_is_compared_too(
    office: Office,
) -> None:
    office.server.fill("work", events(30))
    office.settle()
    office.server.put("work", "0.ics", event(0, "Moved"))
    office.server.delete("work", "1.ics")

    office.proxy.ask = lambda asked: re.sub(b"<d:sync-token>.*?<", b"<d:sync-token><", asked.body)
    office.settle()
    assert office.is_equal()


def test_a_server_without_token_and_tag_is_followed_by_etags(office: Office) -> None:
    def alter(asked: Request, body: bytes) -> bytes:
        return body.replace(b"sync-token", b"no-token").replace(b"getctag", b"no-tag")

    office.proxy.alter = alter
    office.server.fill("work", events(20))
    office.settle()
    assert office.is_equal()
    office.proxy.kinds()
    office.sync.run()
    listed = calendars.rows(office.store.read())
    assert office.proxy.kinds() == ["PROPFIND"] * len(listed)  # their list is remembered
    office.server.put("work", "0.ics", event(0, "Moved"))
    office.server.delete("work", "1.ics")
    office.sync.run()
    assert office.is_equal()


def test_a_server_with_a_tag_only_is_asked_for_etags_when_it_changed(office: Office) -> None:
    office.proxy.alter = lambda _, body: body.replace(b"sync-token", b"no-token")
    office.server.fill("work", events(20))
    office.settle()
    office.proxy.kinds()
    office.sync.run()
    assert office.proxy.kinds() == ["PROPFIND"]
    office.server.delete("work", "1.ics")
    office.sync.run()
    assert office.is_equal()


def test_without_etags_the_texts_are_compared(office: Office) -> None:
    office.proxy.alter = lambda _, body: body.replace(b"getetag", b"no-etag").replace(
        b"sync-token", b"no-token"
    )
    office.server.fill("work", events(10))
    office.settle()
    assert office.is_equal()
    office.server.put("work", "0.ics", event(0, "Moved"))
    office.settle()
    assert office.is_equal()
    assert "Moved" in office.titles()


def test_a_broken_resource_among_a_hundred_is_in_the_ledger(office: Office) -> None:
    office.server.fill("work", {**events(99), "broken.ics": "BEGIN:VCALENDAR\r\nno colon here"})
    office.settle()
    row = calendars.named(office.store.read(), "work")
    counts = calendars.counts(office.store.read(), row.id)
    assert counts.meetings == 99
    assert sum(counts.skipped.values()) <= 1  # a server may keep a broken file to itself


def test_a_resource_that_breaks_its_answer_does_not_stop_the_others(office: Office) -> None:
    office.server.fill("work", events(40))
    bad = office.server.path("work", "7.ics").encode()

    def script(asked: Request) -> tuple[int, dict[str, str], bytes] | None:
        hit = asked.kind == "calendar-multiget" and bad in asked.body
        return (500, {}, b"") if hit or asked.path.encode() == bad else None

    office.proxy.script = script
    office.settle()
    row = calendars.named(office.store.read(), "work")
    counts = calendars.counts(office.store.read(), row.id)
    assert counts.meetings == 39
    assert sum(counts.skipped.values()) == 1


def test_a_calendar_that_was_removed_leaves_with_its_meetings(office: Office) -> None:
    office.server.make("old")
    office.server.fill("old", {"x.ics": event(1, "Of old")})
    office.server.fill("work", events(3, first=50))
    office.settle()
    assert "Of old" in office.titles()
    office.server.delete("old")
    office.settle()
    names = {row.name for row in calendars.rows(office.store.read())}
    assert "old" not in names
    assert "work" in names
    assert "Of old" not in office.titles()


def test_an_empty_answer_for_a_full_calendar_is_believed_the_second_time_only(
    office: Office,
) -> None:
    office.server.fill("work", events(20))
    office.settle()
    for number in range(20):
        office.server.delete("work", f"{number}.ics")
    office.server.forget("work")
    office.sync.run()
    assert len(office.titles()) == 20
    office.sync.run()
    assert office.titles() == set()


@pytest.mark.parametrize("after", [1_000, 20_000, 60_000])
def test_the_network_may_be_cut_anywhere(office: Office, after: int) -> None:
    office.server.fill("work", events(150))
    office.proxy.cut_after = after
    with pytest.raises(Problem, match="was cut"):
        office.sync.settle()
    office.proxy.mend()
    office.settle()
    assert office.is_equal()


def test_what_came_before_a_cut_is_not_fetched_again(office: Office) -> None:
    office.server.fill("work", events(250))
    calls = []

    def script(asked: Request) -> tuple[int, dict[str, str], bytes] | None:
        if asked.kind == "calendar-multiget":
            calls.append(asked)
            if len(calls) == 3:
                office.proxy.cut_after = 0
        return None

    office.proxy.script = script
    with pytest.raises(Problem):
        office.sync.settle()
    office.proxy.mend()
    office.proxy.kinds()
    office.again()
    office.settle()
    assert office.is_equal()
    assert office.proxy.kinds().count("calendar-multiget") == 1


def test_one_failing_calendar_keeps_its_cursor_and_does_not_stop_the_others(
    office: Office,
) -> None:
    office.server.make("home")
    office.settle()
    before = calendars.named(office.store.read(), "home")
    for calendar in ("home", "work"):
        office.server.put(calendar, "x.ics", event(1, f"In {calendar}"))

    def script(asked: Request) -> tuple[int, dict[str, str], bytes] | None:
        if asked.path == office.server.path("home") and asked.method in ("REPORT", "PROPFIND"):
            return 500, {}, b"<html>"
        return None

    office.proxy.script = script
    office.sync.run()
    assert office.titles() == {"In work"}
    assert len(office.sync.errors) == 1
    failed = calendars.named(office.store.read(), "home")
    assert failed.error.endswith("has trouble of its own (500).")
    assert failed.sync_token == before.sync_token
    office.proxy.script = lambda _: None
    office.settle()
    assert calendars.named(office.store.read(), "home").error == ""
    assert office.is_equal("home")


def test_a_calendar_that_is_turned_off_is_not_read_and_comes_back_whole(office: Office) -> None:
    office.server.fill("work", events(3))
    office.settle()
    row = calendars.named(office.store.read(), "work")
    calendars.select(office.store, row.id, on=False)
    office.settle()
    assert office.titles() == set()
    calendars.select(office.store, row.id, on=True)
    office.settle()
    assert office.is_equal()


def test_after_a_week_all_etags_are_compared(office: Office) -> None:
    office.server.fill("work", events(5))
    office.settle()
    with office.store.write() as (db, _):
        db.execute("DELETE FROM calendar_object WHERE href LIKE '%/3.ics'")
        db.execute("UPDATE calendar SET compared_at = compared_at - 604801")
    office.settle()
    assert office.is_equal()


def test_an_account_may_name_one_calendar_itself(office: Office) -> None:
    office.server.make("other")
    office.server.fill("work", events(3))
    address = office.proxy.url.rstrip("/") + office.server.path("work")
    with office.store.write() as (db, _):
        db.execute("UPDATE account SET caldav_url = ?", [address])
    office.again()
    office.settle()
    assert [row.name for row in calendars.rows(office.store.read())] == ["work"]
    office.proxy.kinds()
    office.sync.run()
    assert office.proxy.kinds() == ["PROPFIND"]


def test_names_and_colours_are_the_servers(radicale_office: Office) -> None:
    radicale_office.server.make("c1", "Team&#10;plans", "#FF8800AA")
    radicale_office.settle()
    row = calendars.named(radicale_office.store.read(), "Team plans")
    assert row.color == "#ff8800"


def test_only_calendars_for_events_are_taken(radicale_office: Office) -> None:
    folder = radicale_office.server.folder("tasks")
    folder.mkdir()
    (folder / ".Radicale.props").write_text(
        '{"tag": "VCALENDAR", "C:supported-calendar-component-set": "VTODO"}', "utf-8"
    )
    radicale_office.settle()
    assert [row.name for row in calendars.rows(radicale_office.store.read())] == ["work"]


def test_a_server_that_does_not_say_what_a_calendar_holds_lets_it_hold_events(
    radicale_office: Office,
) -> None:
    radicale_office.proxy.alter = lambda _, body: body.replace(
        b"supported-calendar-component-set", b"no-set"
    )
    radicale_office.settle()
    assert [row.name for row in calendars.rows(radicale_office.store.read())] == ["work"]


def test_a_wrong_password_is_told_as_such(
    radicale_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "wrong")
    with pytest.raises(Refused, match="refused the sign-in to the calendar"):
        radicale_office.again().settle()


def test_a_server_that_asks_to_slow_down_is_given_the_time(radicale_office: Office) -> None:
    radicale_office.proxy.script = lambda _: (429, {"Retry-After": "120"}, b"")
    with pytest.raises(Problem, match="asks to slow down") as told:
        radicale_office.sync.settle()
    assert told.value.wait == 120


def test_a_server_that_stalls_is_left_in_time(
    radicale_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmmail.sync.dav.TIMEOUT", 0.3)
    radicale_office.proxy.stall.set()
    with pytest.raises(Problem, match="did not answer in time"):
        radicale_office.again().settle()


def test_a_server_that_is_not_there_is_told_as_such(radicale_office: Office) -> None:
    with radicale_office.store.write() as (db, _):
        db.execute("UPDATE account SET caldav_url = 'http://127.0.0.1:9/'")
    with pytest.raises(Problem, match="takes no connection on this port"):
        radicale_office.again().settle()


def test_a_server_that_sends_elsewhere_is_not_followed_with_the_password(
    radicale_office: Office,
) -> None:
    radicale_office.proxy.script = lambda _: (302, {"Location": "http://other.example/dav"}, b"")
    with pytest.raises(Problem, match="somebody else's"):
        radicale_office.sync.settle()


@pytest.fixture
def tls(
    radicale_office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DavProxy]:
    """The account goes by TLS, and the authority behind the certificate is in ca.pem."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with DavProxy(radicale_office.server, context) as proxy:
        with radicale_office.store.write() as (db, _):
            db.execute("UPDATE account SET caldav_url = ?", [proxy.url])
        yield proxy


def test_a_server_that_cannot_prove_its_name_gets_nothing(
    radicale_office: Office, tls: DavProxy
) -> None:
    with pytest.raises(Unsafe, match="did not prove who it is"):
        radicale_office.again().settle()
    assert tls.answered == []


def test_a_server_is_not_followed_out_of_the_encryption(
    radicale_office: Office, tls: DavProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    radicale_office.again()
    radicale_office.settle()
    assert radicale_office.is_equal()
    tls.script = lambda _: (302, {"Location": radicale_office.proxy.url}, b"")
    with pytest.raises(Unsafe, match="without encryption"):
        radicale_office.sync.settle()


def test_a_web_page_is_no_calendar(radicale_office: Office) -> None:
    radicale_office.proxy.script = lambda _: (200, {"Content-Type": "text/html"}, b"<p>Hi")
    with pytest.raises(Problem, match="does not answer as a CalDAV server does"):
        radicale_office.sync.settle()


def test_a_pass_that_is_stopped_goes_on_where_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_calendars, "CHUNK", 10)
    office.server.fill("work", events(40))
    asked = iter([False] * 4 + [True] * 100)
    office.sync.run(lambda: next(asked))
    assert 0 < len(office.titles()) < 40
    office.settle()
    assert office.is_equal()
