"""The edges of the rules, one short plot each: every mailbox has all of them several times."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.cast import Someone
from benchmarks.letters import Letter, Placed
from benchmarks.stage import DAY, Stage
from benchmarks.words import invented, subject

_IN, _SENT = (Placed("INBOX"),), (Placed("Sent"),)
_NOBODY = (("From", "MAILER-DAEMON"), ("To", "undisclosed-recipients:;"))


def _incoming(stage: Stage, sender: Someone, base: str = "", **facts: object) -> Letter:
    at = stage.sometime()
    who = stage.cast_list(at, sender=[sender], to=[stage.me()])
    base = base or subject(stage.rng, "en")
    return stage.letter(at, who, base, **{"placed": _IN, **facts})


def _outgoing(stage: Stage, *to: Someone, **facts: object) -> Letter:
    at = stage.sometime()
    who = stage.cast_list(at, sender=[stage.me()], to=to)
    return stage.letter(at, who, subject(stage.rng, "en"), **{"placed": _SENT, **facts})


def _role(stage: Stage, local: str = "info") -> Someone:
    """A role address that nothing else mentions."""
    address = f"{local}@{invented(stage.rng, 4)}.example"
    return Someone(address, (address,), "", "never", local.capitalize())


def _own_notes(stage: Stage) -> list[Letter]:
    """M4: a note to self is internal, from whichever own address."""
    first, second = stage.cast.me[0], stage.rng.choice(stage.cast.me)
    at = stage.sometime()
    who = stage.cast_list(at, sender=[second], to=[first])
    return [stage.letter(at, who, subject(stage.rng, "en"), placed=_IN)]


def _no_people(stage: Stage) -> list[Letter]:
    """M7, and what comes before it: a sign of group mail, an invitation in the top header."""
    facts: list[dict[str, object]] = [
        {},
        {"marks": (("Precedence", "bulk"),)},
        {"invitation": "top", "shape": "plain"},
        {"invitation": "nested", "shape": "plain"},
    ]
    made = []
    for more in facts:
        letter = stage.letter(stage.sometime(), (), subject(stage.rng, "en"), placed=_IN, **more)
        letter.loose_headers = _NOBODY
        made.append(letter)
    return made


def _bounce(stage: Stage) -> list[Letter]:
    """M4 before M7: the only usable address is my own."""
    at = stage.sometime()
    letter = stage.letter(at, stage.cast_list(at, to=[stage.me()]), "Undelivered mail returned")
    letter.loose_headers, letter.placed = _NOBODY[:1], _IN
    return [letter]


def _blocked(stage: Stage) -> list[Letter]:
    """M3 in every role; own addresses in a blocked domain do not count."""
    pest, at = stage.rng.choice(stage.cast.blocked), stage.sometime()
    copied = stage.cast_list(at, sender=[stage.contact()], to=[stage.me()], cc=[pest])
    answers = stage.cast_list(at, sender=[stage.contact()], to=[stage.me()], reply_to=[pest])
    mine = stage.cast_list(at, sender=[stage.cast.me[2]], to=[stage.contact()])
    others = [stage.letter(at, who, subject(stage.rng, "en")) for who in (copied, answers, mine)]
    for letter in others:
        letter.placed = _IN
    others[-1].placed = _SENT
    return [_incoming(stage, pest), _outgoing(stage, pest), *others]


def _written_roles(stage: Stage) -> list[Letter]:
    """M5: what counts as having written: sent mail that was skipped; no draft, no trashed mail."""
    pest, colleague = stage.rng.choice(stage.cast.blocked), stage.rng.choice(stage.cast.colleagues)
    first, second, third, fourth = (
        _role(stage, stage.rng.choice(("info", "support", "contact"))) for _ in range(4)
    )
    at = stage.sometime()
    hidden = stage.cast_list(at, sender=[stage.me()], to=[colleague], bcc=[fourth])
    return [
        *(_incoming(stage, role) for role in (first, second, third, fourth)),
        _outgoing(stage, first, pest),
        _outgoing(stage, second, placed=(Placed("INBOX", ("\\Draft",)),)),
        _outgoing(stage, third, placed=(Placed("Trash"),)),
        stage.letter(at, hidden, subject(stage.rng, "en"), placed=_SENT),
    ]


def _drafts(stage: Stage) -> list[Letter]:
    """M2: a draft in a folder that is read."""
    flags = ("\\Draft", "\\Seen")
    return [_outgoing(stage, stage.contact(), placed=(Placed("Archive", flags),))]


def _unmarked(stage: Stage) -> list[Letter]:
    """Headers and names that look like group mail and are not (M5)."""
    rng = stage.rng
    made = [
        _incoming(stage, stage.contact(), marks=(("Auto-Submitted", "no"),)),
        _incoming(stage, stage.contact(), marks=(("Precedence", "first-class"),)),
        _incoming(stage, _role(stage, "info-desk")),
    ]
    address = f"mira@noreply.{invented(rng, 4)}.example"
    made.append(_incoming(stage, Someone(address, (address,), "Mira Holt", "plain", "Mira")))
    marks = (("List-Unsubscribe", "<mailto:off@brightlane.example>"), ("Precedence", "bulk"))
    readers = [stage.contact() for _ in range(12)]
    at = stage.sometime()
    who = stage.cast_list(at, sender=[stage.cast.me[0]], to=[stage.cast.me[0]], bcc=readers)
    made.append(stage.letter(at, who, subject(rng, "en"), marks=marks, placed=_SENT))
    return made


def _hidden_recipients(stage: Stage) -> list[Letter]:
    """Mail that names only its sender, and mail that names no sender."""
    at, contact = stage.sometime(), stage.contact()
    alone = stage.letter(at, stage.cast_list(at, sender=[contact]), subject(stage.rng, "en"))
    alone.loose_headers, alone.placed = _NOBODY[1:], _IN
    who = stage.cast_list(at, to=[stage.me()], cc=[contact])
    senderless = stage.letter(at, who, subject(stage.rng, "en"), placed=_IN)
    return [alone, senderless]


def _reply_to(stage: Stage) -> list[Letter]:
    """An outsider in Reply-To alone makes a colleague's letter external (M4, C7)."""
    at, colleague = stage.sometime(), stage.rng.choice(stage.cast.colleagues)
    who = stage.cast_list(at, sender=[colleague], to=[stage.me()], reply_to=[stage.contact()])
    same = stage.cast_list(at, sender=[colleague], to=[stage.me()], reply_to=[colleague])
    return [stage.letter(at, w, subject(stage.rng, "en"), placed=_IN) for w in (who, same)]


def _twice(stage: Stage) -> list[Letter]:
    """One recipient twice in a header; one letter without Message-ID in two folders (M11)."""
    letter = _outgoing(stage, stage.contact())
    sender, to = letter.who
    letter.who = (sender, to, to._replace(written=to.address.upper()))
    copied = _incoming(stage, stage.contact(), placed=(Placed("INBOX"), Placed("Archive")))
    copied.message_id, copied.base = "", f"{copied.base} ({stage.token()})"
    return [letter, copied]


def _many_references(stage: Stage) -> list[Letter]:
    """T1: the last 50 references count; a letter is no reference to itself."""
    contact = stage.contact()
    first, last, itself = (_incoming(stage, contact) for _ in range(3))
    ghosts = tuple(stage.message_id("x@ghosts.example") for _ in range(55))
    last.references, last.in_reply_to = (first.message_id, *ghosts), ghosts[-1]
    itself.references = (itself.message_id,)
    near = _incoming(stage, contact)
    near.references = (*ghosts[:30], itself.message_id)
    return [first, last, itself, near]


def _ghosts(stage: Stage) -> list[Letter]:
    """T1: letters that share nothing but a reference to one that nobody has."""
    ghost = (stage.message_id("x@ghosts.example"),)
    first = _incoming(stage, stage.contact(), references=ghost, prefix="Re: ")
    return [first, _outgoing(stage, stage.contact(), in_reply_to=ghost[0])]


def _loose(stage: Stage) -> list[Letter]:
    """T2 and all that it is not: too late, too early, too short, other people, no prefix."""
    contact, other = stage.contact(), stage.rng.choice(stage.cast.colleagues)
    made = []
    for days, prefix, base, extra in (
        (9, "Re: ", "", ()),
        (29, "AW: Re: ", "", ()),
        (31, "Re: ", "", ()),
        (-5, "Re: ", "", ()),
        (3, "Re: ", "", (other,)),
        (3, "", "", ()),
        (2, "Re: ", f"{stage.rng.choice(('Hi', 'Ok', 'FYI'))}", ()),
    ):
        first = _incoming(stage, contact, base)
        me = next(p for p in stage.cast.me if p.address == first.who[1].address)
        at = first.sent_at + days * DAY
        who = stage.cast_list(at, sender=[me], to=[contact], cc=extra)
        made += [first, stage.letter(at, who, first.base, prefix=prefix, placed=_SENT)]
    return made


PLOTS: tuple[Callable[[Stage], list[Letter]], ...] = (
    _own_notes,
    _no_people,
    _bounce,
    _blocked,
    _written_roles,
    _drafts,
    _unmarked,
    _hidden_recipients,
    _reply_to,
    _twice,
    _many_references,
    _ghosts,
    _loose,
)
