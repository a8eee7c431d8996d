"""Amounts of money: typed in a currency's unit, kept exactly, shown with its decimals."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmmail import money

CURRENCIES = ("EUR", "USD", "JPY", "KRW", "ISK", "KWD", "BHD", "CLF", "XYZ")


@pytest.mark.parametrize(
    ("typed", "currency", "kept", "exact", "shown"),
    [
        ("100", "JPY", 100, "100", "100 JPY"),
        ("100.00", "JPY", 100, "100", "100 JPY"),
        ("98,000", "JPY", 98_000, "98000", "98,000 JPY"),
        ("100", "EUR", 10_000, "100", "100 EUR"),
        ("12.5", "EUR", 1_250, "12.50", "12.50 EUR"),
        ("0.05", "EUR", 5, "0.05", "0.05 EUR"),
        ("12,5", "EUR", 1_250, "12.50", "12.50 EUR"),
        ("12,500.50", "EUR", 1_250_050, "12500.50", "12,500.50 EUR"),
        ("12.500,50", "EUR", 1_250_050, "12500.50", "12,500.50 EUR"),
        ("1.200.000", "EUR", 120_000_000, "1200000", "1,200,000 EUR"),
        ("12 500", "CHF", 1_250_000, "12500", "12,500 CHF"),
        ("12'500", "CHF", 1_250_000, "12500", "12,500 CHF"),
        ("1.234", "KWD", 1_234, "1.234", "1.234 KWD"),
        ("12.505", "KWD", 12_505, "12.505", "12.505 KWD"),
        ("12,500.505", "KWD", 12_500_505, "12500.505", "12,500.505 KWD"),
        ("1.5", "KWD", 1_500, "1.500", "1.500 KWD"),
        ("1.2345", "CLF", 12_345, "1.2345", "1.2345 CLF"),
        ("3", "XYZ", 300, "3", "3 XYZ"),
        ("0", "EUR", 0, "", ""),
        ("", "EUR", 0, "", ""),
        ("  ", "JPY", 0, "", ""),
    ],
)
def test_an_amount_is_typed_kept_and_shown(
    typed: str, currency: str, kept: int, exact: str, shown: str
) -> None:
    assert money.parse(typed, currency) == kept
    assert money.exact(kept, currency) == exact
    assert money.shown(kept, currency) == shown


@pytest.mark.parametrize(
    ("typed", "currency", "said"),
    [
        ("12.505", "EUR", "EUR has 2 decimals, and '12.505' has 3."),
        ("12.500", "EUR", "EUR has 2 decimals, and '12.500' has 3."),
        ("100.5", "JPY", "JPY has no decimals, and '100.5' has 1."),
        ("1.23456", "KWD", "KWD has 3 decimals, and '1.23456' has 5."),
        ("12,505", "KWD", "'12,505' can be read in two ways."),
        ("1e99", "EUR", "'1e99' is not an amount."),
        ("nan", "EUR", "'nan' is not an amount."),
        ("-5", "EUR", "'-5' is not an amount."),
        ("1,2,3", "EUR", "'1,2,3' is not an amount."),
        ("١٢", "EUR", "'١٢' is not an amount."),
        ("9" * 20, "EUR", f"'{'9' * 20}' is too large an amount."),
        ("9" * 400, "JPY", f"'{'9' * 60}' is too large an amount."),
        ("90071992547409.92", "EUR", "'90071992547409.92' is too large an amount."),
    ],
)
def test_what_is_not_an_amount_is_refused_and_not_rounded(
    typed: str, currency: str, said: str
) -> None:
    with pytest.raises(money.MoneyError) as caught:
        money.parse(typed, currency)
    assert str(caught.value) == said


@given(st.integers(0, (1 << 53) - 1), st.sampled_from(CURRENCIES))
def test_what_is_shown_to_be_edited_is_read_as_it_is_kept(amount: int, currency: str) -> None:
    assert money.parse(money.exact(amount, currency), currency) == amount


@given(st.text(max_size=30), st.sampled_from(CURRENCIES))
def test_any_text_is_an_amount_or_refused_in_words(typed: str, currency: str) -> None:
    with suppress(money.MoneyError):
        kept = money.parse(typed, currency)
        assert money.parse(money.exact(kept, currency), currency) == kept
