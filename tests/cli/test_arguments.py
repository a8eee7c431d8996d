"""Every option of every command, with values that it cannot take: code 2, and one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from crmmail.cli.root import app
from tests.cli.conftest import ME, Cli

_HUGE = "9" * 400
EMPTY = ("", "  ")
NUMBER = ("", "x", "-1", "1.5", "1e3", "²", "0x10", _HUGE)
DATE = ("", "soon", "2026-02-30", "2026-13-01", "31.12.2026", "20261231", "-1", _HUGE)
ADDRESS = ("", "nobody", "a b@c.example extra@", "@", "a@b@c", "\x1b[31m@c.example", "x" * 5_000)
DOMAIN = ("", "a b", "a/b", "a@b.example", "x" * 5_000, "\x1b[31m", "..")
PATTERN = (*ADDRESS, "@a b")
VARIABLE = ("", "1A", "a b", "A=B", "-A", "PÄSSWORD")
URL = ("", "ftp://cal.example.org/", "https://", "https://u@h/", "https://h:x/", "a b", "h" * 5_000)
CHOICE = ("", "bogus", "-1", "NONE ", "\x1b[31m", "x" * 5_000)
FILE = (".", "x" * 5_000)

WRONG: dict[str, tuple[str, ...]] = {
    "--account": ADDRESS,
    "--alias": ADDRESS,
    "--amount": ("", "x", "-5", "1e99", "nan", "inf", "12.505", "1,2,3", "١٢", "12€", _HUGE),
    "--calendar": EMPTY,
    "--caldav": URL,
    "--caldav-password-command": EMPTY,
    "--caldav-password-env": VARIABLE,
    "--caldav-username": EMPTY,
    "--closes-on": DATE,
    "--company": EMPTY,
    "--contact": EMPTY,
    "--currency": ("", "ZZZ", "XXX", "XTS", "DEM", "EURO", "E1", "€", "ÄÖÜ", "x" * 5_000),
    "--days": (*NUMBER, "0"),
    "--drop-alias": ADDRESS,
    "--drop-internal": DOMAIN,
    "--format": CHOICE,
    "--from": DATE,
    "--imap": ("", "a b", "h:0", "h:x", "h:65536", "h:-1", "https://h/", "h:²", "x" * 5_000),
    "--internal": DOMAIN,
    "--limit": NUMBER,
    "--match": (),  # any text, and none: all
    "--meeting-policy": CHOICE,
    "--meetings": CHOICE,
    "--name": EMPTY,
    "account add --name": (),  # any text, and none: no name
    "--oauth": CHOICE,
    "--off": EMPTY,
    "--on": EMPTY,
    "--opportunity": EMPTY,
    "--password-command": EMPTY,
    "--password-env": VARIABLE,
    "--person": EMPTY,
    "--pin": ("", "x", "ab" * 31, "zz" * 32, "ab" * 5_000),
    "--policy": CHOICE,
    "--reason": CHOICE,
    "--remove": EMPTY,
    "--security": CHOICE,
    "--since": DATE,
    "--sort": CHOICE,
    "--stage": CHOICE,
    "--to": FILE,
    "export --to": (".", "x" * 5_000),
    "--username": EMPTY,
    "--visibility": CHOICE,
    "ADDRESS": ADDRESS,
    "EMAIL": EMPTY,
    "account add EMAIL": ADDRESS,
    "sync EMAIL": (),  # one that is not an account is not found: code 3
    "FILE": FILE,
    "backup FILE": (),  # a directory will do too
    "FOLDER": EMPTY,
    "ID": NUMBER,
    "people show ID": EMPTY,  # or a name
    "companies show ID": EMPTY,
    "opportunities show ID": EMPTY,
    "MESSAGE": (*(one for one in NUMBER if one != "1.5"), "7.", ".2", "7.2.1", "7,2", "٧.٢"),
    "MESSAGE-ID": EMPTY,
    "NAME": EMPTY,
    "NUMBER": NUMBER,
    "PATTERN": PATTERN,
    "QUERY": EMPTY,
    "UID": EMPTY,
    "WHAT": CHOICE,
    "WHO": EMPTY,
}
"""What a value of each option or argument cannot be; with its command where it differs there."""

GOOD = {
    "ADDRESS": "ann@acme.example",
    "EMAIL": ME,
    "FILE": "a-file",
    "FOLDER": "INBOX",
    "ID": "1",
    "MESSAGE": "1",
    "MESSAGE-ID": "<a@b.example>",
    "NAME": "Work",
    "NUMBER": "0",
    "PATTERN": "@acme.example",
    "QUERY": "offer",
    "UID": "u-1",
    "WHAT": "people",
    "WHO": "Ann",
    "--name": "New press",
}
MORE = {"account add": ["--no-test", "--imap=127.0.0.1:1", "--password-env=TEST_PASSWORD"]}
ODD = ("ünï©ode 日本語", "\x1b]52;c;eA==\x07\u202e", "-1", _HUGE, "x" * 5_000, "'\";--")


def _params() -> Iterator[tuple[str, Any, list[Any]]]:
    """Each parameter that takes a value: its command, itself, and all of the command's."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any, list[Any]]]:
        seen: list[Any] = []
        for name, below in getattr(command, "commands", {}).items():
            if not any(one is below for one in seen) and not below.hidden:
                yield from walk(below, (*path, name))
            seen.append(below)
        if path and not hasattr(command, "commands"):
            for param in command.params:
                if not getattr(param, "is_flag", False):
                    yield " ".join(path), param, command.params

    return walk(typer.main.get_command(app), ())


def _name(param: Any) -> str:
    if param.param_type_name == "option":
        return str(param.opts[0])
    name = str(param.metavar or param.name.upper()).strip("[].")
    return "WHAT" if "|" in name else name


def _words(path: str, params: list[Any], wrong: Any, value: str) -> list[str]:
    """A command line that is right but for one value."""
    options, arguments = [], []
    for param in params:
        name = _name(param)
        if param.param_type_name == "option":
            if param is wrong:
                options.append(f"{name}={value}")
            elif param.required:
                options.append(f"{name}={GOOD[name]}")
        elif param is wrong:
            arguments.append(value)
        elif param.required:
            arguments.append(GOOD[name])
    more = [one for one in MORE.get(path, []) if not one.startswith(f"{_name(wrong)}=")]
    return [*path.split(), *options, *more, "--", *arguments]


PARAMS = [pytest.param(*one, id=f"{one[0]} {_name(one[1])}") for one in _params()]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_PASSWORD", "secret")


@pytest.mark.parametrize(("path", "param", "params"), PARAMS)
def test_a_value_that_cannot_be_is_code_2_and_one_sentence(
    cli: Cli, path: str, param: Any, params: list[Any]
) -> None:
    name = _name(param)
    for value in WRONG.get(f"{path} {name}", WRONG.get(name, ())):
        outcome = cli(*_words(path, params, param, value))
        assert (outcome.code, outcome.out) == (2, ""), (value[:80], outcome)
        [line] = outcome.err.splitlines()
        asked = str(param.metavar) if name == "WHAT" else name
        assert line.startswith(f"crmmail: {asked}: "), (value[:80], line)
        assert len(line) < 1_000, line


@pytest.mark.parametrize(("path", "param", "params"), PARAMS)
def test_an_odd_value_ends_in_words(cli: Cli, path: str, param: Any, params: list[Any]) -> None:
    for value in ODD:
        outcome = cli(*_words(path, params, param, value))
        assert outcome.code in (0, 1, 2, 3), (value[:80], outcome)
        said = outcome.out + outcome.err
        assert "Traceback" not in said
        assert "error of crmmail's own" not in said, outcome
        assert not {"\x1b", "\x07", "\u202e"} & {*said}, (value, said)
        assert bool(outcome.code) <= ("crmmail: " in outcome.err), outcome


def test_every_option_is_in_the_table() -> None:
    found = [(path, _name(param)) for path, param, _ in _params()]
    assert len(found) > 80
    assert [
        f"{path} {name}"
        for path, name in found
        if name not in WRONG and f"{path} {name}" not in WRONG
    ] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("people", "list", "--limi", "3"), "No such option: --limi"),
        (("people", "lst"), "No such command 'lst'"),
        (("people", "list", "more"), "more"),
        (("people", "list", "--limit"), "--limit"),
        (("opportunity", "add"), "--name: it is missing."),
        (("account", "add"), "EMAIL: it is missing."),
        (("attachment", "61"), "NUMBER: it is missing."),
        (("person", "show"), "it is missing."),
        (("sync", "--once", "--watch"), "Give one of --once and --watch."),
        (("skipped", "--meetings", "--reason", "group"), "'group' is not one of: calendar, "),
        (("skipped", "--contacts", "--reason", "group"), "--contacts goes with neither"),
        (("export", "meetings", "--format", "csv"), "it has ics."),
        (("export", "threads", "--format", "mbox"), "--to: it is missing."),
        (("thread", "list", "--person", "1", "--company", "1"), "Give one of --person"),
        (("backup", "--list", "x"), "Give one of FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_line_that_cannot_be_is_one_sentence(
    cli: Cli, words: tuple[str, ...], said: str
) -> None:
    outcome = cli(*words)
    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    assert line.startswith("crmmail: ")
    assert said in line


def test_a_command_that_needs_another_shows_its_help(cli: Cli) -> None:
    outcome = cli("account")
    assert outcome.code == 2
    assert "reconnect" in outcome.out + outcome.err


def test_a_list_of_none_says_nothing_untrue(cli: Cli) -> None:
    for words in (("people", "list"), ("thread", "list"), ("skipped",), ("skipped", "--meetings")):
        outcome = cli(*words, "--limit", "0")
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
