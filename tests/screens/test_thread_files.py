"""Attachments and the raw source, fetched from a real server through the app."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine

from crmmail.app import CrmmailApp
from crmmail.errors import CrmmailError
from crmmail.screens import files
from crmmail.screens.source import SourceScreen
from crmmail.screens.thread import ThreadScreen
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync.loop import sync_once
from tests.conftest import Mailbox
from tests.screens.conftest import NOW
from tests.screens.harness import lines, press, settle, text, until

PDF = bytes(range(256)) * 40
OPEN = ("enter", "enter")


def enclosing() -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Ann Lee <ann@acme.com>", "me@home.example"
    message["Subject"], message["Message-ID"] = "Enclosed", "<enclosed@test>"
    message["Date"] = "Mon, 05 Jan 2026 09:00:00 +0000"
    message["X-Trick"] = "\x1b]52;c;aGVsbG8=\x07 [/foo]"
    message.set_content("See the files.\n\nBest\nAnn")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="../Größe.pdf")
    message.add_attachment(b"#!", maintype="application", subtype="x-sh", filename="run.sh")
    return message.as_bytes().replace(b"\n", b"\r\n")


@pytest.fixture
def clock() -> Iterator[None]:
    """The time goes on here: sockets wait by it."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where attachments are saved."""
    folder = tmp_path / "Downloads"
    folder.mkdir()
    monkeypatch.setenv("XDG_DOWNLOAD_DIR", str(folder))
    return folder


@pytest.fixture
def mail_app(
    empty_store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, downloads: Path
) -> CrmmailApp:
    """The app on what a sync of a Dovecot mailbox brought in."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", enclosing())
    accounts.add(
        empty_store,
        "me@home.example",
        host=mailbox.host,
        port=mailbox.port,
        security="none",
        username=mailbox.user,
        secret="env:CRMMAIL_PASSWORD",
        policy="sent_and_received",
    )
    (report,) = sync_once(empty_store)
    assert (report.errors, report.stored) == ([], 1)
    return CrmmailApp(empty_store, sync=False)


def thread(app: CrmmailApp) -> ThreadScreen:
    assert isinstance(app.screen, ThreadScreen)
    return app.screen


async def test_attachments_are_listed_and_saved(mail_app: CrmmailApp, downloads: Path) -> None:
    async with mail_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "A")
        row = next(line for line in lines(mail_app) if "Größe.pdf" in line and "Ann Lee" in line)
        assert "application/pdf" in row
        assert "14 kB" in row
        await press(pilot, "enter")
        saved = downloads / "Größe.pdf"
        await until(pilot, saved.exists)
        await until(pilot, lambda: "Saved" in text(mail_app))
        assert saved.read_bytes() == PDF
        assert stat.S_IMODE(saved.stat().st_mode) & 0o077 == 0
        await press(pilot, "s")
        second = downloads / "Größe (2).pdf"
        await until(pilot, second.exists)
        await settle(pilot)
        assert second.read_bytes() == saved.read_bytes() == PDF


async def test_a_path_can_be_typed(mail_app: CrmmailApp, downloads: Path) -> None:
    (downloads / "Contracts").mkdir()
    async with mail_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "A", "S")
        prompt = thread(mail_app).prompt
        assert prompt.value == str(downloads / "Größe.pdf")
        prompt.value = f"{downloads}/nowhere/x.pdf"
        await press(pilot, "enter")
        assert f"There is no folder {downloads}"[:60] in text(mail_app)
        assert prompt.has_focus
        assert prompt.value == f"{downloads}/nowhere/x.pdf"
        prompt.value = f"{downloads}/Con"
        prompt.cursor_position = len(prompt.value)
        await settle(pilot)
        await press(pilot, "right")
        assert prompt.value == f"{downloads}/Contracts/"
        await press(pilot, "enter")
        await until(pilot, (downloads / "Contracts" / "Größe.pdf").exists)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("{}/nowhere/x.pdf", "There is no folder {}"),
        ("~nobody-here/x.pdf", "There is no user nobody-here"),
        ("{}/" + "n" * 300, "File name too long"),
        ("{}/file/x.pdf", "There is no folder {}"),
        ("/proc/x.pdf", "/proc/x.pdf could not be saved"),
    ],
)
async def test_a_path_that_takes_no_file_stays_in_the_line_with_the_reason(
    mail_app: CrmmailApp, downloads: Path, typed: str, said: str
) -> None:
    (downloads / "file").write_text("x")
    typed, said = typed.format(downloads), said.format(downloads)
    async with mail_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "A", "S")
        prompt = thread(mail_app).prompt
        prompt.value = typed
        await press(pilot, "enter")
        await until(pilot, lambda: prompt.has_focus and said[:60] in str(prompt.border_title))
        assert prompt.value == typed
        prompt.value = str(downloads / "right.pdf")
        await press(pilot, "enter")
        await until(pilot, (downloads / "right.pdf").exists)
        assert not prompt.has_focus


async def test_an_attachment_is_opened_by_the_system(
    mail_app: CrmmailApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener, opened = tmp_path / "bin" / "xdg-open", tmp_path / "opened"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$#:$1" > {opened}.new && mv {opened}.new {opened}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(opener.parent), prepend=":")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("sys.platform", "linux")
    async with mail_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "A", "o")
        await until(pilot, opened.exists)
        count, _, path = opened.read_text("utf-8").strip().partition(":")
        assert (count, Path(path).name) == ("1", "Größe.pdf")
        assert Path(path).read_bytes() == PDF
        assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700
        opened.unlink()
        await press(pilot, "j", "o")
        await until(pilot, lambda: "run.sh is a program" in text(mail_app))
        assert not opened.exists()


@pytest.mark.parametrize(
    ("program", "display", "ssh", "said"),
    [
        (None, ":0", "", "There is no xdg-open here to open files with."),
        ("exit 0", "", "", "There is no display here: a file cannot be opened"),
        ("exit 0", "", "10.0.0.1 1 10.0.0.2 22", "There is no display here, over ssh:"),
        ("exit 4", ":0", "", "xdg-open could not open Größe.pdf (exit 4)."),
    ],
)
def test_what_cannot_be_opened_is_saved_and_said(
    program: str | None,
    display: str,
    ssh: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    if program:
        opener.write_text(f"#!/bin/sh\n{program}\n")
        opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(opener.parent))
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("SSH_CONNECTION", ssh)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(files, "folder", lambda: tmp_path)
    with pytest.raises(CrmmailError) as caught:
        files.open_file("Größe.pdf", PDF)
    assert said in str(caught.value)
    assert caught.value.hint == f"It is saved: {tmp_path / 'Größe.pdf'}"
    assert (tmp_path / "Größe.pdf").read_bytes() == PDF


async def test_a_click_on_an_attachment_of_a_message_goes_to_it(mail_app: CrmmailApp) -> None:
    async with mail_app.run_test(size=(120, 30)) as pilot:
        await press(pilot, *OPEN)
        line = next(i for i, line in enumerate(lines(mail_app)) if "· run.sh" in line)
        await pilot.click(offset=(8, line))
        await settle(pilot)
        row = thread(mail_app).attachments.row
        assert row is not None
        assert row.name == "run.sh"


async def test_what_the_server_has_no_more_is_told(mail_app: CrmmailApp, mailbox: Mailbox) -> None:
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
        client.expunge()
    async with mail_app.run_test(size=(120, 30), notifications=True) as pilot:
        await press(pilot, *OPEN, "A", "enter")
        await until(pilot, lambda: "could not be fetched" in text(mail_app))
        assert "any more" in text(mail_app)


async def test_a_stalled_server_stops_nobody(mail_app: CrmmailApp, downloads: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call, says nothing
        with mail_app.store.write("accounts") as (db, _change):
            db.execute("UPDATE account SET port = ?", [silent.getsockname()[1]])
        async with mail_app.run_test(size=(120, 30), notifications=True) as pilot:
            await press(pilot, *OPEN, "A", "enter")
            await until(pilot, lambda: "Fetching Größe.pdf from the server" in text(mail_app))
            assert "escape cancels" in text(mail_app)
            await press(pilot, "j")
            assert thread(mail_app).attachments.cursor == 1
            await press(pilot, "escape")
            assert "Fetching" not in text(mail_app)
            assert isinstance(mail_app.screen, ThreadScreen)
            await press(pilot, "escape", "escape")
            assert not isinstance(mail_app.screen, ThreadScreen)
    assert list(downloads.iterdir()) == []


async def test_the_source_is_shown_searched_and_safe(mail_app: CrmmailApp) -> None:
    async with mail_app.run_test(size=(100, 24)) as pilot:
        await press(pilot, *OPEN, "R")
        await until(pilot, lambda: isinstance(mail_app.screen, SourceScreen))
        await settle(pilot)
        assert "From: Ann Lee <ann@acme.com>" in text(mail_app)
        assert "X-Trick:" in text(mail_app)
        assert "]52;c;aGVsbG8= [/foo]" in text(mail_app)
        assert "\x1b" not in text(mail_app)
        assert "\x07" not in text(mail_app)
        await press(pilot, "slash", *"content-", "enter")
        assert "“content-” 1 of " in text(mail_app)
        top = mail_app.screen.query_one("#source").scroll_offset.y
        await press(pilot, "N")
        assert mail_app.screen.query_one("#source").scroll_offset.y > top
        await press(pilot, "escape")
        assert "of " not in lines(mail_app)[1]
        await press(pilot, "escape")
        assert isinstance(mail_app.screen, ThreadScreen)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.pdf", "x.pdf"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("", "attachment"),
        ("\x00\u202egnp.exe", "gnp.exe"),
        ("/", "attachment"),
        ("..", "attachment"),
        ("a/..", "attachment"),
        ("a\nb\x1b]0;x\x07.pdf", "a b]0;x.pdf"),
        ("--to=x.pdf", "to=x.pdf"),
        ("~root", "root"),
        ("run.desktop. .", "run.desktop"),
        ("C:\\Users\\x.pdf", "x.pdf"),
        ("a" * 400 + ".pdf", "a" * 196 + ".pdf"),
        ("Angebot für Köln.pdf", "Angebot für Köln.pdf"),
    ],
)
def test_names_stay_in_their_folder(given: str, safe: str) -> None:
    assert files.file_name(given) == safe


@pytest.mark.parametrize(
    "name",
    ["a.sh", "a.DESKTOP", "a.pdf.exe", "a.exe.", "a.exe \u202e", "a.inetloc", "a.py", "x/a.url"],
)
def test_no_program_is_opened_whatever_it_is_called(name: str) -> None:
    with pytest.raises(CrmmailError, match="is a program: crmmail opens none"):
        files.open_file(name, b"x")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"old")
    (tmp_path / "x (2).pdf").symlink_to(tmp_path / "elsewhere")
    assert files.save(tmp_path / "x.pdf", b"new") == tmp_path / "x (3).pdf"
    assert (tmp_path / "x.pdf").read_bytes() == b"old"
    assert not (tmp_path / "elsewhere").exists()
