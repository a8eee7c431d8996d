"""An account leaves in short transactions, and what is cut short goes on."""

from __future__ import annotations

import itertools

import pytest

from crmmail.store import accounts, leaving
from crmmail.store.database import Notice

from .conftest import NOON, Filler, World

MAIL = ("account", "folder", "placement", "skipped", "message", "message_text", "participant")


@pytest.fixture
def busy(fill: Filler, world: World) -> World:
    """The world, with two dozen more conversations and as many skipped messages."""
    for number in range(24):
        first = fill.message(f"p{number}@many.example", at=NOON + number, folder=world.inbox)
        fill.message(fill.own, [f"p{number}@many.example"], re=first, folder=world.inbox)
        fill.skip(world.inbox, "group", "List-Id")
    return world


def test_others_may_write_in_between(
    fill: Filler, busy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "_MESSAGES", 5)
    monkeypatch.setattr(leaving, "_SKIPPED", 7)
    seen: list[tuple[int, int]] = []
    told: list[tuple[int, int]] = []

    def look(_notice: Notice) -> None:
        seen.append(
            fill.db.execute(
                "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM skipped)"
            ).fetchone()
        )

    fill.store.subscribe(look)
    accounts.remove(fill.store, "me@home.example", lambda *now: told.append(now))
    assert seen[-1] == (0, 0)
    for (messages, skipped), (fewer, less) in itertools.pairwise(seen):
        assert messages - fewer <= 10
        assert skipped - less <= 7
    assert len(told) > 5
    assert told[-1] == (seen[0][0], seen[0][0])


@pytest.mark.parametrize("steps", [0, 1, 4, 8])
def test_a_removal_that_is_cut_short_goes_on(
    fill: Filler, busy: World, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(leaving, "_MESSAGES", 5)
    left = steps

    class PowerCutError(Exception):
        pass

    def cut(*_: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise PowerCutError

    before = fill.content("person", "company", "note")
    with pytest.raises(PowerCutError):
        accounts.remove(fill.store, "me@home.example", cut)
    (account,) = accounts.all_accounts(fill.db)
    assert account.paused

    leaving.finish(fill.store)

    assert fill.content(*MAIL) == {table: [] for table in MAIL}
    assert fill.content("thread", "thread_ref", "thread_link")["thread"] == []
    after = fill.content("person", "company", "note")
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    fill.db.execute("PRAGMA query_only = OFF")
    fill.db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    assert fill.db.execute("PRAGMA foreign_key_check").fetchall() == []
    leaving.finish(fill.store)  # there is nothing left to do


def test_what_came_in_the_meantime_goes_too(fill: Filler, busy: World) -> None:
    """Another process may be writing the account's mail until it hears of the removal."""
    late = 0

    def arrive(done: int, total: int) -> None:
        nonlocal late
        late = late or fill.message("late@many.example", folder=busy.inbox)

    accounts.remove(fill.store, "me@home.example", arrive)
    assert late
    assert fill.content(*MAIL) == {table: [] for table in MAIL}
