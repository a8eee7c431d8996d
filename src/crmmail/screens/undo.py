"""Changes that the user makes, each with the way back: one stack for the whole app."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.app import App
from textual.message import Message

from crmmail.errors import CrmmailError
from crmmail.store.database import Store
from crmmail.store.records import GoneError
from crmmail.store.trouble import is_trouble
from crmmail.widgets.pieces import safe

_KEPT = 100  # changes that can be taken back
_NAMED = 5  # parts of a change that are named
_by_hand: ContextVar[bool] = ContextVar("crmmail_by_hand", default=False)

Undo = Callable[[], object]
"""Takes a change back."""


def is_by_hand() -> bool:
    """Whether what is written in this thread is a change that the user asks for."""
    return _by_hand.get()


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
    it cannot be made, a toast says that too, unless `failed` has told it. Of what `destroys`, the
    toast says how long it can be taken back.
    """

    words: str | Callable[[], str]
    do: Callable[[], Undo | None]
    then: Callable[[], object] | None = None
    failed: Callable[[CrmmailError], bool] | None = None
    destroys: bool = False


class PartlyUndoneError(CrmmailError):
    """A part of a change is taken back; another part cannot be any more."""

    def __init__(self, undone: Sequence[str], left: Sequence[tuple[str, CrmmailError]]) -> None:
        reasons = [f"{part} ({str(problem).rstrip('.')})" for part, problem in left]
        super().__init__(f"Undone: {listed(undone)}. Not any more: {listed(reasons)}.")


class Steps:
    """Several changes that are one: when one of them fails, those before it are taken back."""

    def __init__(self) -> None:
        self._undos: list[tuple[str, Undo]] = []
        self._undone: list[str] = []
        self._left: list[tuple[str, CrmmailError]] = []

    def add(self, what: str, undo: Undo) -> None:
        """A step is done; this takes it back. `what` names it for people, as "the address x@y"."""
        self._undos.append((what, undo))

    def undo(self) -> None:
        """Take every step back, the last one first.

        One that cannot be taken back any more does not keep the others from it; what is back then,
        and what is not, is raised behind them. When the store takes nothing just now, what is left
        can be taken back later.
        """
        while self._undos:
            what, undo = self._undos[-1]
            try:
                undo()
            except CrmmailError as problem:
                if is_trouble(problem):
                    raise
                self._left.insert(0, (what, problem))
            else:
                self._undone.insert(0, what)
            self._undos.pop()
        undone, left = self._undone, self._left
        self._undone, self._left = [], []
        if len(left) == 1 and not undone:
            raise left[0][1]
        if left:
            raise PartlyUndoneError(undone, left)

    def __enter__(self) -> Steps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failed: BaseException | None, _: object
    ) -> None:
        """Take the steps back if one has failed; its own error is the one that is raised."""
        if kind is None:
            return
        try:
            self.undo()
        except CrmmailError as stays:
            if is_trouble(stays) or not isinstance(failed, CrmmailError):
                raise
            left = f"Not all of what was stored before that could be taken back. {stays}"
            failed.hint = f"{failed.hint} {left}".strip()


@dataclass(slots=True)
class Step:
    """Changes that are taken back together: those that the keys of one burst have made (U3)."""

    burst: int
    changes: list[tuple[str, Undo]]
    destroys: bool = False

    @property
    def words(self) -> str:
        """What was done, all of it."""
        times = Counter(words for words, _ in self.changes)
        return "; ".join(f"{one} ({n} times)" if n > 1 else one for one, n in times.items())


class History:
    """Makes changes in threads, one after the other, and takes back the last of them."""

    def __init__(self, app: App[Any], store: Store, tell: Callable[[], object]) -> None:
        """`tell` is called after each change."""
        self._app = app
        self._store = store
        self._tell = tell
        self._stack: list[Step] = []
        self._waiting: deque[Callable[[], None]] = deque()  # in the order of the keys
        self._turn = threading.Lock()

    def perform(self, wanted: Do, burst: int) -> None:
        """Make a change that a key of this burst asks for; it is told of when it is stored."""
        self._start(partial(self._perform, wanted, burst))

    def undo(self, burst: int) -> None:
        """Take the last step back, once it is made; of its own burst only the last change."""
        self._start(partial(self._undo_last, burst))

    def _start(self, work: Callable[[], None]) -> None:
        self._waiting.append(work)
        self._app.run_worker(self._work, group="write", thread=True, exit_on_error=False)

    def _work(self) -> None:
        token = _by_hand.set(True)
        try:
            with self._turn:
                self._waiting.popleft()()
        finally:
            _by_hand.reset(token)

    def _perform(self, wanted: Do, burst: int) -> None:
        try:
            words = wanted.words if isinstance(wanted.words, str) else wanted.words()
            undo = wanted.do()
        except CrmmailError as problem:
            self._call(self._failed, wanted, problem)
        except Exception as problem:  # a thread of its own: nobody else would hear of it
            self._call(self._failed, wanted, self._in_words(problem))
        else:
            self._call(self._performed, wanted, burst, words, undo)

    def _performed(self, wanted: Do, burst: int, words: str, undo: Undo | None) -> None:
        if undo is not None:
            if not self._stack or self._stack[-1].burst != burst:
                self._stack.append(Step(burst, []))
                del self._stack[:-_KEPT]
            step = self._stack[-1]
            step.changes.append((words, undo))
            step.destroys = step.destroys or wanted.destroys
            until = ", until you quit" if step.destroys else ""
            every = " all of it" if len(step.changes) > 1 else ""
            together = f"{step.words}. u to undo{every}{until}."
            self._app.notify(safe(together), markup=False)
        if wanted.then is not None:
            wanted.then()
        self._tell()

    def _failed(self, wanted: Do, problem: CrmmailError) -> None:
        if wanted.failed is None or not wanted.failed(problem):
            self._say_error(problem)
        self._tell()  # of what was written and taken back, before it failed

    def _undo_last(self, burst: int) -> None:
        if not self._stack:
            self._call(partial(self._app.notify, "There is nothing to undo.", timeout=3))
            return
        step = self._stack.pop()
        if step.burst == burst and len(step.changes) > 1:
            self._stack.append(Step(burst, step.changes[:-1]))
            step.changes = step.changes[-1:]
        done = Step(burst, [])
        while step.changes:
            words, undo = step.changes.pop()
            try:
                undo()
            except Exception as problem:  # a thread of its own: nobody else would hear of it
                if is_trouble(problem):
                    step.changes.append((words, undo))  # it can be, once the store takes it
                    self._put_back(step)
                    self._call(self._say_error, self._in_words(problem))
                    break
                if isinstance(problem, PartlyUndoneError):
                    said = f"Undone only in part ({words}). {problem}"
                else:
                    said = f"This cannot be undone any more ({words}): {problem}"
                self._call(self._say_error, CrmmailError(said))
            else:
                done.changes.insert(0, (words, undo))
        if done.changes:
            said = safe(f"Undone: {done.words}.")
            self._call(partial(self._app.notify, said, markup=False))
        self._call(self._tell)

    def _put_back(self, step: Step) -> None:
        """Keep what could not be taken back now, as the part of a step that it was."""
        if self._stack and self._stack[-1].burst == step.burst:
            self._stack[-1].changes += step.changes
        else:
            self._stack.append(step)

    def _in_words(self, problem: Exception) -> CrmmailError:
        if is_trouble(problem):
            return self._store.report(problem)
        return CrmmailError(f"It could not be stored: {problem}")

    def _say_error(self, problem: CrmmailError) -> None:
        hint = "" if isinstance(problem, GoneError) else problem.hint  # it names a command
        words = " ".join(filter(None, (str(problem), hint)))
        self._app.notify(safe(words), severity="error", markup=False)

    def _call(self, what: Callable[..., object], *values: object) -> None:
        with suppress(RuntimeError):  # the app is closing
            self._app.call_from_thread(what, *values)


def listed(parts: Sequence[str]) -> str:
    """The first parts by name, and how many more there are."""
    more = [f"{len(parts) - _NAMED:,} more"] if len(parts) > _NAMED else []
    return ", ".join([*parts[:_NAMED], *more]) or "nothing"
