"""export, on a store that a real sync has filled."""

from __future__ import annotations

import csv
import email
import io
import json
import mailbox
import stat
from pathlib import Path

import pytest

from crmmail.export import twenty
from crmmail.export.letters import REBUILT
from crmmail.store.kinds import Kind
from tests.cli.conftest import Cli
from tests.conftest import Mailbox


def test_csv_goes_to_stdout_or_to_a_new_file(cli: Cli, filled: Path, tmp_path: Path) -> None:
    (head, ann, *_) = csv.reader(io.StringIO(cli("export", "people").out))
    assert tuple(head) == twenty.HEADS[Kind.PERSON]
    assert ann[:3] == ["Ann", "Lee", "ann@acme.example"]
    to = tmp_path / "people.csv"
    assert cli("export", "people", "--to", to).code == 0
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    again = cli("export", "people", "--to", to)
    assert (again.code, "exists" in again.err) == (1, True)


def test_more_rows_than_the_importer_takes_go_to_several_files(
    cli: Cli, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twenty, "ROWS_A_FILE", 1)
    cli("export", "people", "--to", tmp_path / "people.csv")
    files = sorted(tmp_path.glob("people*.csv"))
    names = [list(csv.reader(io.StringIO(file.read_text("utf-8"))))[1][0] for file in files]
    assert [file.name for file in files] == ["people-2.csv", "people.csv"]
    assert sorted(names) == ["Ann", "Carl"]


def test_messages_come_as_they_were_sent(
    cli: Cli, filled: Path, sample_server: Mailbox, tmp_path: Path
) -> None:
    to = tmp_path / "mail.mbox"
    assert cli("export", "threads", "--to", to).code == 0
    found = {message["Message-ID"]: message for message in mailbox.mbox(to)}
    assert set(found) == {f"<{number}@sample.example>" for number in (1, 2, 3, 4)}
    offer = found["<2@sample.example>"]
    assert offer[REBUILT] is None
    (pdf,) = [part for part in offer.walk() if part.get_filename() == "offer.pdf"]
    assert pdf.get_payload(decode=True) == b"%PDF-1.4 sample"


def test_without_the_servers_they_are_made_of_what_the_store_has(
    cli: Cli, filled: Path, tmp_path: Path
) -> None:
    to = tmp_path / "eml"
    assert cli("export", "threads", "--format", "eml", "--to", to, "--offline").code == 0
    found = {
        message["Message-ID"]: message
        for message in (email.message_from_bytes(file.read_bytes()) for file in to.iterdir())
    }
    offer = found["<2@sample.example>"]
    assert offer[REBUILT]
    assert offer["From"] == "Ann Lee <ann@acme.example>"
    assert "Thanks." in offer.get_payload(decode=True).decode()
    koeln = found["<4@sample.example>"]
    assert "Köln" in str(email.header.make_header(email.header.decode_header(koeln["Subject"])))


def test_a_server_that_refuses_leaves_nothing_out(
    cli: Cli, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    to = tmp_path / "mail.mbox"
    outcome = cli("export", "threads", "--to", to)
    assert outcome.code == 4
    assert "refused" in outcome.err
    assert len(mailbox.mbox(to)) == 4


def test_all_is_a_folder_of_everything(cli: Cli, filled: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    assert cli("export", "all", "--to", to, "--offline").code == 0
    assert {file.name for file in to.iterdir()} == {
        *("people.csv", "people.vcf", "people.json", "companies.csv", "companies.json"),
        *("opportunities.csv", "opportunities.json", "threads.json", "threads.mbox"),
        "meetings.ics",
    }
    person = json.loads((to / "people.json").read_text("utf-8"))[0]
    assert person == cli("person", "show", person["id"], "--json").json


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("people", "--format", "mbox"), "csv, vcard, json"),
        (("threads",), "--to"),
        (("all",), "--to"),
    ],
)
def test_what_cannot_be_is_said(cli: Cli, filled: Path, words: tuple[str, ...], said: str) -> None:
    outcome = cli("export", *words)
    assert outcome.code == 2
    assert said in outcome.err


@pytest.mark.parametrize("words", [("people",), ("people", "--format", "vcard"), ("meetings",)])
def test_a_dash_is_the_standard_output(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("export", *words, "--to", "-").out == cli("export", *words).out
    assert not Path("-").exists()


@pytest.mark.parametrize(
    "words", [("all",), ("threads",), ("threads", "--format", "eml")], ids="-".join
)
def test_a_dash_is_refused_where_files_are_written(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli("export", *words, "--to", "-", "--offline")
    assert outcome.code == 2
    assert "not written to the standard output" in outcome.err
    assert not Path("-").exists()
