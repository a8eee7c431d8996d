"""A store, and an account on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import Mailbox
from tests.dav_servers import CalDav, Radicale, Xandikos
from tests.sync.office import Office, opened

from crmmail.store import accounts, dump
from crmmail.store.database import Store
from crmmail.sync.loop import Report, sync_once

if TYPE_CHECKING:
    from tests.sync.unwell import Unwell


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(tmp_path / "crmmail.db")
    yield opened
    opened.close()


def connect(store: Store, mailbox: Mailbox, email: str = "me@home.example", **more: object) -> None:
    """Add the mailbox as an account; its password comes from the environment."""
    settings: dict[str, object] = {"policy": "sent_and_received", **more}
    accounts.add(
        store,
        email,
        host=mailbox.host,
        port=mailbox.port,
        security="none",
        username=mailbox.user,
        secret="env:CRMMAIL_PASSWORD",
        **settings,  # type: ignore[arg-type]
    )


def sync(store: Store) -> list[Report]:
    """Sync all accounts, which must go well, and end with every listed message accounted for."""
    reports = sync_once(store)
    for report in reports:
        assert report.errors == []
        assert report.listed == report.stored + sum(report.skipped.values()), report
    return reports


def dumped(store: Store) -> list[str]:
    """The logical content of the store."""
    return list(dump.dump(store.read()))


@pytest.fixture
def account(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Report]:
    """An account on the mailbox, me@home.example; call it to sync."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    connect(store, mailbox)
    return lambda: sync(store)[0]


@pytest.fixture(params=[Radicale, Xandikos], ids=["radicale", "xandikos"])
def caldav_server(request: pytest.FixtureRequest) -> Iterator[CalDav]:
    """Either make of CalDAV server."""
    if request.param is Radicale:
        yield request.getfixturevalue("radicale")
        return
    with Xandikos() as server:  # it remembers what its files were: one for each test
        yield server


@pytest.fixture
def office(
    caldav_server: CalDav, store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """A calendar on either server, and an account."""
    yield from opened(caldav_server, store, monkeypatch)


@pytest.fixture
def radicale_office(
    radicale: Radicale, store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """A calendar on Radicale, which asks for a password."""
    yield from opened(radicale, store, monkeypatch)


@pytest.fixture
def unwell(
    store: Store, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Unwell]:
    """An account on a server that fails as it is told to."""
    from tests.sync.unwell import LETTERS, behind_a_fake

    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    monkeypatch.setattr("crmmail.sync.once.time.sleep", lambda _: None)
    mailbox.append("INBOX", *LETTERS)
    with behind_a_fake(store, mailbox, tmp_path) as made:
        yield made
