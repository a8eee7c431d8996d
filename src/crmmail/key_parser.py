"""What the terminal sends, as keys: Textual's parser, with what bursts and old terminals need."""

from __future__ import annotations

import codecs
import os
import re
import time
from collections.abc import Callable, Generator, Iterable
from functools import partial

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message

_ESCAPE = "\x1b"
_INTRODUCERS = frozenset("[O\x1b")
"""What follows an escape in a sequence of several characters."""
_WORDWISE = frozenset({"\x1b\x7f", "\x1bf", "\x1bb"})
"""Keys that terminals send so: delete a word, a word to the right, to the left."""
_BACK_TAB = "\x1b\t"
"""How the Linux console sends shift+tab."""
_UNKNOWN = re.compile(r"\x1b\[(?![<M\[])[0-?]*[ -/]*[@-~]")
"""A whole sequence (ECMA-48), but for those of a mouse and of the Linux console."""
_PASTE, _PASTED = "\x1b[200~", "\x1b[201~"
_MODE_REPORT = re.compile(r"\x1b\[\?[\d;]*\$y")
_BEGUN = r"\x1b(?:\]\d|P[\d>+$!]|_G)[^\x07\x1b]*"
_ANSWER = re.compile(_BEGUN + r"(?:\x07|\x1b\\)")
"""What a terminal answers about colours, its name, the clipboard, pictures; maybe to an editor."""
_CUT = re.compile(rf"(?:\x1b(?:\[(?:20{{0,2}})?|[\]P_])?|{_BEGUN}\x1b?)\Z")
"""What may be the first half of the mark of a paste or of an answer."""


def decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """What decodes the terminal's bytes; one that cannot be is no reason to end the app."""
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


class KeyParser(XTermParser):
    """Reads escape and the key after it as two keys, as they were typed (U1).

    Terminals send the same for alt and a key, which nothing here is bound to. A sequence that is
    not known is no key, nor is an answer of the terminal, nor an escape in a pasted text: Textual
    would take what follows for typed keys, which do things.
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasted: str | None = None  # what came of a paste that has not ended
        back_tab = {_BACK_TAB} if os.environ.get("TERM", "").startswith("linux") else set()
        self._whole = _WORDWISE | back_tab
        self._rest = ""  # what may be half of a mark
        self._rest_until = 0.0  # when it is not one: nothing more has come
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)  # the end
            return
        data, self._rest = self._rest + data, ""
        while data:
            if self._pasted is not None:
                data = yield from self._paste(data)
                continue
            typed, mark, data = data.partition(_PASTE)
            if mark:
                self._pasted = ""
            elif cut := _CUT.search(typed := _ANSWER.sub("", typed)):
                typed, self._rest = typed[: cut.start()], cut[0]
                self._rest_until = time.monotonic() + constants.ESCAPE_DELAY
            if typed := _ANSWER.sub("", typed):
                yield from super().feed(typed)

    def tick(self) -> Iterable[Message]:
        yield from super().tick()
        if self._rest and time.monotonic() >= self._rest_until:
            rest, self._rest = self._rest, ""
            if rest == _ESCAPE:
                yield events.Key("escape", _ESCAPE)
            else:
                yield from super().feed(rest)

    @property
    def is_waiting(self) -> bool:
        """Whether what has come is not read yet: more of it may come."""
        return bool(self._rest) or self._timeout_time is not None

    def _paste(self, data: str) -> Generator[Message, None, str]:
        """Take a part of a pasted text; returns what comes after it."""
        text, mark, after = f"{self._pasted}{data}".partition(_PASTED)
        self._pasted = None if mark else text
        if mark:
            yield events.Paste(text.replace("\x00", ""))
        return after

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt or (
            len(sequence) == 2
            and sequence[0] == _ESCAPE
            and sequence[1] not in _INTRODUCERS
            and sequence not in self._whole
        ):
            yield from self._apart(_ESCAPE + sequence.removeprefix(_ESCAPE))
            return
        try:
            known = list(super()._sequence_to_key_events(sequence))
        except (ValueError, OverflowError):  # numbers that are none, or are not a character
            known = []
        if known or len(sequence) < 3 or sequence[0] != _ESCAPE:
            yield from known
        elif sequence[1] == "O":  # no key ends so: they are keys of their own
            yield from self._apart(sequence)
        elif _UNKNOWN.fullmatch(sequence) and not _MODE_REPORT.fullmatch(sequence):
            yield events.Key(Keys.Ignore, sequence)

    def _apart(self, characters: str) -> Iterable[events.Key]:
        for character in characters:
            yield from super()._sequence_to_key_events(character)
