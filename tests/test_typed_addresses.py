"""What is typed as an address or a domain is stored as it is, or refused (C1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crmmail import addresses
from crmmail.cli import new_account
from crmmail.errors import CrmmailError
from crmmail.store import accounts, address_book, companies, mail_rules

ADDRESSES: list[Callable[[str], str]] = [
    address_book.parse,
    mail_rules.as_address,
    mail_rules.as_pattern,
    mail_rules.as_exception,
    new_account.address,
    accounts._address,
]
DOMAINS: list[Callable[[str], str]] = [mail_rules.as_domain, companies._domain]
PASTED = ["{}This is pasted", "{} x", "{}\tx", "a b{}", "{} {}", "{}\nx", "{}\N{NO-BREAK SPACE}x"]


@pytest.mark.parametrize("read", ADDRESSES)
@pytest.mark.parametrize("more", PASTED)
def test_an_address_with_white_space_within_is_refused(
    read: Callable[[str], str], more: str
) -> None:
    with pytest.raises(CrmmailError, match="is not an e-mail address"):
        read(more.format("anna@nordwind.example", "anna@nordwind.example"))


@pytest.mark.parametrize("read", DOMAINS)
@pytest.mark.parametrize("more", PASTED)
def test_a_domain_with_white_space_within_is_refused(read: Callable[[str], str], more: str) -> None:
    with pytest.raises(CrmmailError, match="is not a domain"):
        read(more.format("nordwind.example", "nordwind.example"))


@pytest.mark.parametrize("read", ADDRESSES)
def test_white_space_around_an_address_is_none_of_it(read: Callable[[str], str]) -> None:
    assert read(" Anna@Nordwind.example\t") == "anna@nordwind.example"


@pytest.mark.parametrize("read", DOMAINS)
def test_white_space_around_a_domain_is_none_of_it(read: Callable[[str], str]) -> None:
    assert read(" Nordwind.example ") == "nordwind.example"


def test_an_address_that_a_header_folds_is_one() -> None:
    assert addresses.normal("anna@nordwind\r\n .example") == "anna@nordwind.example"
