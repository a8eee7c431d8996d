"""The sync behind the app: started after the first paint, stopped with the app."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from crmmail.store.database import Store

if TYPE_CHECKING:
    from crmmail.sync.loop import Loop

_REST = 0.2  # seconds after the start in which nothing is loaded that can wait


class Background:
    """The sync loop, in threads of its own; its imports are slow, so it starts after the paint."""

    def __init__(self, store: Store, failed: Callable[[str], None]) -> None:
        self._store = store
        self._failed = failed
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start, without waiting for it."""
        threading.Thread(target=self._start, name="crmmail-sync", daemon=True).start()

    def _start(self) -> None:
        try:
            from crmmail.sync.loop import Loop

            with self._lock:
                if not self._stopped.is_set():
                    self._loop = Loop(self._store)
                    self._loop.start()
            if not self._stopped.wait(_REST):
                self._store.prepare_session()
        except Exception as problem:  # a thread of its own: nobody else would hear of it
            self._failed(str(problem))

    def sync_now(self) -> bool:
        """Ask for a pass at once; False when nothing runs yet."""
        if self._loop is None:
            return False
        self._loop.sync_now()
        return True

    def key_pressed(self) -> None:
        """Let the sync stand aside while a key is answered."""
        if self._loop is not None:
            self._loop.key_pressed()

    def stop(self) -> None:
        """Stop, waiting for a transaction under way at most."""
        with self._lock:
            self._stopped.set()
            if self._loop is not None:
                self._loop.stop()
