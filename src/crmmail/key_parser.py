"""What the terminal sends, as keys: Textual's parser, with what bursts and old terminals need."""

from __future__ import annotations

import codecs
import math
import os
import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
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
_PASTED_CUT = re.compile(r"\x1b(?:\[(?:2(?:01?)?)?)?\Z")
"""The first part of the mark at the end of a paste."""
_PASTE_REST = 1.0  # seconds without a byte after which a paste has ended: its mark is lost
_AT_ONCE = 0.03  # seconds in which a person types one key
LONGEST_PASTE = 1_000_000
"""Characters of a paste that are taken."""
_MODE_REPORT = re.compile(r"\x1b\[\?[\d;]*\$y")
_BEGUN = r"\x1b(?:\]\d|P[\d>+$!]|_G)[^\x07\x1b]*"
_ANSWER = re.compile(_BEGUN + r"(?:\x07|\x1b\\)")
"""What a terminal answers about colours, its name, the clipboard, pictures; maybe to an editor."""
_SEQUENCES = re.compile(r"(?:\x1b(?:\[(?:\[.|<?[0-?]*[ -/]*[@-Z\\^-~])|O[ -~]))+")
"""Only sequences, as arrow keys and the mouse send them: no text."""
_TYPED = re.compile(
    r"\A\x1b?(.)\1*\Z|[^\t\n\v\f\r\x1b -~\x80-\U0010ffff]|\x1b(?:O|\[[\d;]*[A-HPQSZ~])", re.DOTALL
)
"""One key, maybe held down, or what is sent for keys and is in no text."""
_CUT = re.compile(rf"(?:\x1b(?:\[(?:20{{0,2}})?|[\]P_])?|{_BEGUN}\x1b?)\Z")
"""What may be the first half of the mark of a paste or of an answer."""


def decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    """What decodes the terminal's bytes; one that cannot be is no reason to end the app."""
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


@dataclass
class PasteCut(Message):
    """A pasted text was too long: only so many characters of it are taken."""

    length: int


class _Unended:
    """A pasted text that comes in pieces.

    One that is `late` is the rest of a text that was taken before its end had come.
    """

    def __init__(self, *, is_late: bool = False) -> None:
        self.is_late = is_late
        self._pieces: list[str] = []
        self._room = LONGEST_PASTE
        self._is_cut = False
        self._tail = ""  # it may have the first part of the mark
        self.until = 0.0
        """When it has ended, if nothing more comes."""

    def add(self, data: str) -> str | None:
        """Take what has come; returns what comes after the end, or None before that."""
        text, mark, after = f"{self._tail}{data}".partition(_PASTED)
        kept = len(text) if mark else max(len(text) - len(_PASTED) + 1, 0)
        self._keep(text[:kept])
        self._tail = text[kept:]
        self.until = time.monotonic() + _PASTE_REST
        return after if mark else None

    def _keep(self, text: str) -> None:
        self._is_cut = self._is_cut or len(text) > self._room
        self._pieces.append(text[: self._room])
        self._room -= len(self._pieces[-1])

    def end(self) -> Iterator[Message]:
        """What was pasted."""
        texts = [self.text()]
        if self.is_late:  # a mark may be lost between two texts
            texts = [text for text in texts[0].split(_PASTE) if text]
        for text in texts:
            yield events.Paste(text.replace("\x00", ""))
        if self._is_cut:
            yield PasteCut(LONGEST_PASTE)

    def cut(self) -> str:
        """What may be the first part of the mark, where no more of it has come."""
        return found[0] if (found := _PASTED_CUT.search(self._tail)) else ""

    def text(self) -> str:
        """All that has come, at the end of it."""
        self._keep(_PASTED_CUT.sub("", self._tail))
        self._tail = ""
        return "".join(self._pieces)


class KeyParser(XTermParser):
    """Reads escape and the key after it as two keys, as they were typed (U1).

    Terminals send the same for alt and a key, which nothing here is bound to. A sequence that is
    not known is no key, nor is an answer of the terminal, nor an escape in a pasted text: Textual
    would take what follows for typed keys, which do things. A paste whose end does not come ends
    when nothing comes any more; what then comes at once, as nobody types, is the rest of it.
    """

    def __init__(self, debug: bool = False) -> None:
        self._pasted: _Unended | None = None  # one that has not ended
        self._late_until: float | None = None  # a paste has ended without its mark: it may go on
        self._late_cut = ""  # the first part of a mark, at which it has ended
        self._first = ""  # a character that has come since: a key, or the first one of the rest
        self._first_at = 0.0
        back_tab = {_BACK_TAB} if os.environ.get("TERM", "").startswith("linux") else set()
        self._whole = _WORDWISE | back_tab
        self._rest = ""  # what may be half of a mark
        self._rest_until = 0.0  # when it is not one: nothing more has come
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from self._type_first()
            yield from super().feed(data)  # the end
            return
        data, self._rest = self._rest + data, ""
        if self._late_until is not None:
            data = yield from self._read_late(data)
        while data:
            if self._pasted is not None:
                data = yield from self._paste(self._pasted, data)
                continue
            typed, mark, data = data.partition(_PASTE)
            if mark:
                self._pasted = _Unended()
                self._pasted.add("")
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

        if self._first and time.monotonic() - self._first_at >= _AT_ONCE:
            yield from self._type_first()
        if self._pasted is not None and time.monotonic() >= self._pasted.until:
            paste, self._pasted = self._pasted, None
            yield from self._end_unmarked(paste)

    @property
    def is_waiting(self) -> bool:
        """Whether what has come is not read yet: more of it may come."""
        waits = self._pasted is not None or self._timeout_time is not None
        return waits or bool(self._rest or self._first)

    def _paste(self, paste: _Unended, data: str) -> Generator[Message, None, str]:
        """Take a part of a pasted text; returns what comes after it."""
        if (after := paste.add(data)) is None:
            return ""
        self._pasted = None
        yield from paste.end()
        return after

    def _end_unmarked(self, paste: _Unended) -> Iterable[Message]:
        """Nothing more comes of a paste. If it is the rest of one, it may be keys after all."""
        if paste.is_late and _TYPED.search(text := paste.text()):
            self._late_until = None
            yield from super().feed(_ANSWER.sub("", text))
        else:
            self._late_until, self._late_cut = math.inf, paste.cut()
            yield from paste.end()

    def _type_first(self) -> Iterable[Message]:
        """One character came alone: somebody types, though the rest may come yet."""
        if self._first:
            first, self._first, self._late_cut = self._first, "", ""
            self._late_until = min(self._late_until or 0.0, self._first_at + _PASTE_REST)
            yield from super().feed(first)

    def _read_late(self, data: str) -> Generator[Message, None, str]:
        """Tell the rest of a paste that has been ended from keys; returns what is to be read."""
        now = time.monotonic()
        if now - self._first_at >= _AT_ONCE:
            yield from self._type_first()
        data, self._first = self._first + data, ""
        if self._late_cut and (self._late_cut + data).startswith(_PASTED):
            data = self._late_cut + data
        text, begins, _ = data.partition(_PASTE)
        if now >= (self._late_until or 0.0) or (begins and len(text) < 2):
            self._late_until = None
        elif _PASTED_CUT.fullmatch(data):
            self._rest, self._rest_until = data, now + constants.ESCAPE_DELAY
            return ""
        elif len(data) == 1:
            self._first, self._first_at = data, now
            return ""
        elif _PASTED in data or not _SEQUENCES.fullmatch(data):
            self._late_until = None
            self._pasted = _Unended(is_late=True)
        return data

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
