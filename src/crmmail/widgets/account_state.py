"""How an account's sync stands, in words for a person: more than fits into the status line (S6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crmmail.store.accounts import StateRow
from crmmail.widgets.pieces import Piece
from crmmail.widgets.status_line import KEYS
from crmmail.widgets.words import compact, duration

_WORDS = {
    "new": "not synced yet",
    "connecting": "signing in",
    "checking": "looking for new mail",
    "applying": "applying changed settings",
    "wiping": "wiping from the disk what was removed",
    "watching": "up to date; the server tells of new mail",
    "waiting": "up to date",
    "stopped": "stopped: it waits for you",
    "refused": "the sign-in did not work; crmmail tries again",
    "asking": "waits for its password",
    "untrusted": "the server's certificate is not trusted; crmmail tries again",
}


def lines(state: StateRow, paused: bool, to_come: str, now: float) -> Iterator[Sequence[Piece]]:
    """The state, when it was and will be synced, how far the import is, and what went wrong."""
    yield (_dot(state, paused), (_doing(state, paused), "strong"))
    times = []
    if state.last_success:
        times.append(f"last success {compact(state.last_success)}")
    if state.next_try > now and not paused:
        times.append(f"next try in {duration(state.next_try - now)}")
    yield ((f"  {', '.join(times)}" if times else "", "muted"),)
    yield ((f"  {to_come}" if to_come else "", "text"),)
    if state.error:
        yield (("✗ ", "bad"), (state.error, "text"))
        yield ((f"  {state.hint}" if state.hint else "", "muted"),)
        if state.state in KEYS:
            yield ((f"  {KEYS[state.state]}", "accent"),)
    if state.calendar_error:
        yield (("✗ ", "bad"), (f"Calendars: {state.calendar_error}", "text"))
        yield ((f"  {state.calendar_hint}" if state.calendar_hint else "", "muted"),)
    elif state.calendar_hint:
        yield ((f"  No calendars were found: {state.calendar_hint}", "muted"),)


def _dot(state: StateRow, paused: bool) -> Piece:
    if paused:
        return "‖ ", "muted"
    if state.error or state.state in ("stopped", "asking"):
        return "✗ ", "bad"
    return "● ", "good" if state.state in ("watching", "waiting") else "mark"


def _doing(state: StateRow, paused: bool) -> str:
    if paused:
        return "paused"
    if state.state in ("importing", "applying") and state.total:
        verb = "importing" if state.state == "importing" else _WORDS["applying"]
        percent = min(100 * state.done // state.total, 100)
        return f"{verb}: {state.done:,} of {state.total:,} ({percent} %)"
    if state.state == "waiting" and state.error:
        return "it did not go well; crmmail tries again"
    return _WORDS.get(state.state, state.state)
