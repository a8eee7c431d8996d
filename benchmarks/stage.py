"""What all plots share: the clock, the dice, Message-IDs, headers, and where a letter is filed."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterable
from datetime import UTC, datetime

from benchmarks.cast import Cast, Someone, name_at
from benchmarks.letters import Attached, Letter, Name, Placed, Who
from benchmarks.words import CHARSETS

DAY = 86_400
START = int(datetime(2017, 1, 2, tzinfo=UTC).timestamp())
END = int(datetime(2024, 12, 30, tzinfo=UTC).timestamp())
RECENT = END - 500 * DAY  # younger mail is still in the inbox
PROJECTS = ("Projects/Harbour", "Projects/Zürich", "Projects/Relaunch", "Cabinet")
_FILES = (
    ("offer.pdf", "application/pdf"),
    ("contract.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("figures.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("photo.jpg", "image/jpeg"),
    ("Übersicht März.pdf", "application/pdf"),
    ("drawings.zip", "application/zip"),
)
_ZONES = (0, 0, 60, 60, 60, 120, -300, -480, 330, 540)


class Stage:
    """One mailbox in the making. Everything random comes from one generator, in one order."""

    def __init__(self, rng: random.Random, cast: Cast, seed: int) -> None:
        self.rng, self.cast, self.seed = rng, cast, seed
        self._seconds = set[int]()
        self._ids = 0

    def moment(self, at: int) -> int:
        """`at`, or the next second in which nothing else happens: no two letters tie."""
        while at in self._seconds:
            at += 1
        self._seconds.add(at)
        return at

    def sometime(self, margin_days: int = 60) -> int:
        """A moment of the years, later ones likelier, that leaves time for what follows."""
        share = self.rng.random() ** 0.7
        return START + int(share * (END - START - margin_days * DAY))

    def token(self) -> str:
        """A short word that occurs once."""
        self._ids += 1
        return f"{self.seed:x}-{self._ids:05x}"

    def message_id(self, address: str) -> str:
        """A fresh Message-ID as the sender's client would make it."""
        host = address.rpartition("@")[2] or "mx.example"
        return f"{self.rng.getrandbits(48):012x}.{self.token()}@{host}"

    def me(self) -> Someone:
        """Myself, mostly under the account's own address."""
        return self.rng.choices(self.cast.me, (90, 5, 3, 2))[0]

    def contact(self) -> Someone:
        """A contact; some are met far more often than others."""
        weights = self.cast.weights
        return self.cast.contacts[bisect(weights, self.rng.random() * weights[-1])]

    def peers(self, person: Someone, most: int) -> list[Someone]:
        """Up to `most` others from the same company."""
        if person.company is None:
            return []
        others = [p for p in person.company.people if p is not person]
        return self.rng.sample(others, min(len(others), self.rng.randint(0, most)))

    def cast_list(self, at: int, **roles: Iterable[Someone]) -> tuple[Who, ...]:
        """The headers of one letter: sender=, to=, cc=, bcc=, reply_to=.

        Nobody is there twice, but for reply_to; one address goes with one name throughout.
        """
        names, made = dict[str, Name](), list[Who]()
        share = (at - START) / (END - START)
        for role, people in roles.items():
            for person in people:
                if person.address in names and role != "reply_to":
                    continue
                name = names.setdefault(person.address, name_at(person, share, self.rng))
                written = self.rng.choice(person.written)
                made.append(Who(role.replace("sender", "from"), person.address, written, name))
        return tuple(made)

    def letter(self, at: int, who: tuple[Who, ...], base: str, **facts: object) -> Letter:
        """A letter with a fresh Message-ID, the usual delay and a shape."""
        rng = self.rng
        at = self.moment(at)
        sender = next((w.address for w in who if w.role == "from"), "")
        language = str(facts.get("language", "en"))
        made = Letter(
            sent_at=at,
            received_at=at + rng.randint(1, 90),
            who=who,
            message_id=self.message_id(sender),
            base=base,
            charset=rng.choice(CHARSETS[language]),
            zone=rng.choice(_ZONES),
            length=min(6_000, int(rng.lognormvariate(6.3, 0.8))),
            shape=rng.choices(("plain", "alternative", "html"), (35, 55, 10))[0],
        )
        for name, value in facts.items():
            setattr(made, name, value)
        if made.shape != "plain" and rng.random() < 0.15:
            made.logo = rng.randint(3_000, 14_000)
        return made

    def inbox(self, at: int, folder: str = "") -> tuple[Placed, ...]:
        """Where an incoming letter lies today; nowhere when it was lost."""
        rng = self.rng
        dice = rng.random()
        seen = ("\\Seen",) if at < RECENT or rng.random() < 0.9 else ()
        flags = (*seen, "\\Flagged") if rng.random() < 0.03 else seen
        if dice < 0.02:
            return ()
        if dice < 0.05:
            return (Placed("Trash", flags),)
        if folder and dice < 0.8:
            return (Placed(folder, flags),)
        home = "INBOX" if rng.random() < (0.9 if at > RECENT else 0.3) else "Archive"
        if dice > 0.975:
            other = "Archive" if home == "INBOX" else "INBOX"
            return (Placed(home, flags), Placed(other, seen))
        return (Placed(home, flags),)

    def sent(self, folder: str = "") -> tuple[Placed, ...]:
        """Where an outgoing letter lies today."""
        dice = self.rng.random()
        if dice < 0.015:
            return ()
        if dice < 0.03:
            return (Placed("Drafts", ("\\Draft",)), Placed("Sent"))
        if folder and dice > 0.9:
            return (Placed("Sent"), Placed(folder))
        return (Placed("Sent"),)

    def files(self, chance: float) -> tuple[Attached, ...]:
        """Some attachments, now and then, of 30 kB to 2 MB."""
        rng = self.rng
        if rng.random() > chance:
            return ()
        made = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            name, mime = rng.choice(_FILES)
            size = int(min(2_000_000, max(30_000, rng.lognormvariate(11.9, 1.0))))
            made.append(Attached(name, mime, size))
        return tuple(made)
