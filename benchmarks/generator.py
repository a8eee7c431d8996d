"""A seeded generator of mailboxes whose ground truth is known, because it made the letters.

`generate(seed, count)` plans the letters; `Mailbox.deliveries()` then makes the bytes of one
message at a time. The same seed and count always give the same mailbox, byte for byte.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from benchmarks import bulk, conversation, oddities
from benchmarks.cast import make_cast
from benchmarks.letters import Letter, Placed
from benchmarks.render import Renderer
from benchmarks.stage import PROJECTS, Stage

# Folders, and which of them are read (M1). The last is a bin by its name only.
READ = ("INBOX", "Sent", "Archive", "Newsletters", *PROJECTS)
UNREAD = ("Drafts", "Junk", "Trash", "Papierkorb")
_SHARES: tuple[tuple[Callable[[Stage], list[Letter]], float], ...] = (
    *bulk.PLOTS,
    (conversation.external, 0.35),
    (conversation.internal, 0.11),
)
_ODD = 0.02  # share of all messages that the oddities get


class Delivery(NamedTuple):
    """One message in one folder."""

    folder: str
    raw: bytes
    flags: tuple[str, ...]
    internaldate: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user told crmmail."""

    email: str
    aliases: tuple[str, ...]
    internal: tuple[str, ...]
    blocklist: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The letters of a user, in the order in which they arrived."""

    seed: int
    heavy: bool
    settings: Settings
    letters: tuple[Letter, ...]
    folders: tuple[str, ...] = READ + UNREAD
    read: tuple[str, ...] = READ

    def deliveries(self) -> Iterator[Delivery]:
        """Every message, oldest first in each folder; its bytes exist only while it is yielded."""
        renderer = Renderer(self.seed, self.heavy)
        for letter in self.letters:
            raw = renderer.render(letter) if letter.placed else b""
            for placed in letter.placed:
                yield Delivery(placed.folder, raw, placed.flags, letter.received_at)

    @property
    def count(self) -> int:
        """How many messages all folders hold together."""
        return sum(len(letter.placed) for letter in self.letters)


def generate(seed: int, count: int, *, heavy: bool = True) -> Mailbox:
    """A mailbox of exactly `count` messages; `heavy` ones are as big as real ones."""
    rng = random.Random(seed)
    cast = make_cast(rng, count)
    letters = _cut(_plan(Stage(rng, cast, seed), count), count)
    letters.sort(key=lambda letter: (letter.received_at, letter.sent_at))
    for number, letter in enumerate(letters):
        letter.number = number
    settings = Settings(cast.email, cast.own[1:], cast.internal, cast.blocklist)
    return Mailbox(seed, heavy, settings, tuple(letters))


def _plan(stage: Stage, count: int) -> list[Letter]:
    """Letters of all kinds, each kind getting its share of the messages."""
    made = [0.0] * len(_SHARES)
    letters, placed, odd = list[Letter](), 0, 0
    if count >= 3_000:
        letters += conversation.endless(stage)
        placed = sum(len(letter.placed) for letter in letters)
    while placed < count:
        if odd < placed * _ODD or not letters:
            more = [letter for plot in oddities.PLOTS for letter in plot(stage)]
            odd += sum(len(letter.placed) for letter in more)
        else:
            lack = [made[i] / share for i, (_, share) in enumerate(_SHARES)]
            kind = lack.index(min(lack))
            more = _SHARES[kind][0](stage)
            made[kind] += sum(len(letter.placed) for letter in more)
        letters += more
        placed += sum(len(letter.placed) for letter in more)
    return letters


def _cut(letters: list[Letter], count: int) -> list[Letter]:
    """The first `count` placements; letters that nobody has any more stay, as ghosts' parents."""
    left = count
    for letter in letters:
        letter.placed = tuple[Placed, ...](islice(letter.placed, left))
        left -= len(letter.placed)
    return letters
