"""Amounts of money in the store: lists, what was changed, older stores and older backups."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import changes, daily, handmade, opening, opportunities
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.store.put_back import put_back
from crmmail.widgets.changes import told

from .conftest import Filler

_HUNDREDTHS = 13
"""The last version of the tables in which most amounts were hundredths."""
OLD = {"EUR": 1_250, "JPY": 98_000, "VUV": 10_000, "KWD": 125, "CLF": 150, "XYZ": 700}
NOW = {"EUR": 1_250, "JPY": 98_000, "VUV": 100, "KWD": 1_250, "CLF": 15_000, "XYZ": 700}
SHOWN = ["12.50 EUR", "98,000 JPY", "100 VUV", "1.250 KWD", "1.5000 CLF", "7 XYZ"]


def _changed(store: Store) -> list[str]:
    found = store.read().execute(
        "SELECT field, old, new FROM record_change WHERE field = 'amount' ORDER BY record_id"
    )
    return [told(changes.FieldChange(*row)) for row in found]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store of that version: an opportunity in each currency, with a changed amount."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        opening.prepare(db)
        for number, script in sorted(opening.migrations().items()):
            if number <= _HUNDREDTHS:
                db.executescript(script)
        db.execute(f"PRAGMA user_version = {_HUNDREDTHS}")
        for number, (currency, amount) in enumerate(OLD.items(), 1):
            db.execute(
                "INSERT INTO opportunity (id, name, amount, currency) VALUES (?, ?, ?, ?)",
                [number, currency, amount, currency],
            )
            db.execute(
                "INSERT INTO record_change (kind, record_id, at, field, old, new) "
                "VALUES (3, ?, 1, 'amount', '', ?)",
                [number, f"{amount} {currency}"],
            )
        db.commit()
    return path


def test_an_older_store_shows_the_same_amounts(old: Path) -> None:
    with closing(Store(old)) as store:
        rows = opportunities.rows(store.read(), range(1, len(OLD) + 1))
        assert {row.currency: row.amount for row in rows} == NOW
        assert _changed(store) == [f"Amount added: {words}" for words in SHOWN]


def test_an_older_backup_brings_the_same_amounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmmail.money.is_currency", OLD.__contains__)  # XYZ was taken then
    document: handmade.Document
    with closing(Store(tmp_path / "one.db")) as store:
        for currency in OLD:
            deal = opportunities.add(store, currency, currency=currency)
            opportunities.edit(store, deal, amount=1)
        document = handmade.collect(store.read(), 0)
    assert document["version"] == handmade.VERSION
    document["version"] = 1
    for row in document["opportunities"]:
        row["amount"] = OLD[row["currency"]]
    for row in document["changes"]:
        row["new"] = f"{OLD[row['new'].partition(' ')[2]]} {row['new'].partition(' ')[2]}"
    path = daily.write(document, tmp_path / "daily-2026-01-01.json.gz")
    with closing(Store(tmp_path / "two.db")) as store:
        put_back(store, daily.read(path))
        db = store.read()
        rows = opportunities.rows(db, opportunities.view(db))
        assert {row.currency: row.amount for row in rows} == NOW
        assert _changed(store) == [f"Amount added: {words}" for words in SHOWN]
        assert put_back(store, daily.read(path))["opportunities"] == 0


def test_a_list_is_sorted_by_the_numbers_that_are_shown(fill: Filler) -> None:
    amounts = {"JPY": 500, "EUR": 60_000, "KWD": 400_000, "CLF": 3_000_000}  # 500, 600, 400, 300
    for currency, amount in amounts.items():
        opportunities.add(fill.store, currency, amount=amount, currency=currency)
    found = opportunities.rows(fill.db, opportunities.view(fill.db, "amount"))
    assert [row.currency for row in found] == ["EUR", "JPY", "KWD", "CLF"]
    assert fill.db.execute("SELECT count(*) FROM opportunity").fetchone() == (4,)


def test_an_amount_that_is_changed_and_put_back_is_the_same(fill: Filler) -> None:
    deal = opportunities.add(fill.store, "Fonts", amount=100, currency="JPY")
    before = opportunities.edit(fill.store, deal, amount=1_250, currency="KWD")
    assert [told(one) for one in _log(fill, deal)] == [
        "Amount: 100 JPY → 1.250 KWD",
        "Currency: JPY → KWD",
    ]
    opportunities.put_back(fill.store, deal, **before)
    [row] = opportunities.rows(fill.db, [deal])
    assert (row.amount, row.currency) == (100, "JPY")


def test_a_currency_that_iso_4217_does_not_have_is_refused_and_a_stored_one_stays(
    fill: Filler,
) -> None:
    deal = opportunities.add(fill.store, "Fonts", amount=100, currency="eur")
    for code in ("ZZZ", "XXX", "BTC", "E1R", "", "EURO", "€"):
        with pytest.raises(CrmmailError, match="is not a currency of ISO 4217"):
            opportunities.edit(fill.store, deal, currency=code)
    with fill.store.write("opportunities") as (db, _):
        db.execute("UPDATE opportunity SET currency = 'ZZZ'")
    before = opportunities.edit(fill.store, deal, currency="USD")
    opportunities.put_back(fill.store, deal, **before)
    opportunities.edit(fill.store, deal, amount=200)
    [row] = opportunities.rows(fill.db, [deal])
    assert (row.amount, row.currency) == (200, "ZZZ")


def _log(fill: Filler, deal: int) -> list[changes.FieldChange]:
    found = fill.db.execute(
        "SELECT field, old, new FROM record_change WHERE kind = ? AND record_id = ? ORDER BY field",
        [int(Kind.OPPORTUNITY), deal],
    )
    return [changes.FieldChange(*row) for row in found]
