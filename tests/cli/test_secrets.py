"""No secret is told: not by an error, a log, a report or a row of the store."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crmmail import crash, secrecy
from crmmail.accounts import calendars
from crmmail.accounts.calendars import find
from crmmail.errors import CrmmailError
from crmmail.sync.homes import Home
from tests.cli.conftest import ME, Cli
from tests.dav_proxy import DavProxy, Request, Scripted
from tests.dav_servers import Radicale

SECRET = "hunter2-Plugh"
OWNED = f"me:{SECRET}@cal.example.org"


@pytest.mark.parametrize(
    "words",
    [
        ("--caldav", f"https://{OWNED}/"),
        ("--caldav", OWNED),
        ("--caldav", f"https://{SECRET}@cal.example.org/"),
        ("--caldav", f"ftp://{OWNED}/"),
        ("--caldav", f"https://me:a/{SECRET}@cal.example.org/"),
        ("--imap", f"{OWNED}:993"),
        ("--imap", f"imaps://{OWNED}"),
        ("--security", f"https://{OWNED}"),
        ("--alias", OWNED),
        ("--oauth", f"https://{OWNED}/token"),
    ],
)
def test_an_error_about_an_address_repeats_no_password(cli: Cli, words: tuple[str, str]) -> None:
    refused = cli("account", "add", ME, *words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"crmmail: {words[0]}: ")
    assert SECRET not in refused.err


def test_nor_does_the_error_about_an_account_that_is_not_there(cli: Cli) -> None:
    refused = cli("account", "add", OWNED)
    assert refused.code == 2
    assert SECRET not in refused.err


@pytest.mark.parametrize("command", [["restore"], ["backup"], ["export", "people", "--to"]])
def test_nor_does_an_error_about_a_file(cli: Cli, filled: Path, command: list[str]) -> None:
    refused = cli(*command, f"https://ann:{SECRET}@acme.example/x")
    assert refused.code != 0
    assert SECRET not in refused.err


@pytest.mark.parametrize("password", ["p@ss", "p w", "p@", "@", "a@b c@d/e"])
@pytest.mark.parametrize("scheme", ["", "https://", "imaps://"])
def test_a_password_is_masked_whole_whatever_it_has_in_it(scheme: str, password: str) -> None:
    assert secrecy.masked(f"{scheme}ann:{password}@acme.example/x") == f"{scheme}…@acme.example/x"


@pytest.mark.parametrize("kept", ["ann@acme.example", "no address: none", "https://acme.example/a"])
def test_what_names_no_password_is_repeated_as_it_is(kept: str) -> None:
    assert secrecy.masked(kept) == kept


def test_a_sentence_is_masked_word_by_word() -> None:
    said = secrecy.masked_words("error: https://me:p@ss@acme.example fails, ask ann@acme.example")
    assert said == "error: https://…@acme.example fails, ask ann@acme.example"


@pytest.mark.parametrize(
    "command",
    [
        "account add",
        "account test",
        "account remove --yes",
        "account set --pause",
        "sync --once --account",
        "why",
        "people show",
        "companies show",
        "people edit --name X",
        "block remove",
        "let-in remove",
        "calendar list --account",
    ],
)
@pytest.mark.parametrize("password", ["P@ss-Word", "P w@rd"])
def test_no_command_repeats_a_password_that_was_typed_in_a_name(
    cli: Cli, command: str, password: str
) -> None:
    first, *more = command.split(" --")[0].split()
    options = [f"--{one}".split() for one in command.split(" --")[1:]]
    typed = f"Ann:{password}@imap.example.org"
    said = cli(first, *more, *(word for option in options for word in option), typed)
    assert said.code != 0
    assert said.out == ""
    for part in ("word", "w@rd", "p@ss", "p w", "ann:"):
        assert part not in said.err.casefold()


@pytest.mark.parametrize("typed", [f"https://{OWNED}/", f"{SECRET}@cal.example.org"])
def test_a_form_is_told_that_the_password_goes_elsewhere(typed: str) -> None:
    with pytest.raises(CrmmailError, match="must not contain a user name or a password") as caught:
        calendars.address(typed)
    assert SECRET not in f"{caught.value} {caught.value.hint}"


def test_what_a_server_puts_before_its_name_is_neither_sent_nor_kept(radicale: Radicale) -> None:
    radicale.make("work")
    with DavProxy(radicale) as proxy:
        owned = proxy.url.replace("//", f"//other:{SECRET}@")

        def script(asked: Request) -> Scripted | None:
            if asked.path == "/moved":
                return 301, {"Location": f"{owned}alice/"}, b""
            return None

        proxy.script = script
        home = find(ME, radicale.password, radicale.user, url=f"{proxy.url}moved")
    assert isinstance(home, Home)
    assert [one.name for one in home.calendars] == ["work"]
    assert SECRET not in repr(home)
    assert "@" not in home.url


def test_the_log_keeps_nothing_of_what_asyncio_says_of_an_error(tmp_path: Path) -> None:
    async def fail() -> None:
        raise ValueError(f"the divorce of ann, {SECRET}")

    async def forget() -> None:
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task

    with crash.watched(lambda _: None):
        asyncio.run(forget())
        logging.getLogger("crmmail.x").error("no %s of %d: %s", SECRET, 7, "\x1b[2Jdivorce")
        logging.getLogger("asyncio").error(f"Task {SECRET!r}: divorce \x1b[2J\nfuture: {SECRET}")
    text = (tmp_path / "data" / "crmmail.log").read_text("utf-8")
    assert "Task exception was never retrieved" in text
    assert "no … of 7: …" in text
    assert "ValueError" in text
    assert "divorce" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("kind", [TypeError, AttributeError, NameError, ImportError])
def test_the_log_keeps_python_s_words_without_a_secret_in_them(
    kind: type[Exception], tmp_path: Path
) -> None:
    secrecy.remember(SECRET)
    crash.note("crmmail ended", kind("plain \x1b]52;c;QQ==\x07words"))
    crash.note("crmmail ended", kind(f"b'{SECRET}' is not a number"))
    text = (tmp_path / "data" / "crmmail.log").read_text("utf-8")
    assert f"{kind.__name__}: plain ]52;c;QQ==words" in text
    assert "\x1b" not in text
    assert SECRET not in text


def test_a_store_with_a_password_command_has_no_password(cli: Cli, tmp_path: Path) -> None:
    words = ("--imap", "127.0.0.1:1", "--security", "none", "--password-command")
    assert cli("account", "add", ME, *words, f"echo {SECRET}", "--no-test").code == 0
    for command in ("account list", "status", "doctor --offline", "doctor --report --offline"):
        said = cli(*command.split())
        assert SECRET not in said.out + said.err
        said = cli(*command.split(), *(() if "doctor" in command else ("--json",)))
        assert SECRET not in said.out + said.err
    assert cli("sync").code == 4
    with closing(sqlite3.connect(tmp_path / "data" / "crmmail.db")) as db:
        rows = [line for line in db.iterdump() if SECRET in line]
    assert len(rows) == 1  # the command, as it was typed
    assert f'command:"echo {SECRET}"' in rows[0]
