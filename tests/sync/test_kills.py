"""kill -9 in the midst of what writes to the store: a few of the hundreds of `make kills`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.kill_scenarios import SCENARIOS, Work
from tests.kills import Killer, moments
from tests.servers import PASSWORD, Dovecot

SEED = 4
MESSAGES = 200


@pytest.mark.parametrize(("name", "moment"), moments(len(SCENARIOS), SEED), ids=list(SCENARIOS))
def test_killed_at_a_random_moment_and_done_again_the_dump_is_the_same(
    tmp_path: Path, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, name: str, moment: float
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", PASSWORD)
    killer = Killer(name, Work(dovecot, MESSAGES), tmp_path)
    done = killer.kill(moment)
    assert done.sound == "ok"
    assert done.dump == killer.wanted
