"""The rules of an account's mail: whom it makes contacts of, what it lets in, since when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from crmmail.screens.account_values import choice, switch
from crmmail.screens.options import Option, Setting, numbered, pair
from crmmail.store import accounts, effects, mail_rules, rule_changes
from crmmail.store.accounts import AccountRow
from crmmail.store.database import Store

_POLICIES = {
    "sent": "whom I wrote to",
    "sent_and_received": "whom I wrote to, and who wrote to me",
    "none": "nobody",
}


def rules(store: Store, account: AccountRow) -> Iterator[Setting]:
    """The rows of the rules."""
    db = store.read()
    yield Setting("Contacts", _POLICIES[account.policy], options=partial(_policies, store, account))
    for name in ("exclude_group", "sync_internal", "exclude_free"):
        yield switch(store, account, name)
    domains = accounts.internal_domains(db, account.id)
    yield Setting(
        "Domains of colleagues",
        ", ".join(domains) or "none",
        options=partial(_domains, store, account, domains),
    )
    own = accounts.addresses(db, account.id)
    yield Setting("My addresses", ", ".join(own), options=partial(_aliases, store, account, own))
    yield Setting("Mail since", _day(account.mail_since), options=partial(_since, store, account))


def _policies(store: Store, account: AccountRow) -> list[Option]:
    made = "Makes contacts of old mail too; those that there are stay."
    db = store.read()
    return numbered(
        [
            choice(
                store,
                account,
                f"Contacts: {words}",
                rule_changes.words(db, account.id, "policy", policy) or made,
                policy=policy,
            )
            for policy, words in _POLICIES.items()
        ]
    )


def _domains(store: Store, account: AccountRow, domains: list[str]) -> list[Option]:
    db = store.read()

    def add(typed: str) -> Option:
        domain = mail_rules.as_domain(typed)
        if domain in domains:  # to undo it would undo what was done before (U5)
            return Option(0, f"{domain} is a domain of colleagues already")
        effect = effects.internal_domain(db, account.id, domain, add=True)
        return pair(
            f"{domain} is a domain of colleagues",
            effect,
            partial(mail_rules.add_internal, store, account.id, domain),
            partial(mail_rules.drop_internal, store, account.id, domain),
        )

    found = [Option(0, "Add a domain…", ask="A domain of colleagues: acme.com", answer=add)]
    found += [
        pair(
            f"{domain} is no domain of colleagues",
            effects.internal_domain(db, account.id, domain, add=False),
            partial(mail_rules.drop_internal, store, account.id, domain),
            partial(mail_rules.add_internal, store, account.id, domain),
        )
        for domain in domains
    ]
    return numbered(found)


def _aliases(store: Store, account: AccountRow, own: list[str]) -> list[Option]:
    db = store.read()

    def add(typed: str) -> Option:
        address = mail_rules.as_address(typed)
        if address in own:
            return Option(0, f"{address} is an address of mine already")
        return pair(
            f"{address} is an address of mine",
            effects.alias(db, address, add=True),
            partial(mail_rules.add_alias, store, account.id, address),
            partial(mail_rules.drop_alias, store, account.id, address),
        )

    found = [Option(0, "Add an address…", ask="An address of yours: me@acme.com", answer=add)]
    found += [
        pair(
            f"{address} is no address of mine",
            effects.alias(db, address, add=False),
            partial(mail_rules.drop_alias, store, account.id, address),
            partial(mail_rules.add_alias, store, account.id, address),
        )
        for address in own
        if address != account.email
    ]
    return numbered(found)


def _since(store: Store, account: AccountRow) -> list[Option]:
    db = store.read()

    def choose(typed: str) -> Option:
        moment = mail_rules.as_day(typed)
        effect = effects.since(db, account.id, moment)
        return choice(store, account, f"Mail since: {_day(moment)}", effect, mail_since=moment)

    everything = effects.since(db, account.id, 0)
    return numbered(
        [
            Option(0, "Mail since a day…", ask="Mail since: 2024-01-31", answer=choose),
            choice(store, account, "Mail since: the beginning", everything, mail_since=0),
        ]
    )


def _day(moment: int) -> str:
    if not moment:
        return "the beginning"
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
