"""forget and remember, as a person types them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli

ANN = "ann@acme.example"


def test_forget_says_what_goes_and_asks(cli: Cli, filled: Path) -> None:
    unasked = cli("forget", ANN)
    assert unasked.code == 1
    assert "--yes" in unasked.err
    assert cli("person", "show", ANN).code == 0
    gone = cli("forget", ANN, "--yes", "--json")
    counts = {"addresses": 1, "messages": 3, "meetings": 0, "notes": 0, "skipped": 0, "mentions": 0}
    assert gone.json == counts
    assert cli("person", "show", ANN).code == 3
    assert ANN not in cli("dump").out


def test_remember_lets_the_mail_in_again(cli: Cli, filled: Path) -> None:
    before = cli("dump").out
    cli("forget", ANN, "--yes")
    assert cli("sync").code == 0
    assert ANN not in cli("dump").out
    assert cli("remember", ANN).code == 0
    assert cli("sync").code == 0
    assert cli("dump").out == before
    assert cli("remember", ANN).code == 1


def test_what_cannot_be_forgotten_is_said(cli: Cli, filled: Path) -> None:
    own = cli("forget", "me@home.example", "--yes")
    assert (own.code, "own address" in own.err) == (1, True)
    none = cli("forget", "nobody", "--yes")
    assert (none.code, "not an e-mail address" in none.err) == (2, True)
