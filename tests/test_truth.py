"""Two generated mailboxes of 6,000 messages each, and everything that the rules say of them."""

from __future__ import annotations

import email
import itertools
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from email.header import decode_header, make_header
from email.utils import getaddresses
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from benchmarks.generator import Mailbox, generate
from benchmarks.maildir import fill
from benchmarks.render import Renderer
from benchmarks.truth import POLICIES, Truth, truth_of

from crmmail.store import accounts, companies, opportunities, people, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from crmmail.sync.loop import Report, sync_once
from tests.servers import PASSWORD, Dovecot

SEEDS = (1, 2)
COUNT = 6_000


@cache
def box_of(seed: int) -> Mailbox:
    """The mailbox of a seed; its attachments are small, which no rule sees."""
    return generate(seed, COUNT, heavy=False)


@dataclass(frozen=True)
class Synced:
    """A store after one sync of a mailbox, and what it should hold."""

    store: Store
    report: Report
    truth: Truth

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in the store."""
        return self.store.read().execute(query).fetchall()

    def thread_names(self) -> dict[int, str]:
        """Every thread of the store under the name that it has in the truth."""
        members = defaultdict[int, set[str]](set)
        for thread, mid, subject in self.rows("SELECT thread_id, message_id, subject FROM message"):
            members[thread].add(key_of(mid, subject))
        return {thread: min(keys) for thread, keys in members.items()}

    def of_record(self, kind: Kind, record: int, names: Mapping[int, str]) -> frozenset[str]:
        """The names of a record's threads."""
        return frozenset(names[t] for t in threads.of_record(self.store.read(), kind, record))


def key_of(message_id: str, subject: str) -> str:
    """The truth's key of a message: made-up Message-IDs do not count (M11)."""
    return f"subject:{subject}" if message_id.endswith("@crmmail.invalid") else message_id


def differences(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> dict[Any, Any]:
    """The first entries that are not as expected: (expected, found)."""
    keys = dict.fromkeys((*expected, *found))
    wrong = ((key, expected.get(key), found.get(key)) for key in keys)
    return dict(itertools.islice(((k, (e, f)) for k, e, f in wrong if e != f), 8))


@pytest.fixture(scope="module")
def user_of(dovecot: Dovecot) -> Callable[[int], str]:
    """The user whose mailbox on the server is that of a seed."""

    @cache
    def user(seed: int) -> str:
        name = f"truth{seed}@brightlane.example"
        fill(dovecot, name, box_of(seed))
        return name

    return user


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (seed, policy), id=f"{seed}-{policy}", marks=pytest.mark.xdist_group(f"{seed}")
        )
        for seed, policy in itertools.product(SEEDS, POLICIES)
    ],
)
def synced(
    request: pytest.FixtureRequest,
    dovecot: Dovecot,
    user_of: Callable[[int], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Synced]:
    """A fresh store, filled by one sync under one policy."""
    seed, policy = request.param
    box, settings = box_of(seed), box_of(seed).settings
    store = Store(tmp_path_factory.mktemp("truth") / "crmmail.db")
    accounts.add(
        store,
        settings.email,
        host=dovecot.host,
        port=dovecot.port,
        security="none",
        username=user_of(seed),
        secret="env:TRUTH_PASSWORD",
        policy=policy,
        aliases=settings.aliases,
    )
    with store.write("accounts") as (db, _):
        db.executemany("INSERT INTO blocklist VALUES (?)", [[one] for one in settings.blocklist])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUTH_PASSWORD", PASSWORD)
        (report,) = sync_once(store)
    yield Synced(store, report, truth_of(box, policy))
    store.close()


def test_every_message_is_in_the_store_or_in_the_ledger(synced: Synced) -> None:
    """Rules M1 to M8 and M11, for every single message of every folder."""
    truth = synced.truth
    assert synced.report.errors == []
    stored = Counter(
        (folder, key_of(mid, subject))
        for folder, mid, subject in synced.rows(
            "SELECT folder.name, message.message_id, subject FROM placement"
            " JOIN folder ON folder.id = folder_id"
            " JOIN message ON message.id = placement.message_id"
        )
    )
    skipped = Counter(
        (folder, reason, key_of(mid, subject))
        for folder, reason, mid, subject in synced.rows(
            "SELECT folder.name, reason, message_id, subject FROM skipped"
            " JOIN folder ON folder.id = folder_id"
        )
    )
    assert differences(truth.skipped, skipped) == {}
    assert differences(truth.stored, stored) == {}


def test_the_counts_add_up(synced: Synced) -> None:
    """Stored and skipped are what the server lists, in each folder and in the report."""
    truth = synced.truth
    folders = accounts.folders(synced.store.read(), 1)
    read = {f.name: f.stored + f.skipped for f in folders if f.name in truth.listed}
    assert read == truth.listed == {f.name: f.messages for f in folders if f.name in truth.listed}
    closed = [f for f in folders if f.name not in truth.listed and f.selectable]
    assert {f.name: f.messages for f in closed} == truth.unread
    assert sum(f.stored + f.skipped for f in closed) == 0
    reasons = Counter(reason for _, reason, _ in truth.skipped.elements())
    report = synced.report
    assert report.skipped == {"folder": sum(truth.unread.values()), **reasons}
    assert report.stored == truth.stored.total()
    assert report.messages == len({key for _, key in truth.stored})
    assert report.threads == len(truth.threads)
    assert report.listed == COUNT == report.stored + sum(report.skipped.values())


def test_threads(synced: Synced) -> None:
    """T1 to T3: the partition of the messages, and what each thread is called."""
    members = defaultdict[int, set[str]](set)
    for thread, mid, subject in synced.rows("SELECT thread_id, message_id, subject FROM message"):
        members[thread].add(key_of(mid, subject))
    found = {min(keys): frozenset(keys) for keys in members.values()}
    assert len(found) == len(members)
    assert differences(synced.truth.threads, found) == {}
    subjects = dict(synced.rows("SELECT id, subject FROM thread"))
    called = {min(keys): subjects[thread] for thread, keys in members.items()}
    assert differences(synced.truth.subjects, called) == {}


def test_people_and_companies(synced: Synced) -> None:
    """C2 to C5: who is a contact, under which name, at which company."""
    truth = synced.truth
    found = {
        address: (name, domain or "")
        for address, name, domain in synced.rows(
            "SELECT address.address, person.name, domain FROM person"
            " JOIN address ON address.person_id = person.id"
            " LEFT JOIN company_domain ON company_domain.company_id = person.company_id"
        )
    }
    expected = {address: (one.name, one.company) for address, one in truth.people.items()}
    assert differences(expected, found) == {}
    named = dict(
        synced.rows(
            "SELECT domain, company.name FROM company"
            " LEFT JOIN company_domain ON company_id = company.id"
        )
    )
    assert differences(truth.companies, named) == {}
    ((persons, firms),) = synced.rows(
        "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM company)"
    )
    assert (persons, firms) == (len(truth.people), len(truth.companies))


def test_threads_of_people_and_companies(synced: Synced) -> None:
    """C7: exactly the right threads on every person and on every company."""
    truth, names = synced.truth, synced.thread_names()
    persons = synced.rows("SELECT address, person_id FROM address WHERE person_id IS NOT NULL")
    firms = synced.rows("SELECT domain, company_id FROM company_domain")
    found = {a: synced.of_record(Kind.PERSON, one, names) for a, one in persons}
    assert differences({a: truth.of_person(a) for a in truth.people}, found) == {}
    found = {d: synced.of_record(Kind.COMPANY, one, names) for d, one in firms}
    assert differences({d: truth.of_company(d) for d in truth.companies}, found) == {}


@pytest.fixture
def own(synced: Synced, tmp_path: Path) -> Iterator[Synced]:
    """The same in a store that the test may change."""
    path = tmp_path / "crmmail.db"
    with closing(sqlite3.connect(path)) as copy:
        synced.store.read().backup(copy)
    store = Store(path)
    yield replace(synced, store=store)
    store.close()


def test_threads_of_opportunities(own: Synced) -> None:
    """C7: an opportunity has its company's threads and its contact's, from the start (C6)."""
    synced, truth, names = own, own.truth, own.thread_names()
    persons, firms = _records(synced)
    expected, found = {}, {}
    for number, (domain, address) in enumerate(_deals(truth)):
        deal = opportunities.add(
            synced.store, f"Deal {number}", company_id=firms(domain), contact_id=persons(address)
        )
        expected[number, domain, address] = truth.of_opportunity(domain, address)
        found[number, domain, address] = synced.of_record(Kind.OPPORTUNITY, deal, names)
    assert all(expected.values())
    assert differences(expected, found) == {}


def _deals(truth: Truth) -> list[tuple[str, str]]:
    """Ten pairs of a company and a contact, one of them missing in some."""
    domains = sorted(truth.by_domain, key=lambda d: (-len(truth.by_domain[d]), d))
    mine = ("brightlane.example", "quist-atelier.example")
    domains = [d for d in domains if d not in mine and d.endswith(("example", "example.co.uk"))]
    addresses = [max(a for a in truth.by_address if a.endswith(d)) for d in domains[:12]]
    pairs = [*zip(domains[:4], addresses[4:8], strict=True)]
    pairs += zip(domains[8:10], addresses[8:10], strict=True)
    return pairs + [(domain, "") for domain in domains[5:7]] + [("", a) for a in addresses[10:12]]


def _records(synced: Synced) -> tuple[Callable[[str], int | None], Callable[[str], int | None]]:
    """Look up people by address and companies by domain; made by hand where there is none."""
    persons = dict(synced.rows("SELECT address, person_id FROM address WHERE person_id > 0"))
    firms = dict(synced.rows("SELECT domain, company_id FROM company_domain"))

    def person(address: str) -> int | None:
        if address and address not in persons:
            persons[address] = people.create(synced.store, "By Hand", [address])
        return persons.get(address)

    def company(domain: str) -> int | None:
        if domain and domain not in firms:
            firms[domain] = companies.create(synced.store, "By Hand", [domain])
        return firms.get(domain)

    return person, company


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bytes_say_what_the_letters_mean(seed: int) -> None:
    """The generator itself, read back with the standard library."""
    renderer, headers = Renderer(seed, heavy=False), ("From", "To", "Cc", "Bcc", "Reply-To")
    roles = ("from", "to", "cc", "bcc", "reply_to")
    for letter in box_of(seed).letters[::7]:
        raw = renderer.render(letter)
        read = email.message_from_bytes(raw)
        assert not any(part.defects for part in read.walk())
        assert str(make_header(decode_header(read["Subject"]))) == letter.subject
        if not all(who.written.isascii() for who in letter.who):
            continue
        for role, header in zip(roles, headers, strict=True):
            entries = [pair for pair in getaddresses(read.get_all(header, [])) if "@" in pair[1]]
            said = [(str(make_header(decode_header(name))), address) for name, address in entries]
            meant = [(w.name.shown, w.written) for w in letter.who if w.role == role]
            assert said == meant


def test_a_seed_is_a_mailbox(tmp_path: Path) -> None:
    """The same seed gives the same bytes; another one does not."""
    once, again, other = (list(generate(s, 400, heavy=False).deliveries()) for s in (5, 5, 6))
    assert len(once) == 400
    assert once == again
    assert once[:20] != other[:20]
