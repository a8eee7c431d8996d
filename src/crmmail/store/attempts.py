"""When a message that could not be read is tried again (rules.md M8)."""

from __future__ import annotations

EACH_PASS = 6
"""So many times it is tried in each pass; then after an hour, after four, then once a day."""
_HOUR = 3_600
PAUSE = f"""CASE WHEN attempts < {EACH_PASS} THEN 0 WHEN attempts = {EACH_PASS} THEN {_HOUR}
    WHEN attempts = {EACH_PASS + 1} THEN {4 * _HOUR} ELSE {24 * _HOUR} END"""
"""The same as `pause`, as an SQL expression of the column `attempts`."""


def pause(attempts: int) -> int:
    """How many seconds a message waits after so many attempts; 0: the next pass tries it."""
    if attempts < EACH_PASS:
        return 0
    return {EACH_PASS: _HOUR, EACH_PASS + 1: 4 * _HOUR}.get(attempts, 24 * _HOUR)
