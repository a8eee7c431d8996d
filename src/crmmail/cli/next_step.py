"""What to do on the command line about an account that cannot sign in, by the state of its sync."""

from __future__ import annotations

from crmmail.store.accounts import StateRow

_STEPS = {
    "refused": "Sign in again: crmmail account reconnect {email}",
    "stopped": "Sign in again: crmmail account reconnect {email}",
    "untrusted": "To see its certificate and to trust it: crmmail account reconnect {email}",
    "asking": "The app and crmmail sync ask for it on a terminal.",
}


def next_step(state: str, email: str) -> str:
    """The command that helps; "" where an account can sign in."""
    return _STEPS.get(state, "").format(email=email)


def hint_of(state: StateRow) -> str:
    """What to do about an account's error: what its sync has said, and the command."""
    if not state.error:
        return state.hint
    return " ".join(filter(None, (state.hint, next_step(state.state, state.email))))
