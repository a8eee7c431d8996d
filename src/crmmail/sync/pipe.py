"""An iterator that runs ahead of who reads it: the network and the store at the same time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Pipe(Generic[T]):
    """Runs an iterator in a thread of its own, two steps ahead; what that raises, this raises."""

    def __init__(self, source: Iterator[T], cut: Callable[[], object] = bool) -> None:
        """`cut` makes the step under way raise, when the user or a signal ends all."""
        self._source = source
        self._cut = cut
        self._ready: queue.Queue[T | BaseException | None] = queue.Queue(maxsize=2)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crmmail-fetch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._stop.set()
            self._cut()
        self.close()

    def __iter__(self) -> Iterator[T]:
        while (item := self._ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop after the step under way, and wait for it: the connection is free then."""
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=0.05)
            except queue.Empty:
                continue

    def _run(self) -> None:
        try:
            for item in self._source:
                if self._stop.is_set():
                    return
                self._ready.put(item)
            self._ready.put(None)
        except BaseException as problem:
            self._ready.put(problem)
