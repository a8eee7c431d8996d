"""The end of a program from outside: its terminal is gone, or a signal asks it to end.

The system tells the session's leader that a terminal is gone; a wrapper such as make keeps that to
itself, and the app would go on to read from nothing, as fast as it can.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from crmmail import temporary

_EVERY = 2.0  # seconds between looks
_ENDED = 128 + signal.SIGHUP
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
Handler = Callable[[int, FrameType | None], object] | int | None
_PATIENCE = 5.0  # seconds in which the app ends by itself, with a sync that commits


class EndedBy(SystemExit):
    """A signal asked the program to end; the exit code is what a shell reports for it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


def end_with_terminal() -> None:
    """End this process within seconds after its terminal; a killed app loses nothing (S2)."""
    if sys.stdin.isatty():
        threading.Thread(target=_watch, name="crmmail-hang-up", daemon=True).start()


def _watch() -> None:
    while os.isatty(sys.stdin.fileno()):
        time.sleep(_EVERY)
    if callable(signal.getsignal(signal.SIGTERM)):  # the app is there: it keeps what was typed
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE + _EVERY)
    _end_at_once(_ENDED)


def _end_at_once(code: int) -> None:
    """End without what the rest of the program does at its end, but leave no file behind."""
    temporary.remove_all()
    os._exit(code)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """A signal that ends a command ends it as ctrl+c does, its changes of the terminal undone."""

    def end(number: int, _: FrameType | None) -> None:
        raise EndedBy(number)

    with _handled(end):
        yield


@contextmanager
def app_ended_by_signals(end: Callable[[], bool], give_back: Callable[[], bool]) -> Iterator[None]:
    """A signal that ends the app lets it leave the terminal as it found it.

    `end` asks the app to end, from within any of its code; False when it has not begun. An app
    that does not listen is ended after some seconds, once `give_back` has restored the terminal;
    it returns False while an editor has the terminal, which is waited for. A second signal ends
    the app at once.
    Raises EndedBy when the app has ended so.
    """
    asked: list[int] = []

    def force() -> None:
        if give_back():
            _end_at_once(128 + asked[0])

    def handle(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if not end():
            raise EndedBy(number)
        asked.append(number)
        last_way = threading.Timer(_PATIENCE, force)
        last_way.daemon = True
        last_way.start()

    with _handled(handle, signal.SIGINT):
        yield
    if asked:
        raise EndedBy(asked[0])


@contextmanager
def undone_by_signals(undo: Callable[[], object]) -> Iterator[None]:
    """In this block a signal that ends the program calls `undo`, and then does what it did before.

    An exception alone is not enough: a signal that nothing handles raises none, and a second
    signal may interrupt the cleaning up after the first one.
    """
    before: dict[int, Handler] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        undo()
        if callable(was := before[number]):
            was(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    with _handled(handle, signal.SIGINT, before=before):
        yield


@contextmanager
def _handled(
    handler: Callable[[int, FrameType | None], object],
    *more: signal.Signals,
    before: dict[int, Handler] | None = None,
) -> Iterator[None]:
    """A handler of the signals that end a program, but for those that it was told to ignore.

    What they did until now is noted in `before`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread has signals
        return
    before = {} if before is None else before
    before.update({number: signal.getsignal(number) for number in (*_SIGNALS, *more)})
    taken = [number for number, was in before.items() if was is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
