"""The app follows the store: screens hear of each change, soon after it and between keys."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from textual import events, on
from textual.message import Message
from textual.timer import Timer

from crmmail.background import Background
from crmmail.collector import Collector
from crmmail.screens.base import StoreChanged, StoreScreen
from crmmail.screens.undo import is_by_hand
from crmmail.store.database import Notice, Store
from crmmail.toasts import ToastsApp
from crmmail.widgets.reading import ask
from crmmail.widgets.words import day

_REST = 0.4  # seconds between two readings of what is shown, while changes come in a stream
_BETWEEN_KEYS = 0.1  # seconds after a key in which no such reading begins, unless it is overdue
_LATEST = 1.5  # seconds between two readings after which the next is overdue


class Committed(Message):
    """This process has written to the store."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Committed)


class FollowingApp(ToastsApp, inherit_bindings=False):
    """An app whose screens follow what this process and others write to a store."""

    def __init__(self, store: Store, *, sync: bool, collector: Collector | None) -> None:
        super().__init__()
        self.store = store
        self._collector = collector
        self._sync = Background(store, self._sync_failed) if sync else None
        self._lock = threading.Lock()
        self._topics: set[str] = set()
        self._by_hand: set[str] = set()  # of the user's own changes
        self._flushed_at = self._pressed_at = 0.0
        self._flush_timer: Timer | None = None
        self._version = 0
        self._day = day(time.time())
        self._unread = False  # there is something that the screens have not been told of
        self._wrote = False  # this process has written since the last tick

    def on_mount(self) -> None:
        self._unsubscribe = self.store.subscribe(self._heard)
        ask(self, self.store.version, self._start_from)
        self.set_interval(1.0, self._tick)
        if self._collector is not None:
            self.call_after_refresh(self._collector.keep)
        if self._sync is not None:
            self.call_after_refresh(self._sync.start)

    def on_unmount(self) -> None:
        self._unsubscribe()
        if self._sync is not None:
            self._sync.stop()

    def _sync_failed(self, problem: str) -> None:
        """The sync could not start; this runs in its thread."""
        words = f"The sync did not start: {problem}"
        with suppress(RuntimeError):  # the app is closing
            self.call_from_thread(self.notify, words, severity="error", timeout=60, markup=False)

    async def on_event(self, event: events.Event) -> None:
        if self._collector is not None and isinstance(event, events.InputEvent):
            self._collector.touched()
        if isinstance(event, events.Key):
            self._pressed_at = time.monotonic()
            if self._sync is not None:
                self._sync.key_pressed()
        await super().on_event(event)

    def _heard(self, notice: Notice) -> None:
        """A transaction was committed; this runs in the thread that wrote."""
        if is_by_hand():  # `tell_now` tells of it: else keys would not wait for what it leaves
            with self._lock:
                self._by_hand |= notice.topics
            self._wrote = True
            return
        with self._lock:
            self._topics |= notice.topics
        with suppress(RuntimeError):  # the app is closing
            self.post_message(Committed())

    @on(Committed)
    def _follow(self) -> None:
        self._wrote = True
        if self._flush_timer is None:
            self._tell_in_time()

    def _tell_in_time(self) -> None:
        """Tell of changes at once, but not too often, and between keys rather than beside them."""
        now = time.monotonic()
        rest = self._flushed_at + _REST - now
        if now < self._flushed_at + _LATEST:
            rest = max(rest, self._pressed_at + _BETWEEN_KEYS - now)
        if rest <= 0:
            self._flush_timer = None
            self._tell_topics()
        else:
            self._flush_timer = self.set_timer(rest, self._tell_in_time)

    def tell_now(self) -> None:
        """Tell of what the user has just changed: the next key may be about what it leaves."""
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None
        self._tell_topics(own=True)

    def _tell_topics(self, own: bool = False) -> None:
        self._flushed_at = time.monotonic()
        with self._lock:
            topics = frozenset(self._topics | self._by_hand if own else self._topics)
            self._topics = set()
            if own:
                self._by_hand = set()
        if "accounts" in topics and self._sync is not None:
            self._sync.sync_now()  # changed rules are applied by a pass (M9)
        if topics:
            self._tell(topics, own)

    def _tick(self) -> None:
        """Once a second: another process may have written, or the day have changed.

        The version tells of this process's writes too; while these go on, their notices do.
        """
        ask(self, self.store.version, self._compare, awaited=False)
        if self._collector is not None:
            self._collector.tick()

    def _start_from(self, version: int) -> None:
        self._version = version

    def _compare(self, version: int) -> None:
        today = day(time.time())
        if (version, today) != (self._version, self._day):
            self._version, self._day = version, today
            self._unread = True
        if self._unread and not self._wrote:
            self._unread = False
            self._tell(frozenset())
        self._wrote = False

    def _tell(self, topics: frozenset[str], own: bool = False) -> None:
        """Tell the screens of a change; no topics: what has changed is not known."""
        for screen in self.screen_stack:
            if isinstance(screen, StoreScreen):
                screen.post_message(StoreChanged(topics, own))
