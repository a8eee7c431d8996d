"""An amount on the command line, and wherever it is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("typed", "currency", "kept", "shown", "exported"),
    [
        ("100", "JPY", 100, "100 JPY", "100"),
        ("12.5", "EUR", 1_250, "12.50 EUR", "12.50"),
        ("1200", "eur", 120_000, "1,200 EUR", "1200"),
        ("1.234", "KWD", 1_234, "1.234 KWD", "1.234"),
    ],
)
def test_an_amount_is_the_same_everywhere(
    cli: Cli, tmp_path: Path, typed: str, currency: str, kept: int, shown: str, exported: str
) -> None:
    added = cli(
        *("opportunity", "add", "--name", "New press", "--json"),
        *("--amount", typed, "--currency", currency),
    ).json
    code = currency.upper()
    assert (added["amount"], added["currency"]) == (kept, code)
    [listed] = cli("opportunities", "list", "--json").json
    assert (listed["amount"], listed["currency"]) == (kept, code)
    assert f"\t{shown}\t" in cli("opportunities", "list").out
    assert f"  {shown}\n" in cli("opportunity", "show", added["id"]).out
    assert f",{exported},{code}," in cli("export", "opportunities").out
    [dumped] = [
        line
        for line in map(json.loads, cli("dump").out.splitlines())
        if line["what"] == "opportunity"
    ]
    assert (dumped["amount"], dumped["currency"]) == (kept, code)


@pytest.mark.parametrize(
    ("typed", "currency", "said"),
    [
        ("1e99", "EUR", "'1e99' is not an amount."),
        ("12.505", "EUR", "EUR has 2 decimals, and '12.505' has 3."),
        ("0.5", "JPY", "JPY has no decimals, and '0.5' has 1."),
    ],
)
def test_an_amount_that_cannot_be_is_refused(
    cli: Cli, typed: str, currency: str, said: str
) -> None:
    words = ("opportunity", "add", "--name", "x", "--amount", typed, "--currency", currency)
    outcome = cli(*words)
    assert outcome.code == 2
    assert outcome.err.startswith(f"crmmail: --amount: {said}")
    assert cli("opportunities", "list", "--json").json == []
