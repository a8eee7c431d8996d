"""The status line's words (S6)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from crmmail.app import CrmmailApp
from crmmail.store import accounts
from crmmail.store.accounts import StateRow
from crmmail.store.database import Store
from crmmail.sync.problems import Cut, Untrusted, told
from crmmail.widgets.status_line import Meter, StatusLine, describe, most_telling
from tests.screens.conftest import NOW
from tests.screens.harness import lines, settle, until

AT = int(NOW.timestamp())
IDLE = StateRow(1, "me@home.example", "watching", 0, 0, 0, AT - 120, 0, "", "")


def say(state: StateRow, rate: float = 0.0) -> str:
    return "".join(text for text, _ in describe(state, rate, AT))


def test_an_import_tells_progress_rate_and_time_left() -> None:
    busy = replace(IDLE, state="importing", done=1_200, total=51_200)
    assert say(busy) == "● me@home.example  importing 1,200 of 51,200"
    assert say(busy, rate=500.0).endswith("1,200 of 51,200  500/s  2 min left")


def test_rest_tells_the_last_success_and_the_next_try() -> None:
    assert say(IDLE) == "● me@home.example  up to date, watching  last sync 09:24"
    waiting = replace(IDLE, state="waiting", next_try=AT + 200)
    assert say(waiting).endswith("up to date  last sync 09:24  next in 3 min")


def test_an_error_comes_first_with_what_to_do() -> None:
    wrong = replace(IDLE, state="stopped", error="The password is wrong.", hint="Set it anew.")
    assert say(wrong) == (
        "✗ me@home.example  The password is wrong.  Set it anew."
        "  f8 signs in again, ctrl+r tries again"
    )
    away = replace(IDLE, state="waiting", error="No route.", next_try=AT + 30)
    assert say(away).endswith("No route.  Next try in 30 s.")
    other = replace(away, state="untrusted", error="Another certificate.")
    assert say(other) == (
        "✗ me@home.example  Another certificate.  Next try in 30 s."
        "  f8 shows its certificate, ctrl+r tries now"
    )


@pytest.mark.parametrize("state", ["waiting", "connecting", "checking", "untrusted"])
@pytest.mark.parametrize(
    "problem", [RuntimeError("odd"), Untrusted("mx.example", "ab" * 32), Cut("It was cut.")]
)
def test_that_it_is_tried_again_is_said_once(state: str, problem: Exception) -> None:
    error, hint = told(problem)
    one = replace(IDLE, state=state, error=error, hint=hint, next_try=1_000.0)
    said = "".join(text for text, _ in describe(one, 0.0, 980.0)).lower()
    assert len(re.findall(r"next try|again", said)) == 1


def test_the_account_in_trouble_is_the_most_telling() -> None:
    states = [
        replace(IDLE, email="a@x.example"),
        replace(IDLE, email="b@x.example", state="importing"),
        replace(IDLE, email="c@x.example", error="Off."),
    ]
    assert [state.email[0] for state in most_telling(states)] == ["c", "b", "a"]


def test_the_rate_is_of_the_last_seconds() -> None:
    meter = Meter()
    assert meter.rate(0.0) == 0.0
    for second in range(40):
        meter.add(float(second), 100 * second if second < 20 else 2_000 + 10 * (second - 20))
    assert 9 < meter.rate(39.0) < 11
    meter.add(40.0, 0)  # another import begins
    assert meter.rate(41.0) == 0.0


async def test_an_error_is_told_in_full_at_80_columns(store: Store) -> None:
    error = "The server imap.home.example refuses the sign-in: user name or password are wrong."
    hint = "Set the password anew: crmmail account password me@home.example"
    with store.write("state") as (db, _change):
        db.execute("UPDATE sync_state SET state = 'stopped', error = ?, hint = ?", [error, hint])
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        told = " ".join(" ".join(lines(app)[-4:-1]).split())
        assert f"{error} {hint}" in told
        assert "34 people" in lines(app)[-5]
        with store.write("state") as (db, _change):
            db.execute("UPDATE sync_state SET state = 'watching', error = '', hint = ''")
        line = app.screen.query_one(StatusLine)
        line.show(accounts.states(store.read()))  # before there is a layout for it
        assert line.render_line(2).text.strip() == ""
        await until(pilot, lambda: "34 people" in lines(app)[-3])
        assert "up to date, watching" in lines(app)[-2]
