"""Rows of settings, and the choices they offer, each with what it will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from crmmail.screens.undo import Undo


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: what it is, what it will do, and the change itself, which returns its undo.

    With `ask`, a line asks for a text first, that `answer` makes an option of.
    """

    id: int
    words: str
    effect: str = ""
    do: Callable[[], Undo | None] | None = None
    said: str = ""
    ask: str = ""
    answer: Callable[[str], Option] | None = None


Offer = Callable[[], list[Option]]
"""Works out the choices; called in a thread."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the screen: a title above others, a fact, or something that can be changed."""

    title: str
    value: str = ""
    role: str = "text"
    options: Offer | None = None


def numbered(options: Iterable[Option]) -> list[Option]:
    """The choices, each with its place among them."""
    return [replace(one, id=position) for position, one in enumerate(options)]


def pair(words: str, effect: str, do: Callable[[], object], undo: Callable[[], object]) -> Option:
    """A choice that does one thing, and is undone by the other."""

    def change() -> Undo:
        do()
        return undo

    return Option(0, words, effect, change, words)


def answered(answer: Callable[[str], Option], typed: str) -> list[Option]:
    """The one choice that an answer makes."""
    return [answer(typed)]
