"""Reading the store without waiting for it: a slow disk must not hold up a key.

What is shown is read by one thread; another reads beside it what is shown with it and may take
longer. Whoever asks waits for a moment, in which nearly everything is there, so that one picture
shows it; what takes longer is shown when it is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import Queue
from typing import Any, TypeVar

from textual.message_pump import MessagePump

from crmmail.widgets.awaited import begin, end
from crmmail.widgets.leaving import is_leaving
from crmmail.widgets.unread import tell_unread

PATIENCE = 0.03  # seconds
BESIDE = 0.01  # for what is read beside the rest
T = TypeVar("T")


@dataclass(slots=True)
class _Task:
    """Something to read."""

    work: Callable[[], Any]
    late: Callable[[], object]  # what the thread does when nobody waits any more
    turn: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    left: bool = False  # nobody waits any more
    result: Any = None
    problem: BaseException | None = None

    def run(self) -> None:
        """Read; this is the thread's."""
        try:
            self.result = self.work()
        except BaseException as problem:  # it is raised where it was asked for
            self.problem = problem
        with self.turn:
            self.done.set()
            left = self.left
        if left:
            self.late()

    def wait(self, seconds: float) -> bool:
        """Whether it is read within so many seconds; if not, the thread will tell."""
        self.done.wait(seconds)
        with self.turn:
            self.left = not self.done.is_set()
        return not self.left

    def take(self) -> Any:
        """What was read."""
        if self.problem is not None:
            raise self.problem
        return self.result


class _Reader:
    """A thread. It is a daemon: a read that hangs does not keep the app from ending."""

    def __init__(self) -> None:
        self._tasks: Queue[_Task] = Queue()
        self._current: _Task | None = None
        threading.Thread(target=self._run, name="crmmail-reader", daemon=True).start()

    def read(self, task: _Task, patience: float) -> bool:
        """Whether it is read at once; nobody waits behind a read that others have waited for."""
        behind = self._current
        self._tasks.put(task)
        return task.wait(0 if behind is not None and behind.left else patience)

    @property
    def is_busy(self) -> bool:
        """Whether something is being read, or waits to be."""
        return self._tasks.unfinished_tasks > 0

    def _run(self) -> None:
        while True:
            self._current = self._tasks.get()
            self._current.run()
            self._current = None
            self._tasks.task_done()


_readers: dict[bool, _Reader] = {}


def is_busy() -> bool:
    """Whether something that was asked for is still to be read."""
    return any(reader.is_busy for reader in list(_readers.values()))


def ask(
    asker: MessagePump,
    work: Callable[[], T],
    then: Callable[[T], object],
    *,
    beside: bool = False,
    awaited: bool = True,
    failed: Callable[[BaseException], object] | None = None,
) -> bool:
    """Call `then` with what `work` reads: now, or in the asker's turn when it takes longer.

    Returns whether it was now. `work` runs in a thread and touches nothing but the store; with
    `beside`, nothing that is asked for without it waits behind it. What cannot be read is told to
    `failed`, or else to the app, which goes on if it is the store that cannot be read. Keys wait
    for what is read, unless it is not `awaited` (U1).
    """
    if beside not in _readers:
        _readers[beside] = _Reader()

    def answer() -> None:
        end(task)
        if is_leaving(asker):
            return  # it may look for what is no longer there
        if failed is not None and task.problem is not None:
            failed(task.problem)
        elif not tell_unread(asker, task.problem):
            then(task.take())

    here = copy_context()  # Textual knows its app by it

    def late() -> None:
        heard = False
        with suppress(RuntimeError):  # the app has ended
            heard = here.run(asker.call_later, answer)
        if not heard:
            end(task)

    task = _Task(work, late)
    if awaited:
        begin(task)
    at_once = _readers[beside].read(task, BESIDE if beside else PATIENCE)
    if at_once:
        answer()
    return at_once
