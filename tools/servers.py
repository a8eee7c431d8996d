"""Play the scenarios on every make of IMAP server and write docs/servers.md: `make servers`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "servers.md"
_MODULE = "tests/sync/test_servers_alike.py"
_TOLD = (
    "CONDSTORE",
    "LIST-STATUS",
    "SPECIAL-USE",
    "UIDPLUS",
    "MOVE",
    "IDLE",
    "ESEARCH",
    "OBJECTID",
)
_HEAD = """# IMAP servers

Made by `make servers`, which plays the same scenarios on each of these servers. "yes" means that
the scenario went as it must, and that `crmmail dump` is equal to the one on Dovecot after it.

"""


@dataclass(eq=False)
class Outcome:
    """Collects what the tests came to; a plugin of pytest."""

    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    facts: dict[str, dict[str, object]] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of one scenario on one server."""
        told = dict(report.user_properties)
        if report.when == "teardown" or "scenario" not in told:
            return
        make, scenario = str(told["make"]), str(told["scenario"])
        self.facts.setdefault(make, {}).update(told)
        if report.failed:
            missing = told.get("unavailable")
            self.cells[scenario, make] = f"not available: {missing}" if missing else "**no**"
        elif report.when == "call":
            passed = ", ".join(filter(None, ["yes", str(told.get("how", ""))]))
            self.cells.setdefault((scenario, make), passed if report.passed else "skipped")

    def page(self) -> str:
        """The page with a table of outcomes and one of what the servers can do."""
        makes = list(self.facts)
        titles = [str(self.facts[make].get("version", make)) for make in makes]
        scenarios = dict.fromkeys(scenario for scenario, _ in self.cells)
        lines = list(_table(["scenario", *titles], self._rows(scenarios, makes)))
        lines += ["", "What each of them announces, and how it names a folder in a folder:", ""]
        lines += _table(["", *titles], self._abilities(makes))
        notes = {
            title: self.facts[make].get("note") for make, title in zip(makes, titles, strict=True)
        }
        lines += ["", *(f"- {title}: {note}" for title, note in notes.items() if note)]
        return _HEAD + "\n".join(lines).rstrip() + "\n"

    def _rows(self, scenarios: Iterable[str], makes: list[str]) -> Iterable[list[str]]:
        for scenario in scenarios:
            yield [scenario, *(self.cells.get((scenario, make), "not run") for make in makes)]

    def _abilities(self, makes: list[str]) -> Iterable[list[str]]:
        for name in _TOLD:
            yield [name, *("yes" if name in self._can(make) else "no" for make in makes)]
        yield ["a folder", *(f"`{self.facts[make].get('spelling', '?')}`" for make in makes)]

    def _can(self, make: str) -> list[str]:
        told = self.facts[make].get("capabilities", [])
        return [str(one) for one in told] if isinstance(told, list) else []


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def main() -> int:
    """Run the scenarios; returns pytest's exit code."""
    os.environ.update(CRMMAIL_SERVERS="all", CRMMAIL_NEED_DOVECOT="1")
    outcome = Outcome()
    code = pytest.main([str(ROOT / _MODULE), f"--rootdir={ROOT}", *sys.argv[1:]], [outcome])
    if outcome.cells:
        PAGE.write_text(outcome.page(), "utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
