"""The app goes on when its store cannot be read or written, says why, and offers a repair."""

from __future__ import annotations

import time
from pathlib import Path

from textual import on

from crmmail.ending import Ending
from crmmail.store.trouble import DamagedError, ForeignError, LostError, StoreError, explain
from crmmail.unsaved import UnsavedApp
from crmmail.widgets.unread import Guarded, Unread

REPAIR = "repair:"
"""How `run` says that the store is to be repaired, and how: it begins so."""
_AGAIN = 30.0  # seconds in which the same is not said twice
_RETRY = 2.0  # seconds after which what could not be read is read again


class GuardingApp(Guarded, UnsavedApp, inherit_bindings=False):
    """An app that outlives a store in trouble."""

    repaired = ""
    """What a repair has done, to be said first."""
    _said_words, _said_at = "", -_AGAIN
    _blind_since = 0.0  # when something could not be read, 0 when all is shown
    _offers_repair = False

    @on(Unread)
    def _tell_unread(self, event: Unread) -> None:
        self._blind_since = time.monotonic()
        said = explain(event.problem, self.store.path)
        if isinstance(said, DamagedError | ForeignError):
            said = self.store.report(said)  # the sync has to hear of it too
        self.tell_trouble(said)

    def tell_trouble(self, problem: BaseException) -> None:
        """Say what is wrong with the store, and what to do; the same not every second."""
        said = explain(problem, self.store.path)
        if isinstance(said, DamagedError):
            self._offer_repair(said)
            return
        words, now = f"{said} {said.hint}".strip(), time.monotonic()
        if words != self._said_words or now - self._said_at >= _AGAIN:
            self._said_words, self._said_at = words, now
            self.notify(words, severity="error", timeout=15, markup=False)

    def on_mount(self) -> None:
        if self.repaired:
            self.notify(self.repaired, timeout=30, markup=False)

    def _tell(self, topics: frozenset[str], own: bool = False) -> None:
        if "trouble" in topics and self.store.trouble is not None:
            self.tell_trouble(self.store.trouble)
        super()._tell(topics, own)

    def _compare(self, version: int) -> None:
        """The store can be read: what could not be before is read again."""
        if self._blind_since and time.monotonic() - self._blind_since >= _RETRY:
            self._blind_since = 0.0
            self._tell(frozenset())
        super()._compare(version)

    def offer_repair(self) -> bool:
        """Ask what to do about a damaged store; False where it is not damaged."""
        if self.store.trouble is None or not self.store.is_damaged:
            return False
        from crmmail.screens.repair import RepairScreen

        if not any(isinstance(one, RepairScreen) for one in self.screen_stack):
            self._offers_repair = False
            self._offer_repair(self.store.trouble)
        return True

    def _offer_repair(self, said: StoreError) -> None:
        if self._offers_repair:
            return
        self._offers_repair = True
        from crmmail.screens.repair import RepairScreen, ways

        leave = "Leave it as it is, and go on with what can be read"
        screen = RepairScreen(said, ways(self.store.path), leave)
        self.push_screen(screen, self._repair)

    def _repair(self, way: str | None) -> None:
        if not way:
            return
        try:
            self.keep_typed()
        except OSError as problem:
            words = f"The text in the form could not be kept: {problem.strerror}. Copy it first."
            self.notify(words, severity="error", timeout=15, markup=False)
            self._offers_repair = False
        else:
            self.exit(f"{REPAIR}{way}")


class RepairApp(Ending):
    """Only the question what to do about a store that cannot be opened."""

    def __init__(self, said: StoreError, store: Path) -> None:
        super().__init__()
        self._said = said
        self._store = store

    def on_mount(self) -> None:
        from crmmail.screens.repair import RepairScreen, ways

        said = str(self._said)
        if isinstance(self._said, LostError):
            said = f"{said} {self._said.anew}"
        leave = "Leave it as it is, and end"
        screen = RepairScreen(self._said, ways(self._store), leave, said=said)
        self.push_screen(screen, self._end)

    def _end(self, way: str | None) -> None:
        self.exit(f"{REPAIR}{way}" if way else "")
