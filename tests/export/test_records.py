"""Records in other programs' forms: Twenty's CSV, vCards, iCalendar."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from crmmail.export import events, twenty, vcards
from crmmail.store import companies, notes, opportunities, people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two people, two companies, an opportunity."""
    opened = Store(tmp_path / "crmmail.db")
    acme = companies.create(opened, "Acme, Inc.", ["acme.example", "acme-labs.example"])
    ada = people.create(
        opened,
        "Ada King Lovelace",
        ["ada@acme.example", "ada@lovelace.example"],
        acme,
        job="Analyst; engines",
        phone="+44 20 7946 0000",
        links="https://www.linkedin.com/in/ada\nhttps://x.com/ada",
    )
    people.create(opened, '=HYPERLINK("https://evil.example")', ["eve@evil.example"])
    companies.create(opened, "Ünsal", ())
    notes.add(opened, Kind.PERSON, ada, "Likes engines,\nand poetry")
    opportunities.add(
        opened,
        "Pilot",
        company_id=acme,
        contact_id=ada,
        amount=1_250_050,
        currency="EUR",
        stage="won",
        closes_on="2026-12-31",
    )
    yield opened
    opened.close()


def table(store: Store, kind: Kind) -> list[dict[str, str]]:
    """A CSV's rows, by the heads of their columns."""
    return [
        dict(zip(twenty.HEADS[kind], row, strict=True)) for row in twenty.rows(store.read(), kind)
    ]


def test_people_have_the_columns_that_twenty_maps(store: Store) -> None:
    (ada,) = [row for row in table(store, Kind.PERSON) if row["Name / Last Name"] == "Lovelace"]
    assert ada == {
        "Name / First Name": "Ada King",
        "Name / Last Name": "Lovelace",
        "Emails / Primary Email": "ada@acme.example",
        "Emails / Additional Emails": '["ada@lovelace.example"]',
        "Phones / Primary Phone Number": "+44 20 7946 0000",
        "Job Title": "Analyst; engines",
        "Linkedin / Link URL": "https://www.linkedin.com/in/ada",
        "X / Link URL": "https://x.com/ada",
        "Company / Domain Name / Link URL": "https://acme-labs.example",
    }


def test_companies_and_opportunities_too(store: Store) -> None:
    acme, other = table(store, Kind.COMPANY)
    assert acme["Name"] == "Acme, Inc."
    assert acme["Domain Name / Link URL"] == "https://acme-labs.example"
    assert json.loads(acme["Domain Name / Secondary Links"]) == [
        {"url": "https://acme.example", "label": ""}
    ]
    assert other["Domain Name / Link URL"] == ""
    (deal,) = table(store, Kind.OPPORTUNITY)
    assert deal == {
        "Name": "Pilot",
        "Amount / Amount": "12500.50",
        "Amount / Currency": "EUR",
        "Close date": "2026-12-31",
        "Stage": "CUSTOMER",
        "Company / Domain Name / Link URL": "https://acme-labs.example",
        "Point of Contact / Emails / Primary Email": "ada@acme.example",
    }


def test_no_cell_is_a_formula(store: Store) -> None:
    names = [row["Name / First Name"] for row in table(store, Kind.PERSON)]
    assert """'=HYPERLINK("https://evil.example")""" in names


@given(st.text())
def test_a_cell_that_begins_like_a_formula_is_a_number_or_marked(cell: str) -> None:
    harmless = twenty.harmless(cell)
    assert harmless.removeprefix("'") == cell.removeprefix("'") or harmless == f"'{cell}"
    if harmless[:1] in ("=", "@"):
        pytest.fail(harmless)


def test_another_program_reads_the_vcards(store: Store) -> None:
    text = "".join(vcards.cards(store.read()))
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    cards = {card.fn.value: card for card in vobject.readComponents(text)}
    ada = cards["Ada King Lovelace"]
    assert [email.value for email in ada.email_list] == ["ada@acme.example", "ada@lovelace.example"]
    assert ada.org.value == ["Acme, Inc."]
    assert ada.title.value == "Analyst; engines"
    assert ada.note.value == "Likes engines,\nand poetry"
    assert (ada.n.value.given, ada.n.value.family) == ("Ada King", "Lovelace")
    assert text == "".join(vcards.cards(store.read()))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_long_lines_are_folded_between_characters(line: str) -> None:
    folded = vcards._folded(line)
    assert folded.replace("\r\n ", "") == line
    assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))


def test_meetings_are_one_calendar_with_each_zone_once(store: Store) -> None:
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n"
        "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    with store.write() as (db, _):
        db.execute("INSERT INTO calendar (id, url) VALUES (1, 'file:x')")
        for number in (1, 2, 3):
            raw = (
                f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{zone}BEGIN:VEVENT\r\nUID:{number}\r\n"
                f"DTSTART;TZID=Europe/Berlin:2026031{number}T090000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            )
            db.execute(
                "INSERT INTO calendar_object (id, calendar_id, href, uid, raw)"
                " VALUES (?, 1, ?, ?, ?)",
                [number, f"/{number}", str(number), raw],
            )
        db.execute("INSERT INTO meeting (uid, object_id) VALUES ('1', 1), ('2', 2)")
    made = icalendar.Calendar.from_ical(events.calendar(store.read()))
    assert [part.name for part in made.subcomponents] == ["VTIMEZONE", "VEVENT", "VEVENT"]
    assert [str(event["UID"]) for event in made.walk("VEVENT")] == ["1", "2"]
