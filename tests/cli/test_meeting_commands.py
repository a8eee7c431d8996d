"""agenda, meeting show, and what the other commands say of meetings."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmmail.store.database import Store
from tests.cli.conftest import Cli
from tests.cli.test_contract import TIME, fields, inline
from tests.screens import filler

AT = calendar.timegm((2026, 3, 14, 8, 26, 0))


@pytest.fixture(autouse=True)
def berlin(local_zone: Callable[[str], None]) -> None:
    """Local time is that of Berlin."""
    local_zone("Europe/Berlin")


@pytest.fixture
def found(tmp_path: Path) -> dict[str, list[int]]:
    """A store with the small sample of the screens, meetings among it."""
    (tmp_path / "data").mkdir(exist_ok=True)
    store = Store(tmp_path / "data" / "crmmail.db")
    filler.small(store, AT)
    meetings = filler.meetings(store, AT)
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (id, url, name) VALUES (1, 'file:x.ics', 'x.ics')")
        db.execute(
            """INSERT INTO calendar_object (calendar_id, href, uid, title, reason, raw)
               VALUES (1, 'a', 'secret@x', 'Salary talk', 'private', 'ATTENDEE:Ada@ACME.example')"""
        )
        db.execute(
            """INSERT INTO calendar_object (calendar_id, href, uid)
               SELECT 1, id, uid FROM meeting WHERE title = 'Visit at Acme'"""
        )
    store.close()
    return meetings


def test_the_agenda_is_a_list_of_the_next_days(cli: Cli, found: dict[str, list[int]]) -> None:
    shown = cli("agenda", "--from", "2026-03-16", "--days", 8, "--json").json
    assert list(shown[0]) == fields("`agenda --json`")
    assert [one["title"] for one in shown] == [
        "Pilot: weekly call", "Visit at Acme", "Webinar", "Workshop", "Trade fair",
        "Pilot: weekly call",
    ]  # fmt: skip
    call, visit, _, workshop, fair, _ = shown
    assert TIME.fullmatch(call["starts_at"])
    assert (fair["starts_at"], fair["ends_at"], fair["all_day"]) == (
        "2026-03-23", "2026-03-26", True,
    )  # fmt: skip
    assert workshop["cancelled"]
    assert visit["names"] == ["Ada Lovelace", "Kim"]
    [line, *_] = cli("agenda", "--from", "2026-03-16").out.splitlines()
    assert line.split("\t")[1:] == [
        "2026-03-16 09:26–09:56", "Pilot: weekly call", "Ada Lovelace, Bob Stone", "online",
    ]  # fmt: skip


def test_an_agenda_without_meetings_or_with_no_date(cli: Cli, found: dict[str, list[int]]) -> None:
    empty = cli("agenda", "--from", "2020-01-01")
    assert (empty.code, empty.out) == (0, "")
    assert "No meetings" in empty.err
    assert cli("agenda", "--json", "--from", "2020-01-01").json == []
    assert cli("agenda", "--from", "soon").code == 2
    assert cli("agenda").code == 0


def test_a_meeting_with_all_that_there_is(cli: Cli, found: dict[str, list[int]]) -> None:
    (visit,) = found["visit"]
    shown = cli("meeting", "show", visit, "--json").json
    assert list(shown) == [*fields("`agenda --json`"), *fields("`meeting show ID --json`")]
    assert list(shown["attendees"][0]) == fields("An attendee")
    assert [one["name"] for one in shown["links"]] == ["Ada Lovelace", "Acme"]
    assert [one["subject"] for one in shown["briefing"]] == ["Pilot in March", "Invoice 4711"]
    series = cli("meeting", "show", found["weekly"][3], "--json").json
    assert [one["id"] for one in series["other_times"]] == [
        i for i in found["weekly"] if i != found["weekly"][3]
    ]
    text = cli("meeting", "show", visit).out
    for words in ("Tue 17 Mar 2026, 09:26–11:26", "person Ada Lovelace", "2. Dates", "Kim"):
        assert words in text
    assert "@ opens" not in text
    missing = cli("meeting", "show", 999)
    assert (missing.code, missing.out) == (3, "")


def test_a_record_has_its_meetings(cli: Cli, found: dict[str, list[int]]) -> None:
    shown = cli("person", "show", "ada@acme.example", "--json").json
    assert list(shown["meetings"][0]) == [*fields("`agenda --json`"), "why"]
    assert shown["meetings"][0]["why"] == ["participant"]
    assert len(shown["meetings"]) == len(found["weekly"]) + 3
    assert "Meetings" in cli("person", "show", "ada@acme.example").out


def test_lists_sort_by_the_next_meeting(cli: Cli, found: dict[str, list[int]]) -> None:
    soon = int(time.time()) + 7_200
    path = Path(cli("path", "--json").json["store"])
    store = Store(path)
    with store.write() as (db, change):
        filler.Filler(db, change).meeting(
            "Soon", (soon, soon + 60), guests=(filler.Guest("celik@nordwind.example"),)
        )
    store.close()
    first = cli("people", "list", "--sort", "next", "--json").json[0]
    assert first["name"] == "Çelik Öztürk"
    assert first["next_meeting"] == datetime.fromtimestamp(soon, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert cli("companies", "list", "--sort", "next", "--reverse", "--json").json[0]["next_meeting"]
    assert cli("opportunities", "list", "--sort", "next").code == 0


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("visit", ["Visit at Acme"]),
        ("hannover", ["Trade fair"]),
        ("subject:hannover", []),
        ("arkshop OR orksho", ["Workshop"]),
        ("with:kim", ["Visit at Acme"]),
        ("from:bob fair", ["Trade fair"]),
        ("from:ada fair", []),
        ("company:acme contract", ["Visit at Acme"]),
        ("with:ada -weekly -visit -workshop", ["Lunch"]),
        ("after:2026-03-23 before:2026-03-24", ["Trade fair", "Pilot: weekly call"]),
        ("visit is:unread", []),
    ],
)
def test_meetings_are_found(
    cli: Cli, found: dict[str, list[int]], query: str, titles: list[str]
) -> None:
    shown = cli("search", query, "--json").json["meetings"]
    assert sorted(one["title"] for one in shown) == sorted(titles)
    assert all(list(one) == fields("`agenda --json`") for one in shown)
    if titles:
        assert f"meeting\t{shown[0]['id']}\t" in cli("search", query).out


def test_why_says_where_a_meeting_is(cli: Cli, found: dict[str, list[int]]) -> None:
    answer = cli("why", "visit at", "--json").json
    [met] = answer["meetings"]
    heading = "`why --json`: a meeting"
    assert list(met) == fields(heading)
    for field in ("calendars", "attendees", "links"):
        assert list(met[field][0]) == inline(heading, field)
    assert met["id"] == found["visit"][0]
    assert met["links"][0]["why"] == "C7: takes part"
    kim = next(one for one in met["attendees"] if one["name"] == "Kim")
    assert kim["why"] == "no contact (C3: a free-mail provider)"
    text = cli("why", "visit at").out
    assert "lies in   the file x.ics" in text
    assert "linked to company Acme (C7: somebody there takes part)" in text


@pytest.mark.parametrize("query", ["salary", "secret@x", "ada@acme.example"])
def test_why_says_by_which_rule_a_meeting_was_skipped(
    cli: Cli, found: dict[str, list[int]], query: str
) -> None:
    [skipped] = cli("why", query, "--json").json["skipped_meetings"]
    assert list(skipped) == fields("`why --json`: a skipped meeting")
    assert skipped["why"] == "K7: private or confidential"
    assert "skipped   K7: private or confidential" in cli("why", query).out


def test_skipped_meetings_are_listed(cli: Cli, found: dict[str, list[int]]) -> None:
    [skipped] = cli("skipped", "--meetings", "--json").json
    assert list(skipped) == fields("`skipped --meetings --json`")
    assert (skipped["title"], skipped["reason"]) == ("Salary talk", "private")
    [line] = cli("skipped", "--meetings", "--reason", "private").out.splitlines()
    assert line.split("\t")[1:] == ["Salary talk", "K7: private or confidential", "x.ics"]
    none = cli("skipped", "--meetings", "--reason", "old")
    assert (none.code, none.out) == (0, "")
    assert "No meeting was skipped" in none.err
