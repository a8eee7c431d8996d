"""An iterator that runs ahead of its reader: how it ends when the reader is broken off."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.patience import PATIENCE

from crmmail.sync.pipe import Pipe


class Source:
    """Gives one item; then it hangs, as a server does, until it is cut or let go."""

    def __init__(self) -> None:
        self.cuts = 0
        self.goes_on = threading.Event()
        self.ended = False

    def items(self) -> Iterator[int]:
        yield 1
        assert self.goes_on.wait(PATIENCE)
        self.ended = True

    def cut(self) -> None:
        self.cuts += 1
        self.goes_on.set()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_who_ends_all_does_not_wait_for_a_server_that_hangs(kind: type[BaseException]) -> None:
    source = Source()

    def read() -> None:
        with Pipe(source.items(), source.cut) as items:
            for item in items:
                assert item == 1
                raise kind

    with pytest.raises(kind):
        read()
    assert (source.cuts, source.ended) == (1, True)


def test_a_reader_that_fails_leaves_the_connection_whole() -> None:
    source = Source()

    def read() -> None:
        with Pipe(source.items(), source.cut) as items:
            for _ in items:
                source.goes_on.set()
                raise ValueError("the reader failed")

    with pytest.raises(ValueError, match="the reader failed"):
        read()
    assert (source.cuts, source.ended) == (0, True)
