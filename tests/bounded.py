"""Work that hostile input must not make long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def bounded(seconds: float = 5.0) -> Iterator[None]:
    """Fails when the block has the processor for longer, whatever else the machine does.

    All of them take well under a second; where every byte looks at all before it, minutes.
    """
    started = time.thread_time()
    yield
    assert time.thread_time() - started < seconds
