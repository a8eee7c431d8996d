"""Who writes and who is written to: the user, colleagues, companies, contacts, bulk senders.

All invented. Company domains end in names that are reserved for examples (.example, .test) or
carry the word in them, except for the free-mail providers, which have to be the real ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from benchmarks.letters import Name
from benchmarks.words import invented

_GIVEN = {
    "en": "Anna Jonas Mira Peter Clara Tomas Ines Hugo Lena Oskar Freya Milo Dana Felix Ida Simon "
    "Vera Nils Rosa Emil Tara Leon Maud Karl Edda Theo Wanda Arlo Jette Bruno".split(),
    "de": "Jörg Käthe Günther Zoë Bärbel Jürgen Sören Anneliese".split(),
    "fr": "Hélène François Zoé André Noëlle Gaël Irène Rémi".split(),
    "ru": "Ирина Павел Ольга Сергей Татьяна Дмитрий".split(),
    "ja": "花子 健太 美咲 大輔 直子".split(),
}
_FAMILY = {
    "en": "Berg Quill Marsh Holt Varga Lindqvist Oakes Brandt Novak Ferrow Tillman Ashdown Kovar "
    "Westby Dunmore Halloran Petrie Sandoval Ekman Wyndham Castell Ostrow Birk Lowen Farrow "
    "Thorne Vester Kestrel Morrow Haldane".split(),
    "de": "Müllner Größel Köhnke Schäfler Weißkopf Lüttmann".split(),
    "fr": "Lefèvrin Bérangel Crétois Géroux Montpellier".split(),
    "ru": "Соколенко Ветрова Лаптин Морозюк".split(),
    "ja": "山之内 高森 北沢 小野原".split(),
}
_LATIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"} | dict.fromkeys("éèêë", "e"))
_LATIN |= str.maketrans({"ç": "c", "à": "a", "ô": "o", "î": "i"})
FREE = ("gmail.com", "gmx.de", "outlook.com", "web.de", "yahoo.co.uk", "mailinator.com")
# Local parts that M5 names: nobody in particular reads there.
MACHINE_LOCALS = ("noreply", "no-reply", "donotreply", "do-not-reply", "shop.noreply", "noreply-eu")
ROLE_LOCALS = tuple(
    "alerts contact feedback hello help info invite invites news notification notifications "
    "service support team welcome".split()
)
BULK_STYLES = (
    ("list", 22),  # List-Id and List-Unsubscribe
    ("unsubscribe", 18),
    ("post", 6),  # List-Post only
    ("bulk", 8),  # Precedence
    ("auto", 8),  # Auto-Submitted
    ("machine", 20),  # by the From local part alone
    ("role", 16),  # a role name never written to
    ("unmarked", 2),  # nothing tells: it enters the store
)


@dataclass(slots=True, eq=False)
class Someone:
    """A person with one address, and the names that go with it over the years."""

    address: str
    written: tuple[str, ...]  # spellings of the address
    full: str
    habit: str  # how the display name looks: see `name_at`
    local_name: str  # C4's name when no display name is usable
    language: str = "en"
    newer: str = ""  # full name of the second half of the years
    company: Company | None = None


@dataclass(slots=True, eq=False)
class Company:
    """An organisation outside: one registrable domain, one or more mail hosts below it."""

    domain: str  # as compared
    shown: str  # as people write it
    name: str  # C5
    hosts: tuple[str, ...]
    people: list[Someone] = field(default_factory=list)
    info_written: str = ""  # the role address here that I write to


@dataclass(frozen=True, slots=True)
class Vendor:
    """A bulk sender."""

    sender: Someone
    style: str
    host: str


@dataclass(slots=True)
class Cast:
    """Everybody."""

    email: str
    own: tuple[str, ...]  # all own addresses, the account's first
    me: tuple[Someone, ...]
    internal: tuple[str, ...]
    blocklist: tuple[str, ...]
    colleagues: list[Someone]
    companies: list[Company]
    contacts: list[Someone]
    blocked: list[Someone]
    vendors: list[Vendor]
    weights: list[float]  # of the contacts, summed up: some are written to a lot


def name_at(person: Someone, share: float, rng: random.Random) -> Name:
    """The display name that a header has when `share` of the years have passed."""
    full = person.newer if person.newer and share > 0.5 else person.full
    habit = person.habit
    if habit == "never" or (habit == "late" and share < 0.7):
        return Name()
    if habit == "inverted" and rng.random() < 0.6:
        given, _, family = full.rpartition(" ")
        return Name(f"{family}, {given}", full)
    if habit == "quoted" and rng.random() < 0.7:
        return Name(f"'{full}'", full)
    if habit == "address" or (habit == "mixed" and rng.random() < 0.3):
        return Name(person.address)
    if habit == "mixed" and rng.random() < 0.3:
        return Name()
    return Name(full, full)


def make_cast(rng: random.Random, size: int) -> Cast:
    """The cast of a mailbox of about `size` messages."""
    home = "brightlane.example"
    own = (f"nora.quist@{home}", f"n.quist@{home}", "nora@quist-atelier.example")
    own += ("nora.quist.brightlane@gmail.com",)
    me = tuple(_person(rng, a, "Nora Quist", "plain") for a in own)
    desks = (home, home, home, f"berlin.{home}", f"hr.{home}")
    colleagues = [_somebody(rng, rng.choice(desks), set()) for _ in range(12 + size // 2_000)]
    companies = _companies(rng, 24 + size // 60)
    contacts = [person for company in companies for person in company.people]
    contacts += [_somebody(rng, rng.choice(FREE), set()) for _ in range(len(contacts) // 12)]
    rng.shuffle(contacts)
    pests = ["spamhaus-of-cards.example", "eu.spamhaus-of-cards.example", "quist-atelier.example"]
    blocked = [_somebody(rng, host, set()) for host in pests for _ in range(3)]
    blocked.append(companies[0].people[0])
    blocklist = ("@spamhaus-of-cards.example", "@quist-atelier.example", blocked[-1].address)
    weights, total = list[float](), 0.0
    for rank in range(len(contacts)):
        total += 1 / (rank + 12)
        weights.append(total)
    return Cast(
        email=own[0],
        own=own,
        me=me,
        internal=(home,),
        blocklist=blocklist,
        colleagues=colleagues,
        companies=companies,
        contacts=contacts,
        blocked=blocked,
        vendors=_vendors(rng, 40 + size // 250, companies),
        weights=weights,
    )


def _companies(rng: random.Random, count: int) -> list[Company]:
    made, taken = list[Company](), {"brightlane", "quist-atelier"}
    while len(made) < count:
        label = invented(rng, 3)
        if label in taken:
            continue
        taken.add(label)
        made.append(_company(label, len(made)))
    twin = made[1].name.lower()  # the same name under another suffix is another company
    made.append(Company(f"{twin}.test", f"{twin}.test", made[1].name, (f"{twin}.test",)))
    for rank, company in enumerate(made):
        used = set[str]()
        for _ in range(min(14, 1 + int(rng.expovariate(0.35)) + (rank < 4) * 5)):
            company.people.append(_somebody(rng, rng.choice(company.hosts), used, company))
        if rank % 4 == 0:
            company.info_written = f"{rng.choice(ROLE_LOCALS)}@{company.domain}"
    return made


def _company(label: str, rank: int) -> Company:
    match rank % 20:
        case 3 | 7:
            domain = shown = f"{label}-example.co.uk"
        case 11:
            domain = shown = f"{label}-example.com.au"
        case 13:
            domain = shown = f"{label}-example.co.jp"
        case 17:
            shown = f"{label}häuser.example"
            domain = shown.encode("idna").decode("ascii")
        case _:
            domain = shown = f"{label}.example"
    second = shown.split(".")[0]
    hosts = (domain,) if rank % 6 else (domain, f"eu.{domain}", f"mail.us.{domain}")
    return Company(domain, shown, second[0].upper() + second[1:], hosts)


def _somebody(
    rng: random.Random, host: str, used: set[str], company: Company | None = None
) -> Someone:
    language = rng.choices(list(_GIVEN), (70, 10, 7, 7, 6))[0]
    given, family = rng.choice(_GIVEN[language]), rng.choice(_FAMILY[language])
    plain = [part.lower().translate(_LATIN) for part in (given, family)]
    if not all(part.isascii() for part in plain):
        plain = [invented(rng, 2), invented(rng, 3)]
    while True:
        local = _local(rng, *plain)
        if local not in used:
            break
        plain[1] = invented(rng, 3)
    used.add(local)
    if host in FREE:
        local += f".{invented(rng, 2)}"
    habits = ("plain", "plain", "plain", "mixed", "inverted", "late", "never", "quoted", "address")
    shown_host = host
    if company and company.shown != company.domain:
        shown_host = host.replace(company.domain, company.shown)
    person = _person(rng, f"{local}@{host}", f"{given} {family}", rng.choice(habits), language)
    if shown_host != host:
        person.written = (person.written[0], f"{local}@{shown_host}")
    if rng.random() < 0.08 and language == "en":
        person.newer = f"{given} {rng.choice(_FAMILY[language])}-{family}"
    person.company = company
    return person


def _person(
    rng: random.Random, address: str, full: str, habit: str, language: str = "en"
) -> Someone:
    local, _, host = address.partition("@")
    words = [part for part in local.partition("+")[0].split(".") if part]
    titled = ".".join(word.capitalize() for word in local.split("."))
    spellings = [address]
    if rng.random() < 0.25 and host.isascii() and not host.startswith("xn--"):
        spellings += [f"{titled}@{host.capitalize()}", address.upper()]
    return Someone(
        address=address,
        written=tuple(spellings),
        full=full,
        habit=habit,
        local_name=" ".join(word[0].upper() + word[1:] for word in words),
        language=language,
    )


def _local(rng: random.Random, given: str, family: str) -> str:
    match rng.randrange(10):
        case 0 | 1 | 2 | 3:
            return f"{given}.{family}"
        case 4 | 5:
            return f"{given[0]}.{family}"
        case 6:
            return given
        case 7:
            return f"{given}.{family}+crm"
        case 8:
            return f"{given}_{family}"
        case _:
            return family


def _vendors(rng: random.Random, count: int, companies: list[Company]) -> list[Vendor]:
    styles = [style for style, _ in BULK_STYLES]
    shares = [share for _, share in BULK_STYLES]
    made = []
    for rank in range(count):
        company = rng.choice(companies[len(companies) // 4 :])
        style = styles[rank] if rank < len(styles) else rng.choices(styles, shares)[0]
        host = f"{invented(rng, 3)}.example" if rng.random() < 0.7 else company.domain
        if host.startswith("xn--"):
            host = f"{invented(rng, 3)}.example"
        local = rng.choice(("newsletter", "digest", "mailing", "updates", "shop", "events"))
        if style == "machine":
            local = rng.choice(MACHINE_LOCALS)
        elif style == "role":
            local = rng.choice(ROLE_LOCALS)
        elif rng.random() < 0.3:
            host = f"em.{host}"
        address = f"{local}@{host}"
        sender = _person(rng, address, f"{invented(rng, 3).title()} {local.title()}", "plain")
        made.append(Vendor(sender, style, host))
    return made
