"""When a message that could not be read is tried again (M8)."""

from __future__ import annotations

from crmmail.store import attempts
from crmmail.store.database import Store


def test_the_store_and_python_agree_on_the_pauses(store: Store) -> None:
    hours = [attempts.pause(count) / 3_600 for count in range(10)]
    assert hours == [0, 0, 0, 0, 0, 0, 1, 4, 24, 24]
    found = store.read().execute(
        f"SELECT ({attempts.PAUSE}) / 3600.0 FROM (SELECT value AS attempts FROM json_each(?))",
        ["[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"],
    )
    assert [hour for (hour,) in found] == hours
