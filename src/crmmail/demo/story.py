"""The sample mailbox's script: who is who, and who wrote what, when. Read from data/*.txt.

    % northwind.example | Northwind | en | tz=1      a company: domain, name, language, UTC offset
    @ ann | Ann Lee | Head of Sales | ann.lee | top  a person: key, name, job, local part, client
    === Subject                                      a thread
    --- ann > me cc tom; 120 09:30; pdf Offer.pdf    a letter: from, to; when; what else
    Dear Mira, …                                     its text, with dates as {+7d} or {+7d:day}

When: "120 09:30" days ago at, "+2d 14:00" days after the letter before at, "+3h" or "+20m" after
it, "~5d" or "~26h" before now. The client says how somebody quotes: top, outlook, none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

OWN = ("me", "hello")  # the user's keys
_FILES = """
    home harbourline elbklang cedarwick levain kumo atlantico pinemoor glenfarrow meridiano
    stillwater bjornholm lettera hawthorne small friends
"""
_LETTER = re.compile(r"--- (\w+) > ([\w, ]+?)(?: cc ([\w, ]+))?(?:;(.*))?")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes or gets mail in the sample."""

    key: str
    name: str
    address: str
    job: str
    company: str
    lang: str
    client: str
    tz: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of a thread, as the script has it."""

    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    when: str
    lang: str
    options: tuple[tuple[str, str], ...]
    text: str

    def option(self, name: str) -> str | None:
        """What the script says after an option's name: "" for one that stands alone."""
        return next((value for key, value in self.options if key == name), None)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread: its subject and its letters, oldest first."""

    subject: str
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """People by key, and the threads in the script's order."""

    people: dict[str, Person]
    conversations: tuple[Conversation, ...]


def sample_story() -> Story:
    """The mailbox as it is when the demo opens."""
    people: dict[str, Person] = {}
    threads = [thread for name in _FILES.split() for thread in _read(name, people)]
    return Story(people, tuple(threads))


def arriving_story(people: dict[str, Person]) -> Story:
    """What arrives while the demo runs; a known subject continues that thread."""
    known = dict(people)
    return Story(known, tuple(_read("deliveries", known)))


def lines_of(name: str) -> list[str]:
    """A data file's lines, comments left out."""
    text = (resources.files("crmmail.demo") / "data" / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def _read(name: str, people: dict[str, Person]) -> Iterator[Conversation]:
    section = ["", "", "en", ""]
    subject, letters = "", list[Letter]()
    head, body = "", list[str]()

    def close_letter() -> None:
        if head:
            letters.append(_letter(head, "\n".join(body).strip(), people, section[2]))
        body.clear()

    for line in [*lines_of(name), "=== "]:
        if line.startswith("--- "):
            close_letter()
            head = line
        elif line.startswith(("=== ", "% ", "@ ")):
            close_letter()
            head = ""
            if letters:
                yield Conversation(subject, tuple(letters))
                letters = []
            if line.startswith("% "):
                section = [field.strip() for field in line[2:].split("|")]
            elif line.startswith("@ "):
                person = _person(line, section)
                people[person.key] = person
            else:
                subject = line[4:].strip()
        else:
            body.append(line)


def _person(line: str, section: list[str]) -> Person:
    key, name, job, local, habits = (field.strip() for field in line[2:].split("|"))
    domain, company, lang, offset = section
    client, *more = habits.split()
    own = dict(word.split("=") for word in more)
    hours = own.get("tz", offset.removeprefix("tz="))
    address = f"{local}@{domain}"
    return Person(key, name, address, job, company, own.get("lang", lang), client, int(hours))


def _letter(head: str, text: str, people: dict[str, Person], lang: str) -> Letter:
    found = _LETTER.fullmatch(head)
    if found is None:
        raise ValueError(f"not a letter: {head}")
    sender, to, cc, rest = found.groups()
    pieces = [piece.strip() for part in (rest or "").split(";") for piece in part.split(",")]
    words = [(key, value) for key, _, value in (piece.partition(" ") for piece in pieces) if key]
    when = ""
    if words and words[0][0][0] in "+~0123456789":
        when = " ".join(words.pop(0)).strip()
    options = tuple((k, v) if "=" not in k else tuple(k.split("=", 1)) for k, v in words)
    own = lang if sender in OWN else people[sender].lang
    spoken = next((value for key, value in options if key == "lang"), own)
    return Letter(sender, _keys(to), _keys(cc or ""), when, spoken, options, text)


def _keys(listed: str) -> tuple[str, ...]:
    return tuple(key.strip() for key in listed.split(",") if key.strip())
