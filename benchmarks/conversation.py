"""Conversations: letters that answer each other, with all that goes wrong between mail clients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.cast import Someone
from benchmarks.letters import Attached, Letter
from benchmarks.stage import DAY, END, PROJECTS, Stage
from benchmarks.words import subject

_REPLIES = {
    "en": ("Re: ", "Re: ", "Re: ", "RE: ", "Re: Re: "),
    "de": ("AW: ", "AW: ", "Aw: ", "Re: ", "AW: RE: "),
    "fr": ("RE: ", "Re: "),
    "ru": ("Re: ", "RE: "),
    "ja": ("Re: ", "RE: ", "回复: "),
}
_RARE = (
    "SV: ",
    "VS: ",
    "RV: ",
    "RES: ",
    "WG: ",
    "Fwd: ",
    "TR: ",
    "ENC: ",
    "转发: ",
    "回复：",
    "FWD: Re: ",
)


@dataclass(slots=True)
class _Thread:
    """What the next letter of a conversation goes on."""

    base: str
    language: str
    folder: str
    ids: list[str] = field(default_factory=list)
    last: Letter | None = None


def external(stage: Stage) -> list[Letter]:
    """A conversation with a contact, perhaps with others of the company and with colleagues."""
    rng = stage.rng
    main = stage.contact()
    circle = [main, *stage.peers(main, 2 if rng.random() < 0.4 else 0)]
    if rng.random() < 0.1:
        circle.append(stage.contact())
    if rng.random() < 0.22:
        circle += rng.sample(stage.cast.colleagues, rng.randint(1, 2))
    folder = rng.choice(PROJECTS) if rng.random() < 0.18 else ""
    return talk(stage, list(dict.fromkeys(circle)), turns=_turns(stage), folder=folder)


def internal(stage: Stage) -> list[Letter]:
    """A conversation among colleagues."""
    circle = stage.rng.sample(stage.cast.colleagues, stage.rng.randint(1, 4))
    return talk(stage, circle, turns=_turns(stage), folder="")


def endless(stage: Stage) -> list[Letter]:
    """A conversation with more letters than references count (T1)."""
    return talk(stage, [stage.contact()], turns=64, folder="")


def _turns(stage: Stage) -> int:
    return min(30, 1 + int(stage.rng.expovariate(1 / 3.2)))


def talk(stage: Stage, circle: Sequence[Someone], *, turns: int, folder: str) -> list[Letter]:
    """`turns` letters between me and the circle, each answering the one before."""
    rng = stage.rng
    language = circle[0].language if rng.random() < 0.8 else "en"
    thread = _Thread(subject(rng, language), language, folder)
    everybody = [stage.me(), *circle]
    speaker = everybody[0] if rng.random() < 0.4 else circle[0]
    at, made = stage.sometime(), list[Letter]()
    for _ in range(turns):
        if at > END:
            break
        letter = _write(stage, thread, speaker, everybody, at)
        made.append(letter)
        speaker = _next_speaker(stage, speaker, everybody)
        gap = min(20 * DAY, math.exp(rng.gauss(math.log(7 * 3_600), 1.3)))
        at = letter.sent_at + 60 + int(gap) + (rng.random() < 0.02) * rng.randint(35, 80) * DAY
    return made


def _next_speaker(stage: Stage, speaker: Someone, everybody: list[Someone]) -> Someone:
    mine = speaker is everybody[0]
    if mine or (len(everybody) > 2 and stage.rng.random() < 0.2):
        others = [person for person in everybody[1:] if person is not speaker]
        return stage.rng.choice(others or everybody[1:])
    return everybody[0]


def _write(
    stage: Stage, thread: _Thread, speaker: Someone, everybody: list[Someone], at: int
) -> Letter:
    rng = stage.rng
    mine = speaker is everybody[0]
    listeners = [person for person in everybody if person is not speaker]
    if len(listeners) > 1 and rng.random() < 0.15:
        listeners = listeners[:1]  # an answer to one of them only
    roles = {"sender": [speaker], "to": listeners[:1], "cc": listeners[1:]}
    if mine and rng.random() < 0.04:
        roles["bcc"] = [rng.choice((stage.contact(), rng.choice(stage.cast.colleagues)))]
    if not mine and rng.random() < 0.05:
        roles["reply_to"] = [rng.choice([*stage.peers(speaker, 1), speaker, stage.contact()])]
    if roles.get("reply_to") == [speaker]:
        del roles["reply_to"]
    letter = stage.letter(at, stage.cast_list(at, **roles), thread.base, language=thread.language)
    if thread.last is not None:
        _answer(stage, thread, letter)
    _blemish(stage, letter)
    letter.placed = stage.sent(thread.folder) if mine else stage.inbox(at, thread.folder)
    letter.attached = _enclosures(stage)
    if letter.message_id:
        thread.ids.append(letter.message_id)
    thread.last = letter
    return letter


def _answer(stage: Stage, thread: _Thread, letter: Letter) -> None:
    """Prefix, references and quote of a reply, as the various clients set them."""
    rng = stage.rng
    letter.prefix = rng.choice(_RARE if rng.random() < 0.04 else _REPLIES[thread.language])
    letter.parent = thread.last
    dice = rng.random()
    if dice < 0.05 or not thread.ids:  # a client that knows no references
        thread.ids.clear()
    elif dice < 0.13:
        letter.in_reply_to = thread.ids[-1]
    elif dice < 0.18:
        letter.references = tuple(thread.ids)
    else:
        letter.references, letter.in_reply_to = tuple(thread.ids), thread.ids[-1]
    if thread.ids and rng.random() < 0.03:  # another subject in the same thread
        thread.base = subject(rng, thread.language)
        letter.base, letter.prefix = thread.base, ""


def _blemish(stage: Stage, letter: Letter) -> None:
    """What is wrong with a few of all letters: no Message-ID, a bad date, a late arrival."""
    rng = stage.rng
    dice = rng.random()
    if dice < 0.02:
        letter.message_id = ""
        letter.base += f" ({stage.token()})"
    elif dice < 0.03:
        letter.date = rng.choice(("missing", "garbage", "future", "ancient"))
        letter.received_at = letter.sent_at
    elif dice < 0.05:
        letter.received_at = letter.sent_at + rng.randint(1, 6) * DAY
    elif dice < 0.06:
        letter.received_at = letter.sent_at - rng.randint(1, 20) * 3_600  # a clock that is fast


def _enclosures(stage: Stage) -> tuple[Attached, ...]:
    rng = stage.rng
    dice = rng.random()
    if dice < 0.006:
        return (Attached("dates.ics", "text/calendar", 700, "ics"),)
    if dice < 0.012:
        return (Attached("forwarded.eml", "message/rfc822", 1_500, "message"),)
    return stage.files(0.055)
