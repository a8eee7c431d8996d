"""What goes wrong with a calendar server: told in words, and made good by the next sync."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.dav_proxy import DavProxy, Request
from tests.sync.events import event, events
from tests.sync.office import Office

from crmmail import settings
from crmmail.store import calendars
from crmmail.sync import calendars as sync_calendars
from crmmail.sync.dav import Dav, DavLogin
from crmmail.sync.problems import Problem, Refused, Unsafe


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
    monkeypatch.setenv("CRMMAIL_READ_TIMEOUT", "1")
    radicale_office.proxy.stall.set()
    began = time.monotonic()
    with pytest.raises(Problem, match="did not answer on port"):
        radicale_office.again().settle()
    assert 1 <= time.monotonic() - began < 20  # the default is 60


@pytest.mark.parametrize("where", ["config.toml", "the environment"])
def test_the_time_outs_of_mail_are_those_of_calendars(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "config.toml":
        settings.config_path().write_text("[timeouts]\nconnect = 7\nread = 11\n")
    else:
        monkeypatch.setenv("CRMMAIL_CONNECT_TIMEOUT", "7")
        monkeypatch.setenv("CRMMAIL_READ_TIMEOUT", "11")
    dav = Dav(DavLogin("https://cal.example.org/", "me", "secret"))
    assert dav._client.timeout == (7, 11)


def test_a_server_that_is_not_there_is_told_as_such(radicale_office: Office) -> None:
    with radicale_office.store.write() as (db, _):
        db.execute("UPDATE account SET caldav_url = 'http://127.0.0.1:9/'")
    with pytest.raises(Problem, match="takes no connection on port"):
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


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_ones_own_is_believed(
    radicale_office: Office,
    tls: DavProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    radicale_office.again()
    radicale_office.settle()
    assert tls.answered


def test_the_authorities_of_the_machine_are_believed_beside_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "ca.pem"
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    trustme.CA().cert_pem.write_to_path(str(own))
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    believed = Dav(DavLogin("https://cal.example.org/", "me", "secret"))._client.ssl_verify_cert
    assert own.read_text() in believed
    assert believed.count("BEGIN CERTIFICATE") > 1
    for nothing in ("", str(tmp_path / "missing.pem")):
        monkeypatch.setenv("SSL_CERT_FILE", nothing)
        assert Dav(DavLogin("https://cal.example.org/", "me", ""))._client.ssl_verify_cert is True


def test_a_server_is_not_followed_out_of_the_encryption(
    radicale_office: Office, tls: DavProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
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


def _a_day_later(office: Office) -> None:
    """Everything that failed did so a day before."""
    (packed,) = office.store.read().execute("SELECT max(failing) FROM calendar").fetchone()
    before = {href: (count, at - 86_400) for href, (count, at) in json.loads(packed).items()}
    with office.store.write() as (db, _):
        db.execute("UPDATE calendar SET failing = ?", [json.dumps(before)])


def test_a_meeting_that_the_server_never_sends_is_told_and_asked_for_ever_less_often(
    radicale_office: Office,
) -> None:
    office = radicale_office
    office.server.fill("work", events(20))
    office.settle()
    bad = office.server.path("work", "7.ics").encode()

    def script(asked: Request) -> tuple[int, dict[str, str], bytes] | None:
        hit = asked.kind == "calendar-multiget" and bad in asked.body
        return (500, {}, b"") if hit or asked.path.encode() == bad else None

    office.server.put("work", "7.ics", event(7, "Moved"))
    office.proxy.script = script
    said = [office.later() for _ in range(6)]
    told = (
        "work: The server does not send a meeting that has changed. What is here may be out of "
        "date; crmmail asks again."
    )
    assert said == [[], [], *[[told]] * 4]
    assert "Meeting 7" in office.titles()
    office.proxy.kinds()
    assert office.later() == [told]
    assert office.proxy.kinds() == ["PROPFIND"]  # its turn comes in an hour
    office.server.put("work", "8.ics", event(8, "Other"))
    assert office.later() == [told]
    assert "Other" in office.titles()
    _a_day_later(office)
    office.proxy.kinds()
    assert office.later() == [told]
    assert "calendar-multiget" in office.proxy.kinds()
    _a_day_later(office)
    office.proxy.script = lambda _: None
    assert office.later() == []
    assert office.is_equal()
    assert "Moved" in office.titles()
