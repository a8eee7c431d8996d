"""What crmmail must make of a generated mailbox, worked out from the letters alone.

An independent reading of the rules (M, T, C): nothing here calls crmmail. How the rules are read
where they leave room is written down in docs/benchmarks.md.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from benchmarks.cast import FREE, ROLE_LOCALS
from benchmarks.generator import Mailbox
from benchmarks.letters import Letter, Placed

POLICIES = ("sent", "sent_and_received", "none")
_MONTH = 30 * 86_400
_REFERENCES = 50
_LISTS = ("List-Id", "List-Unsubscribe", "List-Post")
_WORDS = ("noreply", "no-reply", "donotreply", "do-not-reply")


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as it should be."""

    name: str
    company: str  # domain, "" for none


@dataclass(frozen=True, slots=True)
class Truth:
    """The store that a full sync should end with. A thread is named by its first key."""

    listed: dict[str, int]  # folders that are read
    unread: dict[str, int]  # folders that are not
    stored: Counter[tuple[str, str]]  # (folder, key)
    skipped: Counter[tuple[str, str, str]]  # (folder, reason, key)
    threads: dict[str, frozenset[str]]
    subjects: dict[str, str]  # of the threads (T3)
    people: dict[str, Person]  # by address
    companies: dict[str, str]  # domain to name
    by_address: dict[str, frozenset[str]]  # threads of every address
    by_domain: dict[str, frozenset[str]]  # threads of every registrable domain

    def of_person(self, address: str) -> frozenset[str]:
        """A person's threads (C7)."""
        return self.by_address.get(address, frozenset())

    def of_company(self, domain: str) -> frozenset[str]:
        """A company's threads (C7): its people's and its domain's."""
        threads = self.by_domain.get(domain, frozenset())
        people = (a for a, person in self.people.items() if person.company == domain)
        return threads.union(*(self.of_person(address) for address in people))

    def of_opportunity(self, company: str = "", contact: str = "") -> frozenset[str]:
        """An opportunity's threads (C7): its company's and its contact's."""
        return self.of_company(company) | self.of_person(contact)


class Judge:
    """The rules M1–M7 for one mailbox."""

    def __init__(self, box: Mailbox) -> None:
        self.box, settings = box, box.settings
        self.own = {settings.email, *settings.aliases}
        self.written = {
            who.address
            for letter in box.letters
            if letter.sender in self.own and any(self._is_sent(p) for p in letter.placed)
            for who in letter.who
            if who.role in ("to", "cc", "bcc")
        }

    def reason(self, letter: Letter, placed: Placed) -> str:
        """Why the letter does not enter from this folder; "" when it does."""
        rules: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("folder", lambda: placed.folder not in self.box.read),
            ("draft", lambda: "\\Draft" in placed.flags),
            ("blocked", lambda: any(map(self.is_blocked, letter.addresses))),
            ("internal", lambda: self._is_internal(letter)),
            ("group", lambda: letter.sender not in self.own and self._is_group(letter)),
            ("invitation", lambda: letter.invitation == "top"),
            ("nobody", lambda: not letter.addresses - self.own),
            ("invitation", lambda: bool(letter.invitation)),
        )
        return next((reason for reason, fires in rules if fires()), "")

    def is_blocked(self, address: str) -> bool:
        """M3."""
        if address in self.own:
            return False
        domain = address.partition("@")[2]
        return any(
            _within(domain, entry[1:]) if entry.startswith("@") else address == entry
            for entry in self.box.settings.blocklist
        )

    def is_colleague(self, address: str) -> bool:
        """M4, of one address."""
        domain = address.partition("@")[2]
        return any(_within(domain, home) for home in self.box.settings.internal)

    def is_contact(self, address: str) -> bool:
        """C3."""
        local, _, domain = address.partition("@")
        banned = address in self.own or self.is_colleague(address) or self.is_blocked(address)
        return not (banned or domain in FREE or _is_machine(local) or local in ROLE_LOCALS)

    def _is_sent(self, placed: Placed) -> bool:
        return placed.folder in self.box.read and "\\Draft" not in placed.flags

    def _is_internal(self, letter: Letter) -> bool:
        people = letter.addresses
        return bool(people) and all(a in self.own or self.is_colleague(a) for a in people)

    def _is_group(self, letter: Letter) -> bool:
        if any(_is_sign(name, value) for name, value in letter.marks):
            return True
        local = letter.sender.partition("@")[0]
        return _is_machine(local) or (local in ROLE_LOCALS and letter.sender not in self.written)


def _is_sign(header: str, value: str) -> bool:
    bulk = header == "Precedence" and value in ("bulk", "list", "junk")
    return bulk or header in _LISTS or (header == "Auto-Submitted" and value != "no")


def _is_machine(local: str) -> bool:
    return any(word in local for word in _WORDS)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def truth_of(box: Mailbox, policy: str) -> Truth:
    """The truth of a mailbox under a contact policy (C2)."""
    judge = Judge(box)
    listed, unread = Counter[str](), Counter[str]()
    stored, skipped = Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    letters = dict[str, Letter]()
    for letter in box.letters:
        for placed in letter.placed:
            reason = judge.reason(letter, placed)
            (unread if reason == "folder" else listed)[placed.folder] += 1
            if not reason:
                stored[placed.folder, letter.key] += 1
                letters[letter.key] = letter
            elif reason != "folder":
                skipped[placed.folder, reason, letter.key] += 1
    threads = _threads(letters)
    home = {key: name for name, keys in threads.items() for key in keys}
    people = _people(judge, letters.values(), policy)
    return Truth(
        listed={folder: listed[folder] for folder in box.read},
        unread={folder: unread[folder] for folder in box.folders if folder not in box.read},
        stored=stored,
        skipped=skipped,
        threads=threads,
        subjects={
            name: min((letters[key] for key in keys), key=lambda one: one.sent_at).subject
            for name, keys in threads.items()
        },
        people=people,
        companies={p.company: company_name(p.company) for p in people.values() if p.company},
        by_address=_index(letters, home, lambda address: address),
        by_domain=_index(letters, home, lambda address: site(address.partition("@")[2])),
    )


def _threads(letters: dict[str, Letter]) -> dict[str, frozenset[str]]:
    """T1 and T2: the partition of the stored letters."""
    joined = dict[str, str]()

    def find(key: str) -> str:
        while (above := joined.setdefault(key, key)) != key:
            joined[key] = joined[above]
            key = joined[key]
        return key

    for key, letter in letters.items():
        for reference in references(letter):
            joined[find(key)] = find(reference)
    for one, other in _loose_pairs(letters.values()):
        joined[find(one.key)] = find(other.key)
    groups = defaultdict[str, set[str]](set)
    for key in letters:
        groups[find(key)].add(key)
    return {min(keys): frozenset(keys) for keys in groups.values()}


def references(letter: Letter) -> tuple[str, ...]:
    """T1: what a letter refers to: not itself, nothing twice, the last 50."""
    named = dict.fromkeys((*letter.references, letter.in_reply_to))
    kept = [mid for mid in named if mid and mid != letter.message_id]
    return tuple(kept[-_REFERENCES:])


def _loose_pairs(letters: Iterable[Letter]) -> Iterator[tuple[Letter, Letter]]:
    """T2: replies without references, and each letter of the 30 days before that they match."""
    groups = defaultdict[object, list[Letter]](list)
    for letter in letters:
        if sum(map(str.isalpha, letter.base)) > 3:
            people = frozenset(who.address for who in letter.who if who.role != "reply_to")
            groups[letter.base, people].append(letter)
    for group in groups.values():
        group.sort(key=lambda letter: letter.sent_at)
        times = [letter.sent_at for letter in group]
        for letter in group:
            if letter.prefix and not references(letter):
                first = bisect_left(times, letter.sent_at - _MONTH)
                last = bisect_right(times, letter.sent_at)
                yield from ((letter, other) for other in group[first:last] if other is not letter)


def _people(judge: Judge, letters: Iterable[Letter], policy: str) -> dict[str, Person]:
    """C2 to C5: who becomes a contact, under which name."""
    names, wanted = dict[str, tuple[int, str]](), set[str]()
    if policy == "none":
        return {}
    for letter in letters:
        mine = letter.sender in judge.own
        for who in letter.who:
            if policy == "sent_and_received" or (mine and who.role in ("to", "cc", "bcc")):
                wanted.add(who.address)
            if who.name.meant and letter.sent_at >= names.get(who.address, (0, ""))[0]:
                names[who.address] = (letter.sent_at, who.name.meant)
    return {
        address: Person(
            name=names[address][1] if address in names else local_name(address),
            company=site(address.partition("@")[2]),
        )
        for address in wanted
        if judge.is_contact(address)
    }


def local_name(address: str) -> str:
    """C4's last resort: the local part up to "+", split at dots, each part capitalised."""
    parts = address.partition("@")[0].partition("+")[0].split(".")
    return " ".join(part[0].upper() + part[1:] for part in parts if part)


def site(domain: str) -> str:
    """The registrable domain, for the suffixes that the generator uses."""
    labels = domain.split(".")
    suffix = 2 if ".".join(labels[-2:]) in ("co.uk", "com.au", "co.jp") else 1
    return ".".join(labels[-suffix - 1 :])


def company_name(domain: str) -> str:
    """C5: the label before the suffix, as people read it, with a capital first letter."""
    label = domain.split(".")[0]
    if label.startswith("xn--"):
        label = label.encode("ascii").decode("idna")
    return label[0].upper() + label[1:]


def _index(
    letters: dict[str, Letter], home: dict[str, str], part: Callable[[str], str]
) -> dict[str, frozenset[str]]:
    found = defaultdict[str, set[str]](set)
    for key, letter in letters.items():
        for address in letter.addresses:
            found[part(address)].add(home[key])
    return {name: frozenset(threads) for name, threads in found.items()}
