"""A key comes before an import, and an import before a key that is held down."""

from __future__ import annotations

import pytest

from crmmail.sync import courtesy
from crmmail.sync.courtesy import give_way, key_pressed


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(courtesy, "time", clock)
    monkeypatch.setattr(courtesy, "_until", 0.0)
    return clock


def test_nobody_waits_without_a_key(clock: Clock) -> None:
    give_way()
    assert clock.now == 1_000.0


def test_the_sync_stands_aside_after_a_key_and_then_goes_on(clock: Clock) -> None:
    key_pressed()
    give_way()
    assert clock.now == pytest.approx(1_000.0 + courtesy._ASIDE)
    after = clock.now
    give_way()
    assert clock.now == after


def test_keys_without_end_leave_the_sync_half_the_time(clock: Clock) -> None:
    worked = 0
    while clock.now < 1_010.0:
        key_pressed()
        give_way()
        clock.now += 0.001  # a message is parsed
        worked += 1
    assert 0.45 < worked * 0.001 / 10 < 0.55
