"""sync --watch: the sync loop without the app, a line an event."""

from __future__ import annotations

import queue
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from crmmail.cli.next_step import hint_of
from crmmail.cli.output import iso, print_json_line, write
from crmmail.store import accounts, threads
from crmmail.store.accounts import StateRow
from crmmail.store.database import Notice, Store
from crmmail.store.trouble import MovedError

Event = dict[str, Any]

_PROGRESS_SECONDS = 5


def watch(store: Store, as_json: bool) -> None:
    """Sync every account until ctrl+c or SIGTERM, and print what happens."""
    from crmmail.sync.loop import Loop, exclusive

    with exclusive(
        store.path
    ):  # says so at once if another process syncs, where the loop would wait
        pass
    notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
    end = store.subscribe(notices.put)
    before = signal.signal(signal.SIGTERM, _interrupt)
    loop = Loop(store)
    loop.start()
    events = Events(store)
    try:
        while True:
            notice = notices.get()
            if store.is_damaged or isinstance(store.trouble, MovedError):
                raise store.trouble or MovedError(store.path)
            for event in events.of(notice):
                if as_json:
                    print_json_line(event)
                else:
                    write(line(event) + "\n")
                sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    finally:
        end()
        loop.stop()
        signal.signal(signal.SIGTERM, before)


class Events:
    """Turns notices into what is worth a line: states that changed, mail that is new."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._started = int(time.time())
        self._states: dict[str, StateRow] = {}
        self._said: dict[str, float] = {}
        self._newest: dict[int, int] = {}

    def of(self, notice: Notice) -> Iterator[Event]:
        """The events of one notice."""
        if "state" in notice.topics:
            for state in accounts.states(self._store.read()):
                if self._is_news(state):
                    yield _state_event(state)
        if notice.threads:
            yield from self._arrivals(notice)

    def _is_news(self, state: StateRow) -> bool:
        """A change of state or of error; while an import runs, its progress now and then."""
        last = self._states.get(state.email)
        self._states[state.email] = state
        now = time.monotonic()
        moved = state.done != last.done if last else True
        due = now - self._said.get(state.email, 0) >= _PROGRESS_SECONDS
        changed = last is None or (last.state, last.error) != (state.state, state.error)
        if changed or (state.state == "importing" and moved and due):
            self._said[state.email] = now
            return True
        return False

    def _arrivals(self, notice: Notice) -> Iterator[Event]:
        """Threads with a message from after the start; an import of old mail is progress only."""
        for row in threads.rows(self._store.read(), sorted(notice.threads)):
            if row.last_at >= max(self._started, self._newest.get(row.id, 0) + 1):
                self._newest[row.id] = row.last_at
                yield {
                    "event": "mail",
                    "at": iso(int(time.time())),
                    "thread": row.id,
                    "subject": row.subject,
                    "names": list(row.names),
                }


def line(event: Event) -> str:
    """An event for people."""
    clock = time.strftime("%H:%M:%S")
    if event["event"] == "mail":
        return f"{clock}  new mail: {', '.join(event['names'])}: {event['subject']}"
    said = f"{clock}  {event['email']}  {event['state']}"
    if event["state"] == "importing" and event["total"]:
        said += f" {event['done']:,} of {event['total']:,}"
    if event["error"]:
        said += f": {event['error']} {event.get('hint') or ''}".rstrip()
    return said


def _state_event(state: StateRow) -> Event:
    return {
        "event": "state",
        "at": iso(int(time.time())),
        "email": state.email,
        "state": state.state,
        "done": state.done,
        "total": state.total,
        "error": state.error or None,
        "hint": hint_of(state) or None,
        "next_try": iso(state.next_try),
    }


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
