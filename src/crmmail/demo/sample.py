"""The sample mailbox: some 400 messages of 18 months, the same every time for the same now.

The words are in data/*.txt; `story` reads them, `compose` and `bulk` make messages of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from crmmail.demo.bulk import all_series
from crmmail.demo.compose import Written, compose
from crmmail.demo.meetings import resources
from crmmail.demo.story import (
    OWN,
    Conversation,
    arriving_story,
    lines_of,
    sample_story,
)

HOME = timezone(timedelta(hours=1))
_ARCHIVED = timedelta(days=150)
_READ = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """A message, where it lies, and what the server says about it."""

    folder: str
    raw: bytes
    flags: tuple[str, ...]
    internaldate: datetime


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity that the demo's user has noted."""

    name: str
    domain: str
    contact: str  # address
    stage: str
    amount: int  # minor units
    currency: str
    closes_on: str  # ISO date


class Sample:
    """The mailbox at a moment, and what will come in after it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._threads: dict[str, list[Written]] = {}
        story = sample_story()
        self._people = story.people
        personal = [m for told in story.conversations for m in self._written(told)]
        machines = [
            self._received(sent_at, raw, junk=series.how == "junk")
            for series in all_series(lines_of("bulk"))
            for sent_at, raw in series.written(now)
        ]
        self.messages = sorted(personal + machines, key=lambda one: one.internaldate)

    def arrivals(self, clock: Callable[[], datetime]) -> Iterator[SampleMessage]:
        """The messages that arrive while the demo runs, each dated when it is asked for."""
        story = arriving_story(self._people)
        for told in story.conversations:
            thread = self._threads.setdefault(told.subject, [])
            for letter in told.letters:
                at = clock()
                thread.append(compose(letter, told.subject, story.people, at, thread))
                yield SampleMessage("INBOX", thread[-1].raw, (), at)

    def meetings(self) -> dict[str, str]:
        """The calendar's resources by name."""
        return resources(self.now, self._people)

    def _written(self, told: Conversation) -> Iterator[SampleMessage]:
        """A conversation's letters, from now on the ones that an arriving letter answers."""
        thread = self._threads.setdefault(told.subject, [])
        for letter in told.letters:
            before = thread[-1].sent_at if thread else self.now
            sent_at = _moment(letter.when, before, self.now)
            thread.append(compose(letter, told.subject, self._people, sent_at, thread))
        last_own = max((i for i, one in enumerate(told.letters) if one.sender in OWN), default=-1)
        archived = self.now - thread[-1].sent_at > _ARCHIVED
        for number, (letter, written) in enumerate(zip(told.letters, thread, strict=True)):
            flags = ["\\Flagged"] if letter.option("flag") is not None else []
            if letter.sender in OWN:
                folder = "Sent"
            else:
                folder = "Archive" if archived else "INBOX"
                flags += ["\\Answered"] if number == last_own - 1 else []
            if number <= last_own or self.now - written.sent_at > _READ:
                flags.append("\\Seen")
            yield SampleMessage(folder, written.raw, tuple(flags), written.sent_at)

    def _received(self, at: datetime, raw: bytes, *, junk: bool) -> SampleMessage:
        seen = () if junk or self.now - at < _READ else ("\\Seen",)
        return SampleMessage("Junk" if junk else "INBOX", raw, seen, at)


def build(now: datetime) -> list[SampleMessage]:
    """The mailbox at a moment, oldest message first."""
    return Sample(now).messages


def deals(now: datetime) -> list[Deal]:
    """The opportunities that the demo's user has noted."""
    people = sample_story().people
    found = []
    for line in lines_of("deals"):
        name, domain, contact, stage, amount, currency, days = (
            field.strip() for field in line.split("|")
        )
        closes_on = (now + timedelta(days=int(days))).date().isoformat()
        found.append(
            Deal(
                name, domain, people[contact].address, stage, int(amount) * 100, currency, closes_on
            )
        )
    return found


def _moment(when: str, before: datetime, now: datetime) -> datetime:
    """What the script's "when" means, never on a weekend morning and never in the future."""
    if when.startswith("~"):
        count = int(when[1:-1])
        if when[-1] == "h":
            return now - timedelta(hours=count)
        day = now.astimezone(HOME) - timedelta(days=count)
        return day.replace(hour=8 + count * 5 % 10, minute=count * 17 % 60, microsecond=0)
    if when[-1] in "hm":
        count = int(when[1:-1])
        moved = before + (timedelta(hours=count) if when[-1] == "h" else timedelta(minutes=count))
        return min(moved, now - timedelta(minutes=2))
    days, clock = when.split()
    hour, minute = (int(part) for part in clock.split(":"))
    if days.startswith("+"):
        day = before.astimezone(HOME) + timedelta(days=int(days[1:-1]))
    else:
        day = now.astimezone(HOME) - timedelta(days=int(days))
    if day.weekday() > 4:
        day += timedelta(days=7 - day.weekday())
    at = day.replace(hour=hour, minute=minute, second=len(when) * 7 % 60, microsecond=0)
    return min(at, now - timedelta(minutes=2))
