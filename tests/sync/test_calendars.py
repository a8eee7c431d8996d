"""Calendars against two real servers: after each sync the store equals the server (K8)."""

from __future__ import annotations

import re

from tests.dav_proxy import Request
from tests.sync.events import event, events
from tests.sync.office import Office

from crmmail.store import calendars, mail_rules
from crmmail.store.kinds import Level
from crmmail.sync.session import calendar_accounts


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


def test_a_calendar_that_was_removed_leaves_with_its_meetings(office: Office) -> None:
    office.server.make("old")
    office.server.fill("old", {"x.ics": event(1, "Of old")})
    office.server.fill("work", events(3, first=50))
    office.settle()
    assert "Of old" in office.titles()
    office.server.delete("old")
    for run in (1, 2):
        said = (
            "The server does not have this calendar any more. All stay here until 3 runs in a row"
        )
        assert office.later() == [f"old: {said} say the same ({run} of 3)."]
        assert "Of old" in office.titles()
    assert office.later() == []
    names = {row.name for row in calendars.rows(office.store.read())}
    assert "old" not in names
    assert "work" in names
    assert "Of old" not in office.titles()


def test_an_empty_answer_for_a_full_calendar_is_believed_when_later_runs_say_the_same(
    office: Office,
) -> None:
    office.server.fill("work", events(20))
    office.settle()
    for number in range(20):
        office.server.delete("work", f"{number}.ics")
    office.server.forget("work")
    for run in (1, 2):
        (error,) = office.later()
        assert "does not list 20 of its meetings any more" in error
        assert error.endswith(f"({run} of 3).")
        office.sync.run()  # a second look in the same run is none
        assert len(office.titles()) == 20
    assert office.later() == []
    assert office.titles() == set()


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


def in_files(office: Office, words: str) -> list[str]:
    """The files of the store, free pages and log included, that have these words."""
    files = sorted(office.store.path.parent.glob("crmmail.db*"))
    return [one.name for one in files if words.lower().encode() in one.read_bytes().lower()]


def test_a_calendar_that_is_turned_off_or_gone_leaves_no_byte_in_the_file(
    radicale_office: Office,
) -> None:
    office = radicale_office
    office.server.put("work", "1.ics", event(1, "Takeover of Quarxwerk"))
    office.settle()
    assert in_files(office, "quarxwerk")
    row = calendars.named(office.store.read(), "work")
    calendars.select(office.store, row.id, on=False)
    office.settle()
    assert in_files(office, "quarxwerk") == []
    assert office.store.read().execute("SELECT name FROM chore").fetchall() == []
    calendars.select(office.store, row.id, on=True)
    office.settle()
    assert in_files(office, "quarxwerk")
    office.server.make("home")  # a server that lists nothing at all is not believed
    office.server.delete("work")
    for _ in range(3):
        office.later()
    assert [one.name for one in calendars.rows(office.store.read())] == ["home"]
    assert in_files(office, "quarxwerk") == []


def test_what_a_level_hid_is_fetched_by_the_sync_that_finds_it_raised(office: Office) -> None:
    account_id = calendar_accounts(office.store)[0].id
    mail_rules.change(office.store, account_id, meeting_level=Level.METADATA)
    office.server.fill("work", events(3))
    office.settle()
    assert office.titles() == {""}
    mail_rules.change(office.store, account_id, meeting_level=Level.EVERYTHING)
    office.settle()
    assert office.titles() == {"Meeting 0", "Meeting 1", "Meeting 2"}
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


def test_a_user_with_two_homes_has_each_calendar_once(radicale_office: Office) -> None:
    home = b"<href>/alice/</href></C:calendar-home-set>"

    def alter(_asked: Request, body: bytes) -> bytes:
        return body.replace(home, b"<href>/alice/</href>" + home)

    radicale_office.proxy.alter = alter
    radicale_office.server.fill("work", events(2))
    radicale_office.settle()
    radicale_office.settle()
    assert [row.name for row in calendars.rows(radicale_office.store.read())] == ["work"]
    assert radicale_office.is_equal()
