"""The big providers: known by an address or by where its mail goes, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crmmail.addresses import domain_of, in_domain


@dataclass(frozen=True, slots=True)
class Provider:
    """A mail server, and how to sign in to it."""

    name: str
    host: str
    """"" where the provider has no IMAP at all."""
    port: int = 993
    security: str = "tls"
    local_user: bool = False
    """The user name is the part of the address before the @."""
    note: str = ""
    """What to know before one tries, and what to do when the password is refused."""
    oauth: str = ""
    """Who gives out tokens in place of a password: a name in accounts/oauth_providers."""
    oauth_only: bool = False
    """The provider takes no password at all."""

    def username(self, email: str) -> str:
        """Who signs in."""
        return email.rpartition("@")[0] if self.local_user else email


_GUESS = Provider("", "")


def known(email: str) -> Provider | None:
    """The provider of an address, where its domain tells."""
    from crmmail.accounts.provider_table import BY_DOMAIN

    return BY_DOMAIN.get(domain_of(email))


def by_exchanger(name: str) -> Provider | None:
    """The provider whose machine takes in a domain's mail, by that machine's name (MX)."""
    from crmmail.accounts.provider_table import BY_EXCHANGER

    found = (p for parent, p in BY_EXCHANGER.items() if in_domain(name.lower().rstrip("."), parent))
    return next(found, None)


def by_server(host: str) -> Provider | None:
    """The provider that a mail server belongs to."""
    from crmmail.accounts.provider_table import BY_SERVER

    return BY_SERVER.get(host.lower())


def advice(email: str, host: str) -> str:
    """What to do when the server refuses the password, as far as it is known whose it is."""
    provider = by_server(host) or known(email)
    return provider.note if provider else ""


def guess(email: str) -> Provider:
    """The provider of an address, or the name that most servers have."""
    domain = domain_of(email)
    return known(email) or replace(_GUESS, host=f"imap.{domain}" if domain else "")
