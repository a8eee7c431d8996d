"""What the tests of secrets share: a keyring in memory, and the store that the commands use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import keyring
import pytest

from crmmail import settings
from crmmail.accounts import oauth
from crmmail.store.database import Store
from tests.accounts.test_credentials import Memory


@pytest.fixture(autouse=True)
def memory() -> Iterator[Memory]:
    """A machine with a keyring, and no token remembered from another test."""
    before = keyring.core._keyring_backend
    memory = Memory()
    keyring.set_keyring(memory)
    oauth._cache.clear()
    yield memory
    keyring.core._keyring_backend = before


@pytest.fixture
def store() -> Iterator[Store]:
    """The store that the commands use too."""
    with closing(Store(settings.store_path())) as opened:
        yield opened
