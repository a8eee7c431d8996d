"""account set, account folders, block, skipped, attachment, source: on a store that was synced."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.cli.output import iso
from crmmail.store import people
from crmmail.store.database import Store
from crmmail.sync import opening
from crmmail.widgets.words import coming
from tests.cli.conftest import ME, Cli
from tests.cli.test_contract import fields

pytestmark = pytest.mark.usefixtures("filled")


def report(cli: Cli) -> dict[str, object]:
    outcome = cli("sync", "--once", "--json")
    assert outcome.code == 0, outcome.err
    [account] = outcome.json["accounts"]
    assert account["listed"] == account["stored"] + sum(account["skipped"].values())
    return account


def test_group_mail_is_let_in_and_out_again(cli: Cli) -> None:
    before = report(cli)
    assert cli("account", "set", ME, "--group").code == 0
    after = report(cli)
    assert "group" not in after["skipped"]
    assert after["stored"] > before["stored"]
    assert cli("account", "set", ME, "--no-group").code == 0
    assert report(cli)["skipped"] == before["skipped"]


def test_a_blocked_domain_leaves_and_returns(cli: Cli) -> None:
    before = report(cli)
    assert cli("block", "add", "@acme.example").code == 0
    assert cli("block", "list", "--json").json == ["@acme.example"]
    assert report(cli)["skipped"]["blocked"] > 0
    assert cli("block", "remove", "@acme.example").code == 0
    after = report(cli)
    assert (after["stored"], after["skipped"]) == (before["stored"], before["skipped"])


def test_a_folder_that_is_turned_off_takes_its_mail_along(cli: Cli) -> None:
    shown = cli("account", "folders", ME, "--json").json
    assert list(shown[0]) == fields("`account folders --json`")
    assert cli("account", "folders", ME, "--off", "INBOX").code == 0
    after = report(cli)
    assert after["skipped"]["folder"] > 0
    assert {one["name"]: one["read"] for one in cli("account", "folders", ME, "--json").json}[
        "INBOX"
    ] is False


def test_the_ledger_is_listed(cli: Cli) -> None:
    rows = cli("skipped", "--json").json
    assert list(rows[0]) == fields("`skipped --json`")
    assert {row["reason"] for row in rows} >= {"group", "internal"}
    assert "M5" in cli("skipped", "--reason", "group").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("account", "set", ME), "Say what to change"),
        (("account", "set", ME, "--policy", "all"), "policy"),
        (("account", "set", ME, "--since", "soon"), "not a day"),
        (("account", "set", ME, "--alias", "nobody"), "not an e-mail address"),
        (("account", "set", ME, "--drop-alias", ME), "own address"),
        (("account", "set", "who@home.example", "--group"), "no account"),
        (("account", "folders", ME, "--on", "Nowhere"), "no folder Nowhere"),
        (("block", "add", ME), "own address"),
        (("block", "remove", "a@b.example"), "not on the blocklist"),
        (("let-in", "message", "nobody@has.this"), "in the skip list"),
        (("let-in", "remove", "ann@acme.com"), "no exception"),
        (("let-in", "folder", ME, "Nowhere"), "no folder Nowhere"),
        (("let-in", "contact", "nobody"), "No deleted contact matches"),
        (("attachment", "1", "0"), "There is no message 1."),
    ],
)
def test_errors_in_words(cli: Cli, words: tuple[str, ...], said: str) -> None:
    outcome = cli(*words)
    assert outcome.code in (1, 2, 3)
    assert said in " ".join(outcome.err.split())


@pytest.mark.parametrize(
    "words",
    [
        ("account", "folders", ME, "--on", "Nowhere"),
        ("account", "folders", ME, "--off", "Nowhere"),
        ("account", "set", ME, "--drop-alias", "a@b.example"),
        ("account", "set", ME, "--drop-internal", "b.example"),
        ("block", "remove", "a@b.example"),
        ("let-in", "remove", "ann@acme.com"),
        ("let-in", "folder", ME, "Nowhere"),
        ("source", "999"),
        ("attachment", "999", "0"),
        ("calendar", "on", "Nowhere"),
        ("calendar", "off", "Nowhere"),
        ("calendar", "remove", "Nowhere", "--yes"),
    ],
)
def test_what_is_not_there_has_exit_code_3(cli: Cli, words: tuple[str, ...]) -> None:
    outcome = cli(*words)
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err.startswith("crmmail: ")


@pytest.mark.parametrize("which", ["person", "company", "opportunity", "thread"])
def test_why_says_that_there_is_no_such_record(cli: Cli, which: str) -> None:
    outcome = cli("why", f"{which}:99999")
    assert (outcome.code, outcome.err) == (3, f"crmmail: There is no {which} 99999.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("account", "set", ME, "--pause", "--resume"), "--pause and --resume contradict"),
        (("account", "set", ME, "--no-group", "--group"), "--group and --no-group contradict"),
        (("block", "add", "@gmail"), "'@gmail' is not a whole domain."),
    ],
)
def test_a_contradiction_and_half_a_domain_are_refused(
    cli: Cli, words: tuple[str, ...], said: str
) -> None:
    outcome = cli(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert cli("block", "list", "--json").json == []


def test_to_pause_says_so_and_nothing_of_rules(cli: Cli) -> None:
    assert cli("account", "set", ME, "--pause").err == f"{ME} is paused.\n"
    assert cli("account", "set", ME, "--resume").err == f"{ME} is synced again.\n"


def test_attachments_and_sources_come_from_the_server(cli: Cli, tmp_path: Path) -> None:
    threads = cli("thread", "list", "--json").json
    shown = [cli("thread", "show", one["id"], "--json").json for one in threads]
    messages = [message for thread in shown for message in thread["messages"]]
    source = cli("source", messages[0]["id"])
    assert "Message-ID" in source.out
    [enclosing] = [message for message in messages if message["attachments"]]
    target = tmp_path / "saved"
    assert cli("attachment", enclosing["id"], "0", "--to", target).code == 0
    assert target.stat().st_size > 0
    again = cli("attachment", enclosing["id"], "0", "--to", target)
    assert (again.code, "exists" in again.err) == (1, True)


def test_a_message_is_named_by_its_thread_and_its_number_there(cli: Cli, tmp_path: Path) -> None:
    [thread] = [one for one in cli("thread", "list", "--json").json if one["messages"] == 3]
    shown = cli("thread", "show", thread["id"], "--json").json["messages"]
    text = cli("thread", "show", thread["id"]).out
    for number, message in enumerate(shown, 1):
        name = f"{thread['id']}.{number}"
        assert f"\nId    {name}\n" in text
        assert cli("source", name).out == cli("source", message["id"]).out != ""
    command = f"crmmail attachment {thread['id']}.2 0"
    assert text.count("To save it: ") == text.count(command) == 1
    assert cli(*command.split()[1:], "--to", tmp_path / "saved").code == 0
    assert (tmp_path / "saved").read_bytes() == b"%PDF-1.4 sample"
    for missing in (f"{thread['id']}.0", f"{thread['id']}.4", "999.1"):
        refused = cli("source", missing)
        assert (refused.code, refused.out) == (3, "")
        assert f"There is no message {missing}." in refused.err


@pytest.mark.parametrize("name", ["漢" * 199, "-rf", "../../x", ".profile", "\x1b]52;c;QQ==\x07"])
def test_an_attachment_is_saved_in_this_folder_whatever_its_name(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A name of 199 letters may be too long for a file; none leads elsewhere or is an option."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "attachment", lambda *_: opening.Opened(name, "text/plain", b"x"))
    before = {*tmp_path.iterdir()}
    done = cli("attachment", "1", "0")
    assert done.code == 0, done.err
    (made,) = {*tmp_path.iterdir()} - before
    assert made.read_bytes() == b"x"
    assert len(made.name.encode()) <= 255
    assert made.name[0] not in "-."
    assert "\x1b" not in made.name + done.err


def test_visibility_is_lowered_and_raised(cli: Cli) -> None:
    report(cli)
    [thread, *_] = cli("thread", "list", "--json").json
    before = cli("thread", "show", thread["id"], "--json").json
    lowered = cli("account", "set", ME, "--visibility", "metadata")
    assert lowered.code == 0
    assert re.search(r"Removes \d+ texts? and \d+ subjects? from this computer", lowered.err)
    report(cli)
    shown = cli("thread", "show", thread["id"], "--json").json
    assert shown["subject"] == ""
    assert {(m["subject"], m["text"], m["visibility"]) for m in shown["messages"]} == {
        ("", "", "metadata")
    }
    hidden = "(hidden by this account's visibility)"
    assert cli("thread", "show", thread["id"]).out.startswith(hidden)
    assert hidden in cli("why", f"thread:{thread['id']}").out
    [person, *_] = cli("people", "list", "--json").json
    assert hidden in cli("why", f"person:{person['id']}").out
    assert hidden in cli("why", "news@letters.example").out  # it was skipped
    raised = cli("account", "set", ME, "--visibility", "everything")
    assert "newest first" in raised.err
    report(cli)
    assert cli("thread", "show", thread["id"], "--json").json == before


def test_a_message_and_a_sender_are_let_in_and_kept_out_again(cli: Cli) -> None:
    before = report(cli)
    [first, *_] = [row for row in cli("skipped", "--json").json if row["reason"] == "group"]
    let_in = cli("let-in", "message", first["message_id"])
    assert let_in.code == 0
    assert "Let in this message (the exceptions: this message is added)" in let_in.err
    assert report(cli)["skipped"].get("group", 0) == before["skipped"]["group"] - 1
    assert cli("why", f"<{first['message_id']}>", "--json").json["stored"]
    assert cli("let-in", "sender", first["sender"]).code == 0
    assert cli("let-in", "list", "--json").json == [f"<{first['message_id']}>", first["sender"]]
    report(cli)
    assert first["sender"] not in {row["sender"] for row in cli("skipped", "--json").json}
    for pattern in cli("let-in", "list", "--json").json:
        assert cli("let-in", "remove", pattern).code == 0
    after = report(cli)
    assert (after["stored"], after["skipped"]) == (before["stored"], before["skipped"])
    assert "no exception" in cli("let-in", "list").err


def test_a_folder_is_let_in(cli: Cli) -> None:
    before = report(cli)["skipped"]
    assert cli("account", "folders", ME, "--off", "INBOX").code == 0
    report(cli)
    assert cli("let-in", "folder", ME, "INBOX").code == 0
    assert report(cli)["skipped"] == before


def test_what_a_blocklist_keeps_out_is_let_in_by_taking_it_off(cli: Cli) -> None:
    before = report(cli)
    cli("block", "add", "@acme.example")
    report(cli)
    [first, *_] = [row for row in cli("skipped", "--json").json if row["reason"] == "blocked"]
    refused = cli("let-in", "message", first["message_id"])
    assert refused.code == 1
    assert "It cannot be let in alone (M3" in refused.err
    assert "Take @acme.example off the blocklist (changes blocklist)" in refused.err
    assert cli("block", "list", "--json").json == ["@acme.example"]
    assert "off the blocklist" in cli("let-in", "message", first["message_id"], "--rule").err
    assert cli("block", "list", "--json").json == []
    assert report(cli)["skipped"] == before["skipped"]


def test_a_deleted_contact_is_in_the_ledger_and_comes_back(cli: Cli, filled: Path) -> None:
    assert "No mail comes from a contact that you deleted" in cli("skipped", "--contacts").err
    first, second = cli("people", "list", "--json").json[:2]
    with closing(Store(filled / "crmmail.db")) as store:
        people.delete(store, first["id"])
        people.delete(store, second["id"])
    rows = cli("skipped", "--contacts", "--json").json
    assert list(rows[0]) == fields("`skipped --contacts --json`")
    assert {(row["kind"], row["name"]) for row in rows} == {
        ("person", first["name"]),
        ("person", second["name"]),
    }
    assert min(row["messages"] for row in rows) > 0
    assert "C5: you deleted this contact" in cli("skipped", "--contacts").out
    assert "matches 2" in cli("let-in", "contact", "e").err
    assert f"{first['name']} is back" in cli("let-in", "contact", first["addresses"][0]).err
    assert [row["name"] for row in cli("skipped", "--contacts", "--json").json] == [second["name"]]
    assert cli("people", "show", str(first["id"]), "--json").json["threads"]


def test_what_is_tried_again_says_how_often_it_was_and_when_it_will_be(
    cli: Cli, filled: Path
) -> None:
    now = int(time.time())
    with sqlite3.connect(filled / "crmmail.db") as db:
        db.execute(
            "UPDATE skipped SET reason = 'unreadable', attempts = 7, tried_at = ?"
            " WHERE reason = 'group'",
            [now * 1000],
        )
        db.execute(
            "UPDATE skipped SET reason = 'unreadable', attempts = 1, tried_at = ?"
            " WHERE reason = 'internal'",
            [now * 1000],
        )
    found = {row["attempts"]: row["next_try"] for row in cli("skipped", "--json").json}
    assert {1, 7} <= found.keys()
    assert found[7] == iso(now + 4 * 3_600)
    assert found[1] == iso(now)
    printed = cli("skipped", "--reason", "unreadable").out
    assert "; tried 1 time, next with the next sync" in printed
    assert f"; tried 7 times, next after {coming(now + 4 * 3_600)}" in printed


def test_a_reason_that_there_is_not_is_a_wrong_command_line(cli: Cli) -> None:
    outcome = cli("skipped", "--reason", "bogus")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'bogus' is not one of: folder, old, draft, blocked, internal, group," in outcome.err
    assert "crmmail account folders" in cli("skipped", "--reason", "folder").err
