"""calendar, import, and calendars of accounts: against a real CalDAV server."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ME, Cli, Outcome, add_account
from tests.conftest import Mailbox
from tests.dav_proxy import DavProxy
from tests.dav_servers import Radicale
from tests.sync.events import event, events


@pytest.fixture
def office(radicale: Radicale) -> Radicale:
    """A server with the calendars Work and Home."""
    for number, name in enumerate(("Work", "Home")):
        radicale.make(name.lower(), name, "#ff8800")
        radicale.fill(name.lower(), events(3, first=10 * number))
    return radicale


def calendars_only(cli: Cli, url: str, *more: str) -> Outcome:
    """Add an account without a mailbox."""
    return cli(
        *("account", "add", ME, "--imap", "none", "--password-env", "TEST_PASSWORD"),
        *("--caldav", url, "--caldav-username", "alice", *more),
    )


@pytest.mark.usefixtures("password")
def test_an_account_may_have_calendars_only(cli: Cli, office: Radicale) -> None:
    added = calendars_only(cli, office.url)
    assert (added.code, added.out) == (0, "")
    assert "Calendars: Home, Work." in added.err
    [account] = cli("account", "list", "--json").json
    assert (account["host"], account["caldav"]) == ("", f"{office.url}alice/")
    synced = cli("sync", "--once", "--json")
    assert synced.code == 0
    [report] = synced.json["accounts"]
    assert report["listed"] == 0
    assert report["calendars"] == [
        {"name": name, "meetings": 3, "skipped": {}, "errors": []} for name in ("Home", "Work")
    ]
    assert "6 meetings in 2 calendars" in cli("sync").out
    assert cli("account", "test", ME, "--json").json["calendars"] == ["Home", "Work"]
    assert "2 calendars" in cli("doctor").out


@pytest.mark.usefixtures("password")
def test_an_address_without_calendars_is_named_with_what_such_an_address_looks_like(
    cli: Cli, office: Radicale
) -> None:
    added = calendars_only(cli, f"{office.url}nonsense/")
    assert added.code == 1
    assert f"No calendars at {office.url}nonsense/: " in added.err
    assert "looks like https://dav.example.org/" in added.err
    assert "Without --caldav" in added.err


@pytest.mark.usefixtures("password")
def test_changed_calendars_are_read_by_the_next_sync(cli: Cli, office: Radicale) -> None:
    assert calendars_only(cli, office.url).code == 0
    changed = cli("account", "set", ME, "--caldav", office.url, "--caldav-username", "alice")
    assert "The next sync reads its calendars." in changed.err
    assert "mail that is here" not in changed.err


@pytest.mark.usefixtures("password")
def test_a_mailbox_may_have_calendars_with_another_user_and_password(
    cli: Cli, office: Radicale, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAL_PASSWORD", office.password)
    options = ("--caldav-username", "alice", "--caldav-password-env", "CAL_PASSWORD")
    assert add_account(cli, mailbox, ME, "--caldav", office.url, *options).code == 0
    assert cli("sync").code == 0
    assert [one["meetings"] for one in cli("calendar", "list", "--json").json] == [3, 3]


@pytest.mark.usefixtures("password")
def test_a_mailbox_without_calendars_is_added_all_the_same(cli: Cli, mailbox: Mailbox) -> None:
    added = add_account(cli, mailbox)
    assert added.code == 0
    why = f"No calendar server is known for {ME}."
    assert f"No calendars: {why} To add them: crmmail account set {ME} --caldav URL" in added.err
    assert f"No calendars were found: {why}" in cli("status").out
    [state] = cli("status", "--json").json["accounts"]
    assert (state["calendar_error"], state["calendar_hint"]) == (None, why)
    assert cli("account", "list", "--json").json[0]["caldav"] is None
    assert cli("calendar", "list", "--json").json == []


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("http://127.0.0.1:9/", 1, "takes no connection on port 9"),
        ("http://cal.example.org/", 1, "Without encryption"),
        ("ftp://cal.example.org/", 2, "not the address of a calendar server"),
    ],
)
@pytest.mark.usefixtures("password")
def test_a_calendar_server_that_is_named_must_answer(
    cli: Cli, url: str, code: int, told: str
) -> None:
    added = calendars_only(cli, url)
    assert added.code == code
    assert told in added.err
    assert cli("account", "list", "--json").json == []


@pytest.mark.usefixtures("office")
def test_a_wrong_calendar_password_has_its_exit_code(
    cli: Cli, radicale: Radicale, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    added = calendars_only(cli, radicale.url)
    assert added.code == 5
    assert "refused the sign-in to the calendar" in added.err


@pytest.mark.usefixtures("password")
def test_a_calendar_is_turned_off_and_on(cli: Cli, office: Radicale) -> None:
    calendars_only(cli, office.url)
    cli("sync")
    assert cli("calendar", "off", "home").code == 0
    cli("sync")
    shown = {one["name"]: one for one in cli("calendar", "list", "--json").json}
    assert (shown["Home"]["read"], shown["Home"]["meetings"]) == (False, 0)
    assert shown["Work"]["meetings"] == 3
    assert shown["Work"]["color"] == "#ff8800"
    assert cli("calendar", "on", "Home").code == 0
    cli("sync")
    assert {one["meetings"] for one in cli("calendar", "list", "--json").json} == {3}
    unknown = cli("calendar", "off", "Nowhere")
    assert unknown.code == 3
    assert "Calendars: Home, Work." in unknown.err


@pytest.mark.usefixtures("password")
def test_calendars_can_be_set_later_and_taken_away(
    cli: Cli, office: Radicale, mailbox: Mailbox
) -> None:
    add_account(cli, mailbox)
    options = ("--caldav", f"{office.url}alice/work/", "--caldav-username", "alice")
    assert cli("account", "set", ME, *options).code == 0
    cli("sync")
    assert [one["name"] for one in cli("calendar", "list", "--json").json] == ["Work"]
    assert cli("account", "set", ME, "--caldav", "none").code == 0
    assert cli("calendar", "list", "--json").json == []
    assert cli("account", "list", "--json").json[0]["caldav"] is None


@pytest.mark.usefixtures("password")
def test_one_failing_calendar_is_told_and_the_exit_code_says_so(cli: Cli, office: Radicale) -> None:
    with DavProxy(office) as proxy:
        calendars_only(cli, proxy.url)
        broken = office.path("home")
        proxy.script = lambda asked: (
            (500, {}, b"") if asked.path == broken and asked.depth == "1" else None
        )
        synced = cli("sync", "--once", "--json")
    assert synced.code == 4
    shown = {one["name"]: one for one in synced.json["accounts"][0]["calendars"]}
    assert shown["Work"]["meetings"] == 3
    assert shown["Home"]["errors"] == ["127.0.0.1 has trouble of its own (500)."]
    assert "Home: 127.0.0.1 has trouble of its own (500)." in synced.err


def test_a_file_is_imported_and_again_without_doubling(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "old.ics"
    both = event(1, "First") + event(2, "Second")
    file.write_text(both, "utf-8", newline="")
    first = cli("import", file)
    assert first.code == 0
    assert "old: 2 meetings read, 2 new, 0 changed; 2 in the store." in first.err
    file.write_text(both.replace("Second", "Changed"), "utf-8", newline="")
    again = cli("import", file, "--json").json
    assert (again["new"], again["changed"], again["meetings"]) == (0, 1, 2)
    [calendar] = cli("calendar", "list", "--json").json
    assert (calendar["name"], calendar["account"]) == ("old", None)
    assert cli("calendar", "off", "old").code == 1
    assert cli("calendar", "remove", "old", "--yes").code == 0
    assert cli("calendar", "list", "--json").json == []


def test_a_calendar_is_not_removed_unasked_where_nobody_can_answer(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "old.ics"
    file.write_text(event(1, "First"), "utf-8", newline="")
    assert cli("import", file).code == 0
    refused = cli("calendar", "remove", "old")
    assert refused.code == 1
    assert "This cannot be undone." in refused.err
    assert "--yes" in refused.err
    assert [one["meetings"] for one in cli("calendar", "list", "--json").json] == [1]
    assert cli("calendar", "remove", "old", "--yes").code == 0
    assert cli("calendar", "list", "--json").json == []


def test_a_file_may_come_by_stdin_into_a_calendar_of_any_name(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(event(1).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert cli("import", "-", "--calendar", "Trip").code == 0
    assert [one["name"] for one in cli("calendar", "list", "--json").json] == ["Trip"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no calendar file"),
        (b"\x00\xff\xfe binary", "no calendar file"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no meeting in this file"),
    ],
)
def test_what_is_no_calendar_file_is_told(cli: Cli, tmp_path: Path, data: bytes, told: str) -> None:
    file = tmp_path / "x.ics"
    file.write_bytes(data)
    imported = cli("import", file)
    assert imported.code == 1
    assert told in imported.err
    assert cli("import", tmp_path / "missing.ics").code == 1


@pytest.mark.usefixtures("password")
def test_one_private_meeting_is_let_in_alone(cli: Cli, radicale: Radicale) -> None:
    radicale.make("work", "Work", "#ff8800")
    radicale.fill("work", {f"{n}.ics": event(n, "", "CLASS:PRIVATE") for n in (1, 2)})
    assert calendars_only(cli, radicale.url).code == 0
    assert cli("sync").code == 0
    first, second = (row["uid"] for row in cli("skipped", "--meetings", "--json").json)
    assert cli("let-in", "meeting", "no-such-uid").code == 3
    said = "Let in this meeting (the exceptions: this meeting is added)"
    assert said in cli("let-in", "meeting", first).err
    assert cli("sync").code == 0
    assert [row["uid"] for row in cli("skipped", "--meetings", "--json").json] == [second]
