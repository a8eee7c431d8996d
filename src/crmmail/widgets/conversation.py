"""A thread as the reading pane shows it: messages folded or open, quotes, attachments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from crmmail.store.kinds import Flag, Level
from crmmail.store.messages import Attachment, MessageRow, Person, Text
from crmmail.widgets.hits import spans
from crmmail.widgets.pieces import Piece, safe
from crmmail.widgets.reading_pane import Line, Section
from crmmail.widgets.words import compact, exact, plural, size

MANY = 5  # from here on only the first two messages and the last are listed
MORE = -1  # the key of the section that stands for the messages in between

_NO_CONTACT = {
    "free-mail": "free-mail provider",
    "group": "group address",
    "blocked": "blocked",
    "deleted": "deleted",
    "policy": "never written to",
    "internal": "colleague",
}


@dataclass(slots=True)
class Folding:
    """What is open of a thread, kept by message id, so that new mail changes nothing of it."""

    opened: set[int] = field(default_factory=set)
    quotes: set[int] = field(default_factory=set)  # messages whose quoted text is shown
    middle: bool = False  # the messages between the first two and the last are listed

    def toggle(self, target: str) -> None:
        """Fold what is open, unfold what is folded."""
        what, _, number = target.partition(":")
        if what == "more":
            self.middle = not self.middle
        elif what == "quotes":
            self.quotes ^= {int(number)}
        elif what == "message":
            self.opened ^= {int(number)}


@dataclass(frozen=True, slots=True)
class Reader:
    """How the parts of a message are read when they are shown."""

    text: Callable[[int], Text]
    attachments: Callable[[int], list[Attachment]]


_KEPT: dict[int, str] = {
    Level.METADATA: "Only who and when is kept: the account's visibility says so.",
    Level.SUBJECT: "The text is not kept: the account's visibility says so.",
}


def listed(messages: Sequence[MessageRow], folding: Folding) -> list[MessageRow | None]:
    """The messages that have a line, with None for those in between."""
    if len(messages) < MANY or folding.middle:
        return list(messages)
    return [*messages[:2], None, messages[-1]]


def sections(messages: Sequence[MessageRow], folding: Folding, reader: Reader) -> Iterator[Section]:
    """The sections of a thread, one a message."""
    shown = listed(messages, folding)
    for position, message in enumerate(shown):
        last = position == len(shown) - 1
        if message is None:
            text = f"  ··· {plural(len(messages) - 3, 'more message')}"
            yield Section(MORE, (Line(((text, "accent"),), target="more"),), "more")
        else:
            target = f"message:{message.id}"
            is_open = message.id in folding.opened
            lines = open_lines(message, folding, reader) if is_open else folded_lines(message)
            gap = (Line(),) if is_open and not last else ()
            yield Section(message.id, (*lines, *gap), target)


def folded_lines(message: MessageRow) -> Iterator[Line]:
    """A message on one line: who, the first words, when."""
    sender = _sender(message)
    preview = message.preview or message.subject or _KEPT.get(message.level, "")
    pieces: tuple[Piece, ...] = (
        ("▸ ", "muted"),
        (_short_name(message, sender), "strong" if _unread(message) else "text"),
        (f"  {preview}", "muted"),
    )
    yield Line(pieces, (compact(message.sent_at), "muted"), target=f"message:{message.id}")


def open_lines(message: MessageRow, folding: Folding, reader: Reader) -> Iterator[Line]:
    """A message in full."""
    target = f"message:{message.id}"
    sender = _sender(message)
    who: list[Piece] = [("▾ ", "muted"), (_short_name(message, sender), "title")]
    if sender is not None:
        if sender.name and sender.name != sender.address:
            who.append((f" <{sender.address}>", "muted"))
        who.extend(_why_no_contact(sender, message.outgoing))
    yield Line(tuple(who), (exact(message.sent_at), "muted"), target=target)
    yield from _recipients(message)
    yield Line()
    if note := _KEPT.get(message.level):
        yield Line(((f"  {note}", "muted"),))
    yield from _body(message.id, reader.text(message.id), message.id in folding.quotes)
    yield from _attachments(message, reader)


def _sender(message: MessageRow) -> Person | None:
    return next((who for who in message.participants if who.role == "from"), None)


def _short_name(message: MessageRow, sender: Person | None) -> str:
    if message.outgoing:
        return "me"
    return (sender.name or sender.address) if sender else "(no sender)"


def _unread(message: MessageRow) -> bool:
    return not message.outgoing and not message.flags & Flag.SEEN


def _recipients(message: MessageRow) -> Iterator[Line]:
    """One line for each role that somebody has."""
    for role in ("to", "cc", "bcc", "reply_to"):
        people = [who for who in message.participants if who.role == role]
        if people:
            label = role.replace("_", "-")
            pieces: list[Piece] = [(f"  {label}  ", "muted")]
            for position, who in enumerate(people):
                if position:
                    pieces.append((", ", "muted"))
                pieces.extend(_recipient(who))
            yield Line(tuple(pieces), hang="      ", target="people")


def _recipient(who: Person) -> Iterator[Piece]:
    if who.no_contact == "own":
        yield "me", "text"
        return
    if who.name and who.name != who.address:
        yield safe(who.name), "text"
        yield f" <{safe(who.address)}>", "muted"
    else:
        yield safe(who.address), "text"
    yield from _why_no_contact(who, own=False)


def _why_no_contact(who: Person, own: bool) -> Iterator[Piece]:
    """C3: why an address is nobody's."""
    if who.no_contact in _NO_CONTACT and not own and who.person_id is None:
        reason = _NO_CONTACT[who.no_contact]
        yield f" ({reason if reason == 'colleague' else f'not a contact: {reason}'})", "accent"


def _body(message_id: int, text: Text, show_quotes: bool) -> Iterator[Line]:
    """The text, each quoted part as one line until it is asked for."""
    lines = text.text.rstrip().split("\n") if text.text.strip() else []
    if not lines:
        yield Line((("  (no text)", "muted"),))
    position = 0
    for start, end in text.quotes:
        start, end = max(start, position), min(end, len(lines))
        if start >= end:
            continue
        yield from _text_lines(lines[position:start], "text")
        sign = "▾" if show_quotes else "▸"
        note = f"  {sign} {plural(end - start, 'quoted line')}"
        yield Line(((note, "quote"),), target=f"quotes:{message_id}")
        if show_quotes:
            yield from _text_lines(lines[start:end], "quote")
        position = end
    yield from _text_lines(lines[position:], "text")


def _text_lines(texts: Sequence[str], role: str) -> list[Line]:
    """Lines of text, indented; a continuation repeats the indentation or the quote marks."""
    return [Line((("  " + text, role),), hang=None) for text in texts]


def _attachments(message: MessageRow, reader: Reader) -> Iterator[Line]:
    parts = reader.attachments(message.id) if message.attachments else []
    if parts:
        yield Line()
        yield Line(((f"  {plural(len(parts), 'attachment')}", "muted"),))
    for part in parts:
        where = ", in the text" if part.inline else ""
        about = f"  {safe(part.mime)}, {size(part.size)}{where}"
        pieces = (("  · ", "muted"), (safe(part.name), "accent"), (about, "muted"))
        yield Line(pieces, hang="    ", target=f"attachment:{message.id}:{part.position}")


def having(words: str, text: Text) -> tuple[bool, bool]:
    """Whether these words are in what is written new, and in what is quoted."""
    if not any(spans(text.text, words)):
        return False, False
    quoted = {number for start, end in text.quotes for number in range(start, end)}
    found = [n for n, line in enumerate(text.text.split("\n")) if any(spans(line, words))]
    return any(n not in quoted for n in found), any(n in quoted for n in found)
