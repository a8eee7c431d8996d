"""Fixtures for every test: folders of its own, and real servers started once a run."""

from __future__ import annotations

import gc
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from dns.resolver import Resolver
from hypothesis import HealthCheck
from imapclient import IMAPClient

from crmmail.accounts import discovery
from tests.dav_servers import Radicale
from tests.net import refuse
from tests.patience import PATIENCE
from tests.servers import PASSWORD, Appended, Dovecot, ImapServer, Pymap

OFFLINE = discovery.Network(
    ("http://127.0.0.1:1/",), "http://127.0.0.1:1/", (), Resolver(configure=False), refuse
)
_numbers = itertools.count(1)

# The same examples in every run, and however slow the machine is; other ones come with
# --hypothesis-profile=default.
hypothesis.settings.register_profile(
    "same",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("same")

# What a shell starts in the background ignores ctrl+c and ctrl+\, what nohup starts a hang-up, and
# so do the programs that tests start and interrupt, by inheritance. Here none is ignored.
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_xdist_auto_num_workers() -> int:
    """Two test processes more than cores: half of a test's time goes by in waiting for servers."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Another order of the files, and of the tests of each, where CRMMAIL_SHUFFLE=SEED is set."""
    if seed := os.environ.get("CRMMAIL_SHUFFLE"):
        rnd = random.Random(seed)
        files: dict[Path, list[pytest.Item]] = {}
        for item in items:
            files.setdefault(item.path, []).append(item)
        for tests in files.values():
            rnd.shuffle(tests)
        items[:] = [item for path in rnd.sample(list(files), len(files)) for item in files[path]]


def pytest_collection_finish() -> None:
    """Let Python look for garbage seldom, and not among the tests themselves.

    A full look among all that was collected takes a fifth of a second, and an app in a test has
    several: all looks together took a quarter of the time of such a test.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A fresh, empty mailbox of one test on a server that all tests share."""

    server: ImapServer
    user: str
    password: str = PASSWORD

    @property
    def host(self) -> str:
        """Where the server listens."""
        return self.server.host

    @property
    def port(self) -> int:
        """On which port, in the clear."""
        return self.server.port

    def client(self) -> IMAPClient:
        """A logged-in read-write client."""
        return self.server.client(self.user, self.password)

    def append(self, folder: str, *messages: bytes | Appended) -> int:
        """Add messages, bare bytes or with flags and internal date."""
        return self.server.append(
            self.user, folder, [(m, (), None) if isinstance(m, bytes) else m for m in messages]
        )


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person who runs the tests is read or written; servers may be slow."""
    for name in ("data", "config"):
        monkeypatch.setenv(f"CRMMAIL_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(discovery, "NETWORK", OFFLINE)
    for patience in ("accounts.discovery.SECONDS", "accounts.web.SECONDS", "cli.clock._TIMEOUT"):
        monkeypatch.setattr(f"crmmail.{patience}", PATIENCE)
    monkeypatch.setenv("CRMMAIL_TRACEBACK", "1")  # a bug that a test finds is shown whole
    for name in ("_known", "_runs", "_words"):  # no test knows the secrets of another
        monkeypatch.setattr(f"crmmail.secrecy.{name}", set())
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)  # no test writes to the clipboard of who runs it
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "CRMMAIL_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def local_zone() -> Iterator[Callable[[str], None]]:
    """Sets the time zone of this process, for one test."""
    with pytest.MonkeyPatch.context() as patch:

        def be(name: str) -> None:
            patch.setenv("TZ", name)
            time.tzset()

        yield be
    time.tzset()


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """Dovecot with everything it can; shared, so that no test may stop it."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def new_mailbox(dovecot: Dovecot) -> Callable[[], Mailbox]:
    """Makes fresh users of the shared Dovecot, at the work domain home.example."""
    return lambda: Mailbox(dovecot, dovecot.add_user(f"user{next(_numbers)}@home.example"))


@pytest.fixture
def mailbox(new_mailbox: Callable[[], Mailbox]) -> Mailbox:
    """A fresh user of the shared Dovecot."""
    return new_mailbox()


@pytest.fixture
def pymap_server() -> Iterator[Pymap]:
    """A second make of IMAP server, with one empty mailbox."""
    with Pymap() as server:
        yield server


@pytest.fixture(scope="session")
def one_radicale() -> Iterator[Radicale]:
    """Radicale for all tests, one after the other."""
    with Radicale() as server:
        yield server


@pytest.fixture
def radicale(one_radicale: Radicale) -> Radicale:
    """A CalDAV server without calendars."""
    one_radicale.begin_anew()
    return one_radicale
