"""A real authorization server on loopback: npm's oauth2-mock-server, and a Dovecot that asks it."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Self

import pytest

from tests.servers import Dovecot

_SCRIPT = Path(__file__).with_name("oauth2_server.mjs")


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    own = os.environ.get("CRMMAIL_TEST_CACHE") or Path(cache) / "crmmail-tests"
    return Path(own) / "oauth2"


def need_oauth2() -> None:
    """Skip the test without the server, or fail it where CRMMAIL_NEED_OAUTH2=1 says so."""
    if shutil.which("node") and (_folder() / "node_modules" / "oauth2-mock-server").exists():
        return
    if os.environ.get("CRMMAIL_NEED_OAUTH2") == "1":
        pytest.fail("oauth2-mock-server is not there (bash .ci/oauth2)")
    pytest.skip("needs oauth2-mock-server (bash .ci/oauth2)")


class AuthorizationServer:
    """Lets everybody in who comes with a browser."""

    def __init__(self, user: str, lifetime: int = 3600) -> None:
        need_oauth2()
        # node looks for packages where the script lies; other test processes have theirs
        script = _folder() / f"{os.getpid()}-{_SCRIPT.name}"
        script.write_bytes(_SCRIPT.read_bytes())
        self._script = script
        self._said: queue.Queue[str] = queue.Queue()
        self._tokens: list[str] = []
        self._process = subprocess.Popen(
            ["node", str(script), user, str(lifetime)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        port, self._introspection = self._said.get(timeout=60).split()
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(60)
        self._script.unlink(missing_ok=True)

    def tell(self, what: str) -> None:
        """Expire the tokens, revoke the permission, or allow everything again."""
        assert self._process.stdin
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._said.get(timeout=60) == what

    @property
    def tokens(self) -> list[str]:
        """The grants for which it gave out a token since `count_anew`.

        It writes a token's line before it answers, but the line may be read after the answer was.
        """
        self.tell("speak")
        return list(self._tokens)

    def count_anew(self) -> None:
        """Leave the tokens given out so far out of `tokens`."""
        self.tell("speak")
        self._tokens.clear()

    def config(self, name: str = "mock") -> str:
        """What config.toml must say to sign in here."""
        return (
            f'[oauth.{name}]\nclient_id = "crmmail-tests"\nscope = "mail offline_access"\n'
            f'authorize_url = "{self.url}/authorize"\ntoken_url = "{self.url}/token"\n'
        )

    def dovecot(self) -> Dovecot:
        """A mail server that asks here whether a token is good."""
        server = Dovecot()
        file = server.dir / "oauth2.conf"
        file.write_text(
            f"introspection_url = http://127.0.0.1:{self._introspection}/\n"
            "introspection_mode = post\n"
            "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        )
        file.chmod(0o644)
        config = server.dir / "dovecot.conf"
        config.write_text(
            config.read_text()
            + "auth_mechanisms = plain xoauth2 oauthbearer\npassdb {\n  driver = oauth2\n"
            f"  mechanisms = xoauth2 oauthbearer\n  args = {file}\n}}\n"
        )
        return server

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            kind, _, rest = line.strip().partition(" ")
            if kind == "token":
                self._tokens.append(rest)
            else:
                self._said.put(rest)
