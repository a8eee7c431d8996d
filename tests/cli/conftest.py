"""The command line as a person or a script uses it, and a store that a real sync has filled."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from crmmail.cli import main
from tests.conftest import Mailbox
from tests.servers import PASSWORD, Dovecot

ME = "me@home.example"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document that it is."""
        return json.loads(self.out)


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in this process, with nobody at the keyboard."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*words: object) -> Outcome:
        capfd.readouterr()
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


def mail(
    number: int,
    sender: str,
    to: str,
    subject: str,
    text: str = "Hello.",
    html: str = "",
    answers: int = 0,
    **headers: str,
) -> bytes:
    """Message `number` of the sample, sent on that day."""
    message = EmailMessage()
    message["Message-ID"] = f"<{number}@sample.example>"
    message["Date"] = format_datetime(START + timedelta(days=number))
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if answers:
        message["In-Reply-To"] = message["References"] = f"<{answers}@sample.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(html or text, subtype="html" if html else "plain")
    if number == 2:
        message.add_attachment(
            b"%PDF-1.4 sample", maintype="application", subtype="pdf", filename="offer.pdf"
        )
    return message.as_bytes()


ANN, BOB = "Ann Lee <ann@acme.example>", "Bob Stone <bob@globex.example>"
SENT = [
    mail(1, ME, ANN, "Offer for the new press", "Dear Ann,\nhere is the offer."),
    mail(3, ME, f"{ANN}, Carl <carl@acme.example>", "Re: Offer for the new press", answers=2),
]
INBOX = [
    mail(2, ANN, ME, "Re: Offer for the new press", "Thanks.\n> here is the offer.", answers=1),
    mail(4, BOB, ME, "[/foo] [b]Grüße[/b] aus Köln", html="<p>Schöne <b>Grüße</b></p>"),
    mail(5, "News <news@letters.example>", ME, "March news", List_Id="<news.letters.example>"),
    mail(6, "Dora <dora@home.example>", ME, "Lunch"),
]
DRAFTS = [mail(7, ME, ANN, "Unfinished")]
FOLDERS = {"Sent": SENT, "INBOX": INBOX, "Drafts": DRAFTS}


@pytest.fixture(scope="session")
def sample_server(dovecot: Dovecot) -> Mailbox:
    """The sample mailbox: 4 messages to store, 3 to skip."""
    box = Mailbox(dovecot, dovecot.add_user(ME))
    for folder, messages in FOLDERS.items():
        box.append(folder, *messages)
    return box


def add_account(cli: Cli, box: Mailbox, email: str = ME, *more: str) -> Outcome:
    """Add a test mailbox as an account, its password from the environment."""
    return cli(
        *("account", "add", email, "--imap", f"{box.host}:{box.port}", "--security", "none"),
        *("--username", box.user, "--password-env", "TEST_PASSWORD", *more),
    )


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test servers' password in the environment."""
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)


@pytest.fixture(scope="session")
def filled_data(sample_server: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose store holds the sample mailbox, by way of `account add` and `sync`."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRMMAIL_DATA_DIR", str(folder))
        patch.setenv("TEST_PASSWORD", PASSWORD)

        def quiet(*words: object) -> Outcome:
            return Outcome(main([str(word) for word in words]), "", "")

        assert add_account(quiet, sample_server).code == 0
        assert quiet("sync").code == 0
    return folder


@pytest.fixture
def filled(filled_data: Path, tmp_path: Path, password: None) -> Path:
    """A test's own copy of the filled store, already in place; returns its folder."""
    folder = tmp_path / "data"
    shutil.copytree(filled_data, folder, dirs_exist_ok=True)
    return folder
