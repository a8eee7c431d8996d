"""What a sync says of itself is true after every end of a run (S6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conftest import Mailbox
from tests.fake_imap import CLOSE, Answer, FakeImap
from tests.sync.conftest import connect
from tests.sync.letters import letter

from crmmail.store import accounts
from crmmail.store.accounts import StateRow
from crmmail.store.database import Store
from crmmail.sync import account as passes
from crmmail.sync.lock import Busy, exclusive, is_held
from crmmail.sync.loop import sync_once


def state(store: Store) -> StateRow:
    """How the only account stands."""
    (row,) = accounts.states(store.read())
    return row


@pytest.fixture
def behind(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Store, dict[str, Answer]], None]]:
    """Puts an account with five letters behind a server that answers so."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", *[letter(number) for number in range(5)])
    fakes: list[FakeImap] = []

    def put(store: Store, script: dict[str, Answer]) -> None:
        fakes.append(FakeImap(script, before=mailbox.server))
        connect(store, Mailbox(fakes[-1], mailbox.user))  # type: ignore[arg-type]

    yield put
    for fake in fakes:
        fake.__exit__()


def test_an_error_of_one_folder_is_in_the_state(
    store: Store, behind: Callable[[Store, dict[str, Answer]], None]
) -> None:
    behind(store, {"EXAMINE": "NO [SERVERBUG] not now"})
    (report,) = sync_once(store)
    assert report.errors == ["INBOX: The server said: [SERVERBUG] not now."]
    found = state(store)
    assert (found.state, found.started_at) == ("waiting", 0)
    assert found.error == " ".join(report.errors)


def test_a_connection_that_breaks_for_good_is_in_the_state(
    store: Store, behind: Callable[[Store, dict[str, Answer]], None]
) -> None:
    behind(store, {"UID FETCH": CLOSE})
    (report,) = sync_once(store)
    found = state(store)
    assert found.state == "waiting"
    assert found.error
    assert report.errors == [f"{found.error} {found.hint}".strip()]
    assert found.last_success == 0


@pytest.mark.parametrize("problem", [RuntimeError("a defect"), KeyboardInterrupt(), SystemExit(1)])
def test_whatever_ends_a_run_is_in_the_state(
    store: Store,
    behind: Callable[[Store, dict[str, Answer]], None],
    monkeypatch: pytest.MonkeyPatch,
    problem: BaseException,
) -> None:
    def fail(*_: object) -> None:
        raise problem

    behind(store, {})
    monkeypatch.setattr(passes.AccountSync, "_news", fail)
    if isinstance(problem, Exception):
        assert "a defect" in sync_once(store)[0].errors[0]
        assert "a defect" in state(store).error
    else:
        with pytest.raises(type(problem)):
            sync_once(store)
        assert "was interrupted" in state(store).error
    assert state(store).state == "waiting"
    monkeypatch.undo()


def test_a_run_that_goes_well_takes_the_error_away(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", letter(1))
    connect(store, mailbox)
    with store.write() as (db, _):
        db.execute("UPDATE sync_state SET error = 'old', hint = 'old', state = 'importing'")
    assert sync_once(store)[0].errors == []
    found = state(store)
    assert (found.state, found.error, found.hint) == ("waiting", "", "")


def test_a_look_at_the_lock_does_not_take_it(store: Store) -> None:
    assert not is_held(store.path)
    with exclusive(store.path):
        assert is_held(store.path)
        with pytest.raises(Busy), exclusive(store.path):
            pass
    assert not is_held(store.path)
