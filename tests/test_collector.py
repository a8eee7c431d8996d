"""When Python looks for garbage: while the user rests, and never at what was there at the start."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from crmmail.collector import REST, Collector


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def looks() -> Iterator[list[int]]:
    """The full looks that Python takes; what it does about garbage is as before afterwards."""
    taken: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            taken.append(info["generation"])

    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.set_threshold(700, 10, 10)  # Python's own; tests have others
    gc.collect()
    gc.callbacks.append(note)
    yield taken
    gc.callbacks.remove(note)
    gc.unfreeze()
    if frozen:
        gc.freeze()
    gc.set_threshold(*before)


def work() -> list[list[object]]:
    """Leave so much behind that Python would take a full look."""
    first, second, _ = gc.get_threshold()
    return [[] for _ in range(first * second * 15)]


def test_garbage_is_looked_for_when_the_keys_rest(looks: list[int]) -> None:
    clock = Clock()
    collector = Collector(clock)
    kept = work()
    collector.touched()
    collector.tick()
    assert looks == []
    clock.now += REST
    collector.tick()
    assert looks == [2]
    clock.now += REST
    collector.tick()
    assert looks == [2], "nothing was done since"
    assert kept


def test_keys_that_never_rest_do_not_fill_the_memory(looks: list[int]) -> None:
    collector = Collector(Clock())
    kept = []
    for _ in range(10):
        kept.append(work())
        collector.touched()
        collector.tick()
    assert looks


def test_what_was_there_at_the_start_is_not_looked_at_again(looks: list[int]) -> None:
    Collector().keep()
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < gc.get_freeze_count()
