"""What a fresh process loads: the floors of the house, and what a quick start must not wait for."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import crmmail

INTERFACE = ("textual", "rich", "typer")
NETWORK = ("imapclient", "caldav", "keyring")
SLOW = ("sqlmodel", "sqlalchemy", *NETWORK)


def loaded(program: str) -> set[str]:
    """The top-level packages that a fresh process has loaded after a program."""
    report = "\nimport sys; print('loaded', *sorted({name.split('.')[0] for name in sys.modules}))"
    ended = subprocess.run(
        [sys.executable, "-c", program + report],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return set(ended.stdout.splitlines()[-1].split()[1:])


def modules(package: str) -> list[str]:
    """Every module of a package of ours, with the package itself."""
    path = Path(crmmail.__file__).parent / package
    found = [f"crmmail.{package}.{one.name}" for one in pkgutil.iter_modules([str(path)])]
    return [f"crmmail.{package}", *found]


def command(*words: str) -> str:
    """A program that runs a command line."""
    return f"from crmmail.cli import main; main({list(words)!r})"


@pytest.mark.parametrize("package", ["store", "sync", "accounts"])
def test_the_lower_floors_know_no_interface(package: str) -> None:
    found = loaded(f"import {', '.join(modules(package))}")
    assert "crmmail" in found
    assert not found & set(INTERFACE)


@pytest.mark.parametrize("name", ["text", "addresses", "settings", "errors"])
def test_the_ground_floor_knows_no_store(name: str) -> None:
    found = loaded(f"import crmmail.{name}, sys; assert 'crmmail.store' not in sys.modules")
    assert not found & {*INTERFACE, *SLOW, "sqlite3"}


@pytest.mark.parametrize("package", ["screens", "widgets"])
def test_screens_and_widgets_know_no_network_and_load_no_models(package: str) -> None:
    found = loaded(
        f"import {', '.join(modules(package))}, sys; assert 'crmmail.sync' not in sys.modules"
    )
    assert not found & set(SLOW)


def test_what_the_app_is_made_of_waits_for_nothing_slow() -> None:
    assert not loaded("import crmmail.app") & {*SLOW, "typer", "pydantic"}


@pytest.mark.parametrize(
    "name",
    [
        *("textual.widgets._text_area", "hashlib", "webbrowser", "gzip"),
        *("crmmail.screens.form", "crmmail.store.handmade"),
    ],
)
def test_the_first_picture_waits_for_nothing_that_only_some_keys_need(name: str) -> None:
    loaded(f"import crmmail.app, sys; assert {name!r} not in sys.modules")


def test_the_sync_reads_mail_without_the_models() -> None:
    found = loaded("import crmmail.sync.mailbox, crmmail.store.database")
    assert "imapclient" in found
    assert not found & {"sqlmodel", "keyring", "caldav"}


def test_the_command_without_a_command_waits_for_no_typer() -> None:
    assert not loaded("import crmmail.cli") & {*INTERFACE, *SLOW}
    assert not loaded(command("--version")) & {*INTERFACE, *SLOW}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["people", "list"],
        ["people", "list", "--json"],
        ["thread", "list"],
        ["why", "x"],
        ["status"],
        ["dump"],
    ],
    ids=" ".join,
)
def test_commands_that_read_load_no_network_no_models_no_app(words: list[str]) -> None:
    assert not loaded(command(*words)) & {*SLOW, "textual"}
