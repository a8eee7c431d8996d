"""docs/cli.md says what `--json` prints, to the field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.sync.events import event

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def documented() -> dict[str, list[str]]:
    """The fields of each table of the page, by the heading over it."""
    fields: dict[str, list[str]] = {}
    heading = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif found := re.match(r"\| `(\w+)` \|", line):
            fields.setdefault(heading, []).append(found[1])
    return fields


FIELDS = documented()


def fields(start: str) -> list[str]:
    """The documented fields under the heading that starts so."""
    [found] = [names for heading, names in FIELDS.items() if heading.split(": a list")[0] == start]
    return found


def inline(start: str, field: str) -> list[str]:
    """The fields that the row of a field names in its description, after a colon."""
    section = PAGE.read_text("utf-8").split(f"\n### {start}\n", 1)[1]
    [row] = re.findall(rf"^\| `{field}` \| .*?: (.*) \|$", section.split("\n### ")[0], re.MULTILINE)
    return re.findall(r"`(\w+)`", re.sub(r" \([^)]*\)", "", row))


@pytest.mark.parametrize("kind", ["people", "companies", "opportunities"])
@pytest.mark.usefixtures("filled")
def test_a_list_of_records(cli: Cli, kind: str) -> None:
    cli("opportunity", "add", "--name", "Press", "--company", "Acme", "--contact", "Ann Lee")
    [first, *_] = cli(kind, "list", "--json").json
    assert list(first) == fields(f"`{kind} list --json`")
    assert TIME.fullmatch(first["last_contact"])


@pytest.mark.parametrize(
    ("one", "many", "which"),
    [
        ("person", "people", "ann@acme.example"),
        ("company", "companies", "acme.example"),
        ("opportunity", "opportunities", "Press"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_one_record_with_its_threads(cli: Cli, one: str, many: str, which: str) -> None:
    cli("opportunity", "add", "--name", "Press", "--company", "Acme", "--contact", "Ann Lee")
    shown = cli(one, "show", which, "--json").json
    more = fields(f"`{one} show ID --json`")
    assert sorted(shown) == sorted({*fields(f"`{many} list --json`"), *more})
    assert list(shown["threads"][0]) == [*fields("`thread list --json`"), "why"]
    assert isinstance(shown["threads"][0]["why"], list)


@pytest.mark.usefixtures("filled")
def test_an_opportunity_just_added_is_printed_as_it_is_shown(cli: Cli) -> None:
    words = ("opportunity", "add", "--name", "Press", "--contact", "ann@acme.example")
    added = cli(*words, "--json").json
    assert added == cli("opportunity", "show", added["id"], "--json").json


@pytest.mark.usefixtures("filled")
def test_a_thread_with_its_messages(cli: Cli) -> None:
    [newest, *_] = cli("thread", "list", "--json").json
    assert list(newest) == fields("`thread list --json`")
    [press] = [one for one in cli("thread", "list", "--json").json if one["messages"] == 3]
    shown = cli("thread", "show", press["id"], "--json").json
    assert list(shown) == fields("`thread show ID --json`")
    assert list(shown["links"][0]) == ["record", "id", "name", "why"]
    message = shown["messages"][1]
    assert list(message) == fields("A message")
    assert list(message["participants"][0]) == fields("A participant")
    assert list(message["attachments"][0]) == inline("A message", "attachments")
    assert TIME.fullmatch(message["sent_at"])


@pytest.mark.usefixtures("filled")
def test_accounts_and_their_sync(cli: Cli) -> None:
    [account] = cli("account", "list", "--json").json
    assert list(account) == fields("`account list --json`")
    tested = cli("account", "test", "me@home.example", "--json").json
    assert list(tested) == fields("`account test --json`")
    assert list(tested["folders"][0]) == inline("`account test --json`", "folders")
    synced = cli("sync", "--once", "--json").json
    assert list(synced) == ["accounts"]
    assert list(synced["accounts"][0]) == fields("`sync --once --json`")


@pytest.mark.usefixtures("filled")
def test_calendars(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "old.ics").write_text(event(1), "utf-8")
    imported = cli("import", tmp_path / "old.ics", "--json").json
    assert list(imported) == fields("`import --json`")
    [calendar] = cli("calendar", "list", "--json").json
    assert list(calendar) == fields("`calendar list --json`")
    assert calendar["meetings"] == 1


@pytest.mark.usefixtures("filled")
def test_why(cli: Cli) -> None:
    answer = cli("why", "ann@acme.example", "--json").json
    assert len(answer["stored"]) > 1
    cut = cli("why", "ann@acme.example", "--limit", "1")
    assert "There are more. Of each kind the first 1 are shown" in cut.err
    assert "There are more" not in cli("why", "ann@acme.example", "--limit", "999").err
    assert len(cli("why", "ann@acme.example", "--limit", "1", "--json").json["stored"]) == 1
    assert list(answer) == fields("`why --json`")
    assert list(answer["address"]) == inline("`why --json`", "address")
    stored = "`why --json`: a stored message"
    assert list(answer["stored"][0]) == fields(stored)
    for field in ("placements", "participants", "links"):
        assert list(answer["stored"][0][field][0]) == inline(stored, field)
    skipped = cli("why", "news@letters.example", "--json").json["skipped"]
    assert list(skipped[0]) == fields("`why --json`: a skipped message")
    account = cli("why", "me@home.example", "--json").json["account"]
    assert list(account) == ["email", "why"]
    linked = cli("why", f"person:{answer['address']['person_id']}", "--json").json["linked"]
    assert list(linked[0]) == inline("`why --json`", "linked")
    unread = cli("why", "nobody@nowhere.example", "--json").json["unread_folders"]
    assert list(unread[0]) == inline("`why --json`", "unread_folders")


@pytest.mark.usefixtures("filled")
def test_search(cli: Cli) -> None:
    cli("opportunity", "add", "--name", "Press", "--company", "Acme", "--contact", "Ann Lee")
    found = cli("search", "acme OR press", "--json").json
    assert list(found) == fields("`search --json`")
    for group in ("people", "companies", "opportunities"):
        assert list(found[group][0]) == fields(f"`{group} list --json`")
    more = fields("`search --json`: a thread")
    assert list(found["threads"][0]) == [*fields("`thread list --json`"), *more]
    assert TIME.fullmatch(found["threads"][0]["sent_at"])


@pytest.mark.usefixtures("filled")
def test_status_doctor_path(cli: Cli) -> None:
    status = cli("status", "--json").json
    assert list(status) == fields("`status --json`")
    assert list(status["accounts"][0]) == fields("`status --json`: an account")
    assert list(cli("doctor", "--offline", "--json").json[0]) == fields("`doctor --json`")
    assert list(cli("path", "--json").json) == fields("`path --json`")
    assert list(cli("config", "--json").json) == fields("`config --json`")
    assert list(cli("keys", "--json").json[0]) == fields("`keys --json`")


@pytest.mark.usefixtures("filled")
def test_every_time_is_iso_8601_in_utc(cli: Cli) -> None:
    shown = cli("person", "show", "ann@acme.example", "--json").json
    thread = cli("thread", "show", shown["threads"][0]["id"], "--json").json
    times = [value for key, value in leaves([shown, thread]) if key.endswith(("_at", "st_contact"))]
    assert len(times) >= 6
    assert all(TIME.fullmatch(value) for value in times)


@pytest.mark.usefixtures("filled")
def test_the_dump_is_one_object_a_line_without_ids(cli: Cli) -> None:
    lines = [json.loads(line) for line in cli("dump").out.splitlines()]
    assert {"account", "folder", "message", "thread", "person", "company", "skipped"} <= {
        line["what"] for line in lines
    }
    assert not [key for key, _ in leaves(lines) if key in ("id", "uid")]


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value with the key that it stands under."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, key)
    else:
        yield key, value
