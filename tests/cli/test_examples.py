"""The examples of README.md and of docs are what crmmail takes and prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from crmmail.cli.root import app
from tests.cli.conftest import Cli, mail
from tests.conftest import Mailbox
from tests.servers import PASSWORD

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FORM = re.compile(r"[\[|…]|\b[A-Z]{2,}\b")  # the form of a command, and no example


def examples() -> list[tuple[str, str]]:
    """Each line of the pages that calls crmmail, as it would be typed."""
    found = []
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in block.splitlines():
                typed = line.removeprefix("$ ").partition("  #")[0].strip()
                if typed.startswith("crmmail ") and not _FORM.search(typed.split(" '")[0]):
                    found.append((page.name, typed))
    return list(dict.fromkeys(found))


def test_there_are_examples() -> None:
    assert len(examples()) > 20


@pytest.mark.parametrize(("page", "line"), examples())
def test_an_example_is_a_command_with_options_that_there_are(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[: next((i for i, word in enumerate(words) if word in "|><"), len(words))]
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not getattr(command, "commands", None) or words in ([], ["--help"], ["--version"]), line
    known = {one for param in command.params for one in (*param.opts, *param.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    assert given <= known | {"--help", "--version"}, f"{page}: {line}"


def test_what_why_says_in_the_readme_is_what_it_says(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    [block] = [one for one in _BLOCK.findall(README) if one.startswith("$ crmmail why")]
    head, _, said = block.partition("\n")
    sender, me = "Ann Lee <ann@acme.example>", "me@example.org"
    mailbox.append("INBOX", mail(12, sender, me, "Offer for the new press"))
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    place = ("--imap", f"{mailbox.host}:{mailbox.port}", "--security", "none")
    more = ("--username", mailbox.user, "--password-env", "TEST_PASSWORD", "--caldav", "none")
    added = cli("account", "add", me, *place, *more, "--policy", "sent_and_received")
    assert added.code == 0
    assert cli("sync").code == 0
    assert cli(*shlex.split(head.removeprefix("$ "))[1:]).out == said
