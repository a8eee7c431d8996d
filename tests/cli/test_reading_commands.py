"""people, companies, opportunities, thread, why: what they show of a store that a sync filled."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crmmail.store import people
from crmmail.store.database import Store
from tests.cli.conftest import ME, Cli
from tests.cli.test_main import CRMMAIL

pytestmark = pytest.mark.usefixtures("filled")


def names(listed: list[dict[str, Any]]) -> list[str]:
    """The names of a list of records."""
    return [one["name"] for one in listed]


def test_people_with_their_company_threads_and_last_contact(cli: Cli) -> None:
    [ann, carl] = cli("people", "list", "--sort", "name", "--json").json
    assert ann["name"] == "Ann Lee"
    assert ann["addresses"] == ["ann@acme.example"]
    assert ann["company"] == "Acme"
    assert ann["threads"] == 1
    assert ann["last_contact"] == "2026-03-05T09:00:00Z"
    assert carl["name"] == "Carl"


def test_companies_with_their_domains(cli: Cli) -> None:
    [acme] = cli("companies", "list", "--json").json
    assert (acme["name"], acme["domains"], acme["threads"]) == ("Acme", ["acme.example"], 1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--match", "lee"], ["Ann Lee"]),
        (["--match", "acme carl"], ["Carl"]),
        (["--match", "nobody"], []),
        (["--sort", "name", "--reverse"], ["Carl", "Ann Lee"]),
        (["--sort", "name", "--limit", "1"], ["Ann Lee"]),
        (["--limit", "0"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_list_can_be_narrowed_and_sorted(cli: Cli, words: list[str], expected: list[str]) -> None:
    assert names(cli("people", "list", *words, "--json").json) == expected


@pytest.mark.parametrize("which", ["id", "Ann Lee", "ann LEE", "ANN@acme.example"])
def test_a_person_is_shown_by_id_name_or_address(cli: Cli, which: str) -> None:
    [ann] = cli("people", "list", "--match", "ann", "--json").json
    shown = cli("person", "show", ann["id"] if which == "id" else which, "--json").json
    assert shown["name"] == "Ann Lee"
    assert [one["subject"] for one in shown["threads"]] == ["Offer for the new press"]
    assert shown["threads"][0]["why"] == ["participant"]
    assert shown["first_contact"] == "2026-03-03T09:00:00Z"


def test_two_of_a_name_are_told_apart_by_id(cli: Cli) -> None:
    for _ in range(2):
        cli("opportunity", "add", "--name", "Press")
    refused = cli("opportunity", "show", "press")
    assert refused.code == 1
    assert "2 records are called 'press'" in refused.err
    ids = [one["id"] for one in cli("opportunities", "list", "--json").json]
    assert all(str(i) in refused.err for i in ids)


def test_a_company_shows_its_people(cli: Cli) -> None:
    shown = cli("company", "show", "acme.example", "--json").json
    assert sorted(names(shown["people"])) == ["Ann Lee", "Carl"]
    assert shown["threads"][0]["why"]


def test_an_opportunity_gathers_the_mail_of_its_company_and_contact(cli: Cli) -> None:
    added = cli(
        *("opportunity", "add", "--name", "New press", "--company", "acme.example"),
        *("--contact", "Ann Lee", "--stage", "proposal", "--amount", "1250.50"),
        *("--currency", "eur", "--closes-on", "2026-12-31", "--json"),
    )
    assert added.code == 0
    shown = added.json
    assert [one["subject"] for one in shown["threads"]] == ["Offer for the new press"]
    assert sorted(shown["threads"][0]["why"]) == ["company", "contact"]
    assert (shown["amount"], shown["currency"], shown["stage"]) == (125_050, "EUR", "proposal")
    assert (shown["company"], shown["contact"]) == ("Acme", "Ann Lee")
    [listed] = cli("opportunities", "list", "--json").json
    assert (listed["threads"], listed["addresses"]) == (1, ["ann@acme.example"])
    assert "1,250" in cli("opportunities", "list").out


def test_threads_newest_first_of_all_or_one_record(cli: Cli) -> None:
    subjects = [one["subject"] for one in cli("thread", "list", "--json").json]
    assert subjects == ["[/foo] [b]Grüße[/b] aus Köln", "Offer for the new press"]
    for option, value in (("--person", "Carl"), ("--company", "acme.example")):
        [one] = cli("threads", "list", option, value, "--json").json
        assert one["subject"] == "Offer for the new press"
        assert one["names"] == ["me", "Ann Lee"]


def test_a_thread_shows_every_message_in_full(cli: Cli) -> None:
    [press] = cli("thread", "list", "--person", "Ann Lee", "--json").json
    shown = cli("thread", "show", press["id"], "--json").json
    assert [one["message_id"] for one in shown["messages"]] == [
        f"{number}@sample.example" for number in (1, 2, 3)
    ]
    first, second, third = shown["messages"]
    assert first["text"].startswith("Dear Ann,\nhere is the offer.")
    assert (first["outgoing"], second["outgoing"]) == (True, False)
    assert second["quotes"] == [[1, 2]]
    assert second["attachments"][0]["name"] == "offer.pdf"
    roles = [(one["role"], one["address"]) for one in third["participants"]]
    assert roles == [("from", ME), ("to", "ann@acme.example"), ("to", "carl@acme.example")]
    assert third["participants"][0]["no_contact"] == "own"
    assert {(one["record"], one["name"]) for one in shown["links"]} == {
        ("person", "Ann Lee"),
        ("person", "Carl"),
        ("company", "Acme"),
    }


def test_a_thread_for_people_to_read(cli: Cli) -> None:
    out = cli("thread", "show", cli("thread", "list", "--json").json[1]["id"]).out
    assert out.startswith("Offer for the new press\n")
    assert "From  Ann Lee <ann@acme.example>" in out
    assert "Attachment: offer.pdf (application/pdf" in out


def test_a_pipe_gets_tabs_and_a_terminal_gets_a_table(
    cli: Cli, local_zone: Callable[[str], None]
) -> None:
    local_zone("UTC")  # days are those of the local clock
    [row, *_] = cli("people", "list", "--sort", "name").out.splitlines()
    assert row.split("\t")[1:] == ["Ann Lee", "ann@acme.example", "Acme", "1", "2026-03-05", ""]
    screen = on_terminal("thread", "list")
    assert "subject" in screen.splitlines()[0]
    assert "[/foo] [b]Grüße[/b] aus Köln" in screen  # drawn as it is, not as markup


def on_terminal(*words: str) -> str:
    """What a command draws on a terminal of 120 columns."""
    master, slave = pty.openpty()
    env = {**os.environ, "COLUMNS": "120", "TERM": "xterm-256color", "NO_COLOR": "1"}
    subprocess.run([*CRMMAIL, *words], stdout=slave, env=env, check=True)
    os.close(slave)
    screen = b""
    try:
        while part := os.read(master, 65_536):
            screen += part
    except OSError:  # how Linux says that the other end is gone
        pass
    os.close(master)
    return screen.decode("utf-8").replace("\r", "")


def test_records_for_people_to_read(cli: Cli) -> None:
    out = cli("person", "show", "Ann Lee").out
    assert out.startswith("Ann Lee\n  Addresses     ann@acme.example\n")
    assert "Offer for the new press" in out
    assert "Domains       acme.example" in cli("company", "show", "Acme").out


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ann@acme.example", ["contact: Ann Lee; takes part in 3 messages", "C7: takes part"]),
        ("<1@sample.example>", ["stored", "Sent of me@home.example"]),
        ("new press", ["Offer for the new press", "company Acme"]),
        ("bob@globex.example", ["C2", "linked to nobody"]),
        ("news@letters.example", ["skipped   M5", "List-Id", "INBOX of me@home.example"]),
        ("lunch", ["skipped   M4"]),
    ],
)
def test_why_answers_in_words_with_the_rule(cli: Cli, query: str, said: list[str]) -> None:
    outcome = cli("why", query)
    assert outcome.code == 0
    for words in said:
        assert words in outcome.out


def test_why_names_the_folders_that_are_not_read(cli: Cli) -> None:
    outcome = cli("why", "Unfinished")
    assert (outcome.code, outcome.out) == (3, "")
    assert "not read (M1): Drafts (1) of me@home.example" in outcome.err


def test_why_for_scripts_says_so_with_the_code_too(cli: Cli) -> None:
    outcome = cli("why", "Unfinished", "--json")
    assert outcome.code == 3
    assert outcome.json["stored"] == outcome.json["skipped"] == []


def test_the_sample_is_read_only_for_those_who_only_read(cli: Cli, filled: Path) -> None:
    before = cli("dump").out
    for words in (["people", "list"], ["thread", "list"], ["status"], ["why", "x"]):
        cli(*words)
    assert cli("dump").out == before


def test_an_empty_list_says_why_it_is_empty(cli: Cli, filled: Path) -> None:
    with closing(Store(filled / "crmmail.db")) as store:
        everybody = list(people.view(store.read()))
        for one in everybody:
            people.delete(store, one)
    said = cli("people", "list")
    assert said.out == ""
    assert said.err.startswith(f"No people: you deleted {len(everybody)}.")
    assert "crmmail let-in contact WHO" in said.err
    assert "account add" not in said.err
    assert cli("opportunity", "list").err == (
        "No opportunities yet. Add one: crmmail opportunity add --help\n"
    )
