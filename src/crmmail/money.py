"""Amounts of money: typed in a currency's unit, kept exactly, shown with its decimals.

Kept is a whole number of the currency's smallest unit, of which ISO 4217 says how many make one:
100 yen are 100, 100 euros are 10,000, 100 Kuwaiti dinars are 100,000.
"""

from __future__ import annotations

import re

from crmmail.errors import CrmmailError
from crmmail.text import one_line

# ISO 4217, table A.1: currencies that have not two decimals.
_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_CODES = frozenset(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR "
    "FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY "
    "KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU "
    "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON "
    "RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP "
    "TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC "
    "XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG "
    "ANG BGN CUC HRK SLL ZWL".split()  # withdrawn since 2021, and still in contracts
)
_ALWAYS_WHOLE = frozenset("CLP ISK JPY KRW PYG UGX VND XAF XOF XPF".split())
"""Those that were never kept in hundredths."""
_OF = {code: number for number, codes in _DECIMALS.items() for code in codes.split()}
_MOST = 4  # decimals that a currency has
_GROUP = 3  # digits that are grouped
_LIMIT = 1 << 53  # what a script's JSON reader keeps exactly
_GAPS = str.maketrans("", "", " \u00a0\u202f'’_")
_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3}){2,}|\d{1,3}(?:\.\d{3})+,\d+", re.ASCII)
_PLAIN = re.compile(r"(\d+)(?:[.,](\d+))?", re.ASCII)
_TWO_WAYS = re.compile(r"\d{1,3},\d{3}", re.ASCII)
_SCALES = " ".join(f"WHEN {code!r} THEN {10 ** (_MOST - n)}" for code, n in _OF.items())
UNITS = f"(r.amount * CASE r.currency {_SCALES} ELSE {10 ** (_MOST - 2)} END)"
"""An SQL expression by which amounts of records `r` are sorted: by the numbers that are shown."""


class MoneyError(CrmmailError):
    """What was typed is not an amount of that currency."""


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has a currency of that code, in capital letters."""
    return code in _CODES


def decimals(currency: str) -> int:
    """How many decimals a currency has; two where ISO 4217 does not know it."""
    return _OF.get(currency.upper(), 2)


def parse(typed: str, currency: str) -> int:
    """A typed amount in the currency's smallest unit; nothing is 0. Raises MoneyError.

    A point begins decimals and a comma groups thousands, or the other way round where only that
    can be meant. Nothing is rounded.
    """
    plain = typed.strip().translate(_GAPS)
    if not plain:
        return 0
    places = decimals(currency)
    shown = repr(one_line(typed, 60))
    if places == 3 and _TWO_WAYS.fullmatch(plain):
        raise MoneyError(
            f"{shown} can be read in two ways.",
            f"Write {plain.replace(',', '')} or {plain.replace(',', '.')}.",
        )
    if _COMMAS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _POINTS.fullmatch(plain):
        plain = plain.replace(".", "")
    found = _PLAIN.fullmatch(plain)
    if found is None:
        raise MoneyError(f"{shown} is not an amount.", "It looks like 12500 or 12,500.50.")
    whole, part = found[1], found[2] or ""
    if len(part) != _GROUP:  # three digits may also be meant as thousands
        part = part.rstrip("0")
    if len(part) > places:
        has = f"{places} decimals" if places else "no decimals"
        raise MoneyError(
            f"{currency} has {has}, and {shown} has {len(part)}.",
            "Nothing is rounded; thousands are written 12,500 or 12500.",
        )
    if len(whole) > 20 or (kept := int(whole + part.ljust(places, "0"))) >= _LIMIT:
        raise MoneyError(f"{shown} is too large an amount.", "")
    return kept


def from_hundredths(amount: int, currency: str) -> int:
    """An amount as older stores kept it: in hundredths but for a few currencies."""
    if currency in _ALWAYS_WHOLE:
        return amount
    return round(amount * int(10 ** decimals(currency)) / 100)


def exact(amount: int, currency: str) -> str:
    """An amount as it is typed; "" for none. The decimals are left out where they are zero."""
    if not amount:
        return ""
    whole, part = divmod(amount, 10 ** decimals(currency))
    return f"{whole}.{part:0{decimals(currency)}}" if part else str(whole)


def shown(amount: int, currency: str) -> str:
    """An amount as it is shown, with its currency; "" for none."""
    whole, _, part = exact(amount, currency).partition(".")
    if not whole:
        return ""
    return f"{int(whole):,}{'.' if part else ''}{part} {currency}"
