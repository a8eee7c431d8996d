"""Changes that the user makes, each with the way back: one stack for the whole app."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App
from textual.message import Message

from crmmail.errors import CrmmailError
from crmmail.store.database import Store
from crmmail.store.trouble import is_trouble
from crmmail.widgets.pieces import safe

_KEPT = 100  # changes that can be taken back

Undo = Callable[[], object]
"""Takes a change back."""


class FieldError(CrmmailError):
    """What was typed in one field cannot be stored."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


@dataclass
class Do(Message):
    """The user wants a change; `do` makes it, in a thread, and returns what takes it back.

    The thread reads the `words` first, where they name something that is read for them.
    A screen posts this and the app sees to it: the change goes on the stack, a toast says so. Where
    it cannot be made, a toast says that too, unless `failed` has told it.
    """

    words: str | Callable[[], str]
    do: Callable[[], Undo | None]
    then: Callable[[], object] | None = None
    failed: Callable[[CrmmailError], bool] | None = None


class Steps:
    """Several changes that are one: when one of them fails, those before it are taken back."""

    def __init__(self) -> None:
        self._undos: list[Undo] = []

    def add(self, undo: Undo) -> None:
        """A step is done; this takes it back."""
        self._undos.append(undo)

    def undo(self) -> None:
        """Take every step back, the last one first."""
        while self._undos:
            self._undos.pop()()

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.undo()


class History:
    """Makes changes in threads, one after the other, and takes back the last of them."""

    def __init__(self, app: App[Any], store: Store) -> None:
        self._app = app
        self._store = store
        self._stack: list[tuple[str, Undo]] = []
        self._waiting: deque[Callable[[], None]] = deque()  # in the order of the keys
        self._turn = threading.Lock()

    def perform(self, wanted: Do) -> None:
        """Make a change; what is said of it is said when it is in the store."""
        self._start(partial(self._perform, wanted))

    def undo(self) -> None:
        """Take the last change back, once it is made."""
        self._start(self._undo_last)

    def _start(self, work: Callable[[], None]) -> None:
        self._waiting.append(work)
        self._app.run_worker(self._work, group="write", thread=True, exit_on_error=False)

    def _work(self) -> None:
        with self._turn:
            self._waiting.popleft()()

    def _perform(self, wanted: Do) -> None:
        try:
            words = wanted.words if isinstance(wanted.words, str) else wanted.words()
            undo = wanted.do()
        except CrmmailError as problem:
            self._call(self._failed, wanted, problem)
        except Exception as problem:  # a thread of its own: nobody else would hear of it
            self._call(self._failed, wanted, self._in_words(problem))
        else:
            self._call(self._performed, wanted, words, undo)

    def _performed(self, wanted: Do, words: str, undo: Undo | None) -> None:
        if undo is not None:
            self._stack.append((words, undo))
            del self._stack[:-_KEPT]
            self._app.notify(safe(f"{words}. u to undo."), markup=False)
        if wanted.then is not None:
            wanted.then()

    def _failed(self, wanted: Do, problem: CrmmailError) -> None:
        if wanted.failed is None or not wanted.failed(problem):
            self._say_error(problem)

    def _undo_last(self) -> None:
        if not self._stack:
            self._call(partial(self._app.notify, "There is nothing to undo.", timeout=3))
            return
        words, undo = self._stack.pop()
        try:
            undo()
        except Exception as problem:  # a thread of its own: nobody else would hear of it
            if is_trouble(problem):
                self._stack.append((words, undo))  # it can be, once the store takes it
                self._call(self._say_error, self._in_words(problem))
                return
            words = f"This cannot be undone any more ({words}): {problem}"
            self._call(self._say_error, CrmmailError(words))
        else:
            self._call(partial(self._app.notify, safe(f"Undone: {words}."), markup=False))

    def _in_words(self, problem: Exception) -> CrmmailError:
        if is_trouble(problem):
            return self._store.report(problem)
        return CrmmailError(f"It could not be stored: {problem}")

    def _say_error(self, problem: CrmmailError) -> None:
        words = " ".join(filter(None, (str(problem), problem.hint)))
        self._app.notify(safe(words), severity="error", markup=False)

    def _call(self, what: Callable[..., object], *values: object) -> None:
        with suppress(RuntimeError):  # the app is closing
            self._app.call_from_thread(what, *values)
