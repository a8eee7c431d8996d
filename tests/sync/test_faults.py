"""Faults at random places of the server's answers: nothing is lost, nothing doubled (S2, M12, M8).

25 seeds in every run; CRMMAIL_FAULTS=500 (`make faults`) plays so many. A seed that failed is
played again with CRMMAIL_FAULTS=SEED-SEED.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.servers import Dovecot
from tests.sync.fault_runs import Model, play


def _seeds() -> range:
    first, _, last = os.environ.get("CRMMAIL_FAULTS", "25").rpartition("-")
    return range(int(first), int(last) + 1) if first else range(int(last))


_PLAIN = ("LIST-STATUS", "CONDSTORE", "QRESYNC", "ESEARCH", "SPECIAL-USE", "MOVE")


@pytest.fixture(scope="module")
def models(
    dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Model, ...]]:
    """Mailboxes on a server that can do everything, and on one that can do little."""
    with pytest.MonkeyPatch.context() as patch, Dovecot(without=_PLAIN) as plain:
        patch.setenv("CRMMAIL_PASSWORD", dovecot.password)
        yield tuple(Model(one, tmp_path_factory.mktemp("faults")) for one in (dovecot, plain))


@pytest.mark.parametrize("seed", _seeds())
def test_nothing_is_lost_or_doubled(
    seed: int, models: tuple[Model, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dump is equal after one good run, or three where a folder, or most of one, went (M12)."""
    model = models[seed % len(models)]
    monkeypatch.setenv("CRMMAIL_PASSWORD", model.server.password)
    played = play(model, seed, monkeypatch)
    assert (played.difference, played.errors, played.unexplained) == ([], [], []), played
    assert played.runs <= 3, played
    print(f"equal after {played.runs}", *played.faults, sep="\n")
