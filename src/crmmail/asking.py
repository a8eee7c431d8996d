"""The app asks for the passwords that are typed in each run, after its first picture (P3)."""

from __future__ import annotations

import time
from functools import partial
from typing import NamedTuple

from textual import events
from textual.timer import Timer
from textual.widgets import Input

from crmmail.accounts import typed
from crmmail.guarding import GuardingApp
from crmmail.screens.base import StoreScreen
from crmmail.screens.question import TypingScreen
from crmmail.store import accounts
from crmmail.store.accounts import StateRow
from crmmail.widgets.reading import ask
from crmmail.widgets.status_line import KEYS

_LATER = 1.5  # seconds in which nobody has typed, before it asks by itself
_TYPED = "SELECT email FROM account WHERE secret = ? AND NOT paused ORDER BY id"


class _Question(NamedTuple):
    """An account whose password is to be asked for, and what the server said of the last one."""

    email: str
    problem: str = ""


class AskingApp(GuardingApp, inherit_bindings=False):
    """An app whose sync may have to be told passwords.

    It asks by itself when it starts, and again when the server has refused what was typed, but not
    while somebody types; where it was told "later", a key asks (f8).
    """

    _stopped = ""  # the account that waits for its user
    _questions: list[_Question]
    _answered: set[str]
    _answered_at = 0.0  # when the last question was left
    _waiting: Timer | None = None  # until nobody types something else

    def on_mount(self) -> None:
        self._questions, self._answered = [], set()
        if self._sync is not None:
            typed.ask_elsewhere("")
            self.call_after_refresh(ask, self, self._unanswered, self._ask_first)
        self.call_after_refresh(self._look_for_stopped)

    def on_unmount(self) -> None:
        typed.ask_here()

    def _unanswered(self) -> list[str]:
        rows = self.store.read().execute(_TYPED, [typed.ASK])
        return [email for (email,) in rows if not typed.is_held(email)]

    def _ask_first(self, emails: list[str]) -> None:
        self._questions += [_Question(email) for email in emails]
        self._ask_next()

    def ask_again(self, states: list[StateRow]) -> None:
        """Ask once more for what was typed and refused."""
        for state in states:
            if state.state != "asking" or typed.is_held(state.email):
                continue
            if state.email in self._answered:
                self._answered.discard(state.email)
                self._questions.append(_Question(state.email, state.error))
        self._ask_next()

    def ask_for(self, state: StateRow) -> None:
        """Ask for the password of an account now, as its user wants."""
        self._ask(_Question(state.email), unasked=False)

    def is_typing(self) -> bool:
        """Whether somebody types something else just now, or has a line or a form to type into."""
        if isinstance(self.focused, Input) or isinstance(self.screen, TypingScreen):
            return True
        since_answer = self._pressed_at > self._answered_at
        just_now = since_answer and time.monotonic() - self._pressed_at < _LATER
        return just_now or not isinstance(self.screen, StoreScreen)

    def _ask_next(self, *, unasked: bool = True) -> None:
        """Ask the next question of an account that is still there; `unasked`, when nobody types."""
        from crmmail.screens.password import PasswordScreen

        if not self._questions or isinstance(self.screen, PasswordScreen):
            return

        def first(emails: list[str]) -> None:
            self._questions = [one for one in self._questions if one.email in emails]
            if not self._questions or isinstance(self.screen, PasswordScreen):
                return
            if unasked and self.is_typing():
                self._ask_later()
            else:
                self._ask(self._questions.pop(0), unasked=unasked)

        ask(self, self._unanswered, first, awaited=not unasked)

    def _ask_later(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(_LATER, self._ask_next)

    def _ask(self, question: _Question, *, unasked: bool) -> None:
        from crmmail.screens.password import PasswordScreen

        screen = PasswordScreen(question.email, question.problem, unasked=unasked)
        self.push_screen(screen, partial(self._password_given, question.email))

    def withdraw_for(self, event: events.Event) -> None:
        """Ask later, where a key or a paste was meant for what lay here before the question."""
        from crmmail.screens.password import PasswordScreen

        screen = self.screen
        if isinstance(screen, PasswordScreen) and event.time < screen.ready_at:
            self._questions.insert(0, _Question(screen.email, screen.problem))
            self.pop_screen()
            self._ask_later()

    def _password_given(self, email: str, password: str | None) -> None:
        """A password was typed, or is to be typed later; what follows it is typed ahead."""
        self._answered_at = time.monotonic()
        if password is not None:
            typed.hold(email, password)
            self._answered.add(email)
            if self._sync is not None:
                self._sync.sync_now()
        self._ask_next(unasked=password is None)

    def _look_at_questions(self) -> None:
        """See whether the questions that are open are still to be asked."""
        from crmmail.screens.password import PasswordScreen

        if any(isinstance(screen, PasswordScreen) for screen in self.screen_stack):
            ask(self, self._unanswered, self._drop_questions, awaited=False)

    def _drop_questions(self, emails: list[str]) -> None:
        """Close the questions about accounts that need no typed password any more."""
        from crmmail.screens.password import PasswordScreen

        for screen in self.screen_stack:
            if isinstance(screen, PasswordScreen) and screen.email not in emails:
                screen.drop()

    # Signing in again

    def _tell(self, topics: frozenset[str], own: bool = False) -> None:
        if not topics or topics & {"state", "accounts"}:
            self._look_for_stopped()
            self._look_at_questions()
        super()._tell(topics, own)

    def _states(self) -> list[StateRow]:
        return accounts.states(self.store.read())

    def _look_for_stopped(self) -> None:
        """Offer a key to sign in again while an account waits for its user (S5)."""
        ask(self, self._states, self._offer_sign_in)

    def _offer_sign_in(self, states: list[accounts.StateRow]) -> None:
        stopped = next((one.email for one in states if one.state in KEYS), "")
        if stopped != self._stopped:
            self._stopped = stopped
            self.screen.refresh_bindings()
        self.ask_again(states)

    def action_reconnect(self) -> None:
        """Sign in again to the account that waits for it."""
        from crmmail.screens.first_run import FirstRunScreen
        from crmmail.screens.password import PasswordScreen

        if isinstance(self.screen, FirstRunScreen | PasswordScreen):
            return
        db = self.store.read()
        state = next((one for one in accounts.states(db) if one.email == self._stopped), None)
        if state is not None and state.state == "asking":
            self.ask_for(state)
        else:
            account = accounts.get(db, self._stopped)
            untrusted = state is not None and state.state == "untrusted"
            self.push_screen(FirstRunScreen(self.store, account, untrusted=untrusted))
