"""Rows fill their width at every width, and columns bend."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from crmmail.store.companies import CompanyRow
from crmmail.store.opportunities import OpportunityRow
from crmmail.store.people import PersonRow
from crmmail.store.threads import ThreadRow
from crmmail.widgets import rows
from tests.screens.conftest import NOW

AT = int(NOW.timestamp()) - 60
PERSON = PersonRow(1, "田中 花子", "hanako@gmail.example", 2, "Acme", 12, AT, AT, 0)
COMPANY = CompanyRow(1, "Acme", ("acme.example", "acme.test"), 3, 12, AT, AT, 0)
DEAL = OpportunityRow(
    1, "Pilot", "proposal", 1_250_000, "EUR", 1, "Acme", 1, "Ada", 3, AT, AT, "", 0
)
THREAD = ThreadRow(1, "Re: Pilot", AT, 6, 1, 2, ("me", "Ada"), "The contract", "people,domain")


def text(pieces: object) -> str:
    return "".join(piece[0] for piece in pieces)  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [50, 76, 78, 100, 140, 198, 240])
def test_rows_and_headings_fill_the_width(width: int) -> None:
    drawn = (
        rows.person(PERSON, width),
        rows.company(COMPANY, width),
        rows.opportunity(DEAL, width),
        rows.thread(THREAD, width),
        rows.heading(rows.PEOPLE, width),
        rows.heading(rows.OPPORTUNITIES, width),
    )
    assert [cell_len(text(pieces)) for pieces in drawn] == [width] * len(drawn)


def test_all_columns_are_there_at_80_and_fewer_below() -> None:
    assert 0 not in rows.widths(rows.PEOPLE, 76)
    narrow = rows.widths(rows.PEOPLE, 40)
    assert narrow[0] >= 16
    assert narrow[3] == 0  # the number of threads goes first
    assert narrow[-1] == 10
    assert narrow[-2] == 0  # and before it the next meeting


@pytest.mark.parametrize(
    "name",
    [
        "שלום עולם",
        "مرحبا بكم",
        "e\u0301" * 9,
        "किशोरी",
        "田中 花子",
        "👩\u200d👩\u200d👧 Ann",
        "क्ष" * 30,
    ],
)
@pytest.mark.parametrize("width", [76, 140])
def test_columns_stay_in_line_behind_any_script(name: str, width: int) -> None:
    plain, other = (
        text(rows.person(replace(PERSON, name=who, company="Acme|"), width))
        for who in ("Ann", name)
    )
    before = [cell_len(line.partition("Acme|")[0]) for line in (plain, other)]
    assert before[0] == before[1] > 0
    assert cell_len(plain) == cell_len(other) == width


def test_a_thread_says_who_what_and_when() -> None:
    line = text(rows.thread(THREAD, 76))
    assert line.startswith("● me, Ada ")
    assert " 6  Re: Pilot  The con" in line
    assert "+2" in line
    assert line.endswith("09:25")


def test_the_reason_is_told_for_companies_and_deals_only() -> None:
    assert "people " in text(rows.thread(THREAD, 76))
    assert "people, domain" in text(rows.thread(THREAD, 120))
    own = ThreadRow(1, "Hi", AT, 1, 0, 0, ("Ada",), "", "participant")
    assert "participant" not in text(rows.thread(own, 120))


def test_a_thread_without_a_subject_says_so() -> None:
    bare = ThreadRow(1, "", AT, 1, 0, 0, ("Ada",), "Hello", "")
    assert "(no subject)  Hello" in text(rows.thread(bare, 76))
