"""account add, list, test, remove: against a real server, with and without a terminal."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crmmail.accounts import discovery
from crmmail.cli import new_account
from crmmail.errors import CrmmailError
from tests.cli.conftest import ME, Cli, add_account
from tests.conftest import Mailbox
from tests.net import Names
from tests.patience import PATIENCE
from tests.servers import PASSWORD, Dovecot


@pytest.mark.usefixtures("password")
def test_an_account_is_tested_saved_and_listed(cli: Cli, mailbox: Mailbox) -> None:
    mailbox.append("INBOX", b"Subject: x\r\n\r\n")
    added = add_account(
        cli, mailbox, "Ann@Home.Example", "--alias", "Sales@home.example", "--name", "Work",
        "--policy", "sent_and_received",
    )  # fmt: skip
    assert (added.code, added.out) == (0, "")
    assert "Signed in: 6 folders, 1 messages." in added.err
    [account] = cli("account", "list", "--json").json
    assert account == {
        "email": "ann@home.example",
        "name": "Work",
        "host": mailbox.host,
        "port": mailbox.port,
        "security": "none",
        "username": mailbox.user,
        "password": "environment variable TEST_PASSWORD",
        "policy": "sent_and_received",
        "aliases": ["sales@home.example"],
        "pin": None,
        "visibility": "everything",
        "meetings_visibility": "everything",
        "caldav": None,
        "last_success": None,
    }
    assert cli("account", "list").out.startswith(f"ann@home.example\t{mailbox.host}:")


def test_the_password_is_in_no_file(
    cli: Cli, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "Xyzzy-plugh-4711")
    mailbox.server.add_user(mailbox.user, "Xyzzy-plugh-4711")  # type: ignore[attr-defined]
    assert add_account(cli, mailbox).code == 0
    assert cli("sync").code == 0
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"Xyzzy-plugh-4711" not in file.read_bytes(), file


def test_a_password_command_is_kept_as_words_and_used(cli: Cli, mailbox: Mailbox) -> None:
    added = cli(
        *("account", "add", ME, "--imap", f"{mailbox.host}:{mailbox.port}", "--security", "none"),
        *("--username", mailbox.user, "--password-command", f"echo '{PASSWORD}'"),
    )
    assert added.code == 0
    assert cli("account", "test", ME).code == 0
    assert cli("account", "list", "--json").json[0]["password"] == "command echo"


def test_a_refused_sign_in_is_code_5_and_saves_nothing(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    refused = add_account(cli, mailbox)
    assert refused.code == 5
    assert "refused the sign-in" in refused.err
    assert "wrong" not in refused.err
    assert cli("account", "list", "--json").json == []


@pytest.mark.usefixtures("password")
def test_without_the_test_nothing_is_asked_of_the_server(cli: Cli) -> None:
    nowhere = ("--imap", "127.0.0.1:1", "--security", "none", "--password-env", "TEST_PASSWORD")
    failed = cli("account", "add", ME, *nowhere)
    assert failed.code == 1
    assert "takes no connection" in failed.err
    assert cli("account", "add", ME, *nowhere, "--no-test").code == 0
    tested = cli("account", "test", ME)
    assert tested.code == 1


@pytest.mark.usefixtures("password")
def test_an_account_is_added_once(cli: Cli, mailbox: Mailbox) -> None:
    assert add_account(cli, mailbox).code == 0
    again = add_account(cli, mailbox, "ME@home.example")
    assert again.code == 1
    assert "is an account already" in again.err


@pytest.mark.usefixtures("password")
def test_no_encryption_needs_the_word_for_it(cli: Cli) -> None:
    plain = ("account", "add", ME, "--imap", "imap.home.example", "--security", "none")
    more = ("--password-env", "TEST_PASSWORD", "--no-test")
    refused = cli(*plain, *more)
    assert refused.code == 1
    assert "can read the password" in refused.err
    assert cli(*plain, *more, "--insecure").code == 0
    assert cli("account", "list", "--json").json[0]["port"] == 143


def test_a_server_that_cannot_prove_its_name_gets_no_password(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    with Dovecot(tls="tls") as server:
        server.add_user(ME)
        refused = cli(
            *("account", "add", ME, "--imap", f"localhost:{server.port}"),
            *("--password-env", "TEST_PASSWORD"),
        )
        assert server.logins() == []
    assert refused.code == 1
    assert "did not prove who it is" in refused.err


@pytest.mark.usefixtures("password")
def test_an_account_is_reconnected_with_what_changed_and_keeps_the_rest(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert add_account(cli, mailbox).code == 0
    [before] = cli("account", "list", "--json").json
    monkeypatch.setenv("TEST_PASSWORD", "old")
    monkeypatch.setenv("NEW_PASSWORD", PASSWORD)
    refused = cli("account", "reconnect", ME)
    assert refused.code == 5
    assert cli("account", "reconnect", ME, "--password-env", "NEW_PASSWORD").code == 0
    [after] = cli("account", "list", "--json").json
    assert after == before | {"password": "environment variable NEW_PASSWORD"}
    nowhere = cli("account", "reconnect", ME, "--imap", "127.0.0.1:1")
    assert nowhere.code == 1
    assert cli("account", "list", "--json").json == [after]
    assert cli("account", "reconnect", ME, "--imap", "127.0.0.1:1", "--no-test").code == 0
    assert cli("account", "list", "--json").json[0]["port"] == 1
    asked = cli("account", "reconnect", ME, "--password")
    assert asked.code == 1
    assert "no usable keyring" in asked.err
    assert cli("account", "reconnect", "nobody@home.example").code == 3


def test_a_server_of_ones_own_is_pinned(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    with Dovecot(tls="tls") as server:
        server.add_user(ME)
        words = [
            *("account", "add", ME, "--imap", f"localhost:{server.port}"),
            *("--password-env", "TEST_PASSWORD"),
        ]
        pin = re.findall(r"--pin ([0-9A-F:]{95})", cli(*words).err)[0]
        wrong = cli(*words, "--pin", "00" * 32)
        assert wrong.code == 1
        assert "another certificate than the one you trusted" in wrong.err
        assert server.logins() == []
        code, screen = on_terminal(words, {"Trust this certificate": "n"})
        assert code == 1
        assert pin in screen.replace("\r\n", "")
        assert cli("account", "list", "--json").json == []
        code, screen = on_terminal(words, {"Trust this certificate": "y"})
        assert code == 0, screen
        [row] = cli("account", "list", "--json").json
        assert row["pin"] == pin.replace(":", "").lower()
        assert cli("account", "test", ME).code == 0
        assert cli("account", "remove", ME, "--yes").code == 0
        assert cli(*words, "--pin", pin).code == 0
        assert cli("sync").code == 0


def test_an_address_and_a_password_are_enough(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    with Dovecot(tls="starttls") as server:
        server.add_user(ME)
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
        here = [f"0 0 {server.port} localhost."]
        with Names({("SRV", "_imap._tcp.home.example."): here}) as names:
            monkeypatch.setattr(
                discovery, "NETWORK", replace(discovery.NETWORK, resolver=names.resolver)
            )
            words = ("account", "add", ME, "--password-env", "TEST_PASSWORD")
            refused = cli(*words)
            assert refused.code == 1
            assert f"in the DNS of home.example: localhost:{server.port}" in refused.err
            assert f"localhost is only a guess for the server of {ME}" in refused.err
            assert server.logins() == []
            monkeypatch.setattr("crmmail.addresses.site", lambda _domain: "home.example")
            assert cli(*words).code == 0
    [row] = cli("account", "list", "--json").json
    assert (row["host"], row["port"], row["security"]) == ("localhost", server.port, "starttls")
    assert row["username"] == ME


@pytest.mark.usefixtures("password")
def test_a_provider_without_imap_says_so(cli: Cli) -> None:
    refused = cli("account", "add", "ann@tuta.com", "--password-env", "TEST_PASSWORD")
    assert refused.code == 1
    assert "Tuta has no IMAP" in refused.err


@pytest.mark.usefixtures("password")
def test_a_refused_password_is_answered_with_what_the_provider_wants(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    refused = add_account(cli, mailbox, "ann@gmail.com")
    assert refused.code == 5
    assert "Google wants an app password: https://myaccount.google.com" in refused.err


def test_tls_and_starttls_sign_in(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    for number, security in enumerate(("tls", "starttls")):
        with Dovecot(tls=security) as server:
            server.add_user(ME)
            monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
            added = cli(
                *("account", "add", f"me{number}@home.example", "--username", ME),
                *("--imap", f"localhost:{server.port}", "--security", security),
                *("--password-env", "TEST_PASSWORD"),
            )
            assert (added.code, added.err.count("Signed in")) == (0, 1), added.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--imap", "127.0.0.1:1"], "no usable keyring"),
        (
            ["--imap", "127.0.0.1:1", "--password-env", "UNSET_VARIABLE"],
            "UNSET_VARIABLE is not set",
        ),
        (["--password-env", "TEST_PASSWORD"], "IMAP server: not given"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("password")
def test_nobody_is_asked_where_nobody_is(cli: Cli, words: list[str], said: str) -> None:
    outcome = cli("account", "add", ME, *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert said in outcome.err
    assert cli("account", "list", "--json").json == []


@pytest.mark.usefixtures("password")
def test_removing_takes_the_mail_but_not_the_people(cli: Cli, filled: Path) -> None:
    people = cli("people", "list", "--json").json
    removed = cli("account", "remove", ME, "--yes")
    assert (removed.code, removed.out) == (0, "")
    firms = len(cli("companies", "list", "--json").json)
    told = "1 company" if firms == 1 else f"{firms} companies"
    assert f"In the store stay 2 people and {told}." in removed.err
    assert cli("account", "list", "--json").json == []
    assert cli("thread", "list", "--json").json == []
    after = cli("people", "list", "--json").json
    assert [one["name"] for one in people] == ["Ann Lee", "Carl"]
    assert sorted(one["name"] for one in after) == ["Ann Lee", "Carl"]
    with sqlite3.connect(filled / "crmmail.db") as db:
        assert db.execute("SELECT count(*) FROM message_text").fetchone() == (0,)


@pytest.mark.usefixtures("password")
def test_an_account_is_not_removed_unasked_where_nobody_can_answer(cli: Cli, filled: Path) -> None:
    refused = cli("account", "remove", ME)
    assert (refused.code, refused.out) == (1, "")
    assert "Say so with --yes" in refused.err
    assert [one["email"] for one in cli("account", "list", "--json").json] == [ME]


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--caldav", "none"), 2, "--imap none and --caldav none leave nothing to read."),
        (("--no-test",), 1, "has neither mail nor calendars to read"),
    ],
)
@pytest.mark.usefixtures("password")
def test_an_account_of_nothing_is_not_added(
    cli: Cli, more: tuple[str, ...], code: int, said: str
) -> None:
    words = ("account", "add", ME, "--imap", "none", "--password-env", "TEST_PASSWORD")
    refused = cli(*words, *more)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err
    assert cli("account", "list", "--json").json == []


KEYRING = '''
import json, os, pathlib
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    """A keyring for a test: what it holds is in a file."""

    priority = 5
    file = pathlib.Path(os.environ["TEST_KEYRING"])

    def _all(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self.file.write_text(json.dumps(self._all() | {f"{service} {username}": password}))

    def delete_password(self, service, username):
        self.file.write_text("{}")
'''


SPAWN = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def on_terminal(words: list[str], answers: dict[str, str]) -> tuple[int, str]:
    """Run a command on a terminal of its own and answer its questions; what was on the screen."""
    process = subprocess.Popen(
        [sys.executable, "-c", SPAWN, sys.executable, "-m", "crmmail", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    screen, seen = "", 0
    while part := os.read(process.stdout.fileno(), 4096):
        screen += part.decode("utf-8", "replace")
        for question, answer in answers.items():
            # The space comes last, when getpass has thrown away what was typed before it listened.
            if question in screen[seen:] and screen.endswith(" "):
                seen = len(screen)
                process.stdin.write(answer.encode() + b"\n")
                process.stdin.flush()
    process.stdin.close()
    process.stdout.close()
    return process.wait(PATIENCE), screen


def test_on_a_terminal_it_asks_and_keeps_the_password_in_the_keyring(
    cli: Cli, mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_keyring_backend.py").write_text(KEYRING, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "test_keyring_backend.Keyring")
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring"))
    words = ["account", "add", mailbox.user, "--security", "none"]
    server = f"{mailbox.host}:{mailbox.port}"
    code, screen = on_terminal(words, {"IMAP server": server, "Password": PASSWORD})
    assert code == 0, screen
    assert PASSWORD not in screen
    assert "[imap.home.example]" in screen
    assert (tmp_path / "keyring").read_text() == f'{{"crmmail {mailbox.user}": "{PASSWORD}"}}'
    code, screen = on_terminal(["sync"], {})
    assert code == 0, screen
    code, screen = on_terminal(["account", "remove", mailbox.user], {"[y/N]": "y"})
    assert code == 0, screen
    assert (tmp_path / "keyring").read_text() == "{}"
    assert cli("account", "list", "--json").json == []


@pytest.mark.parametrize(
    ("text", "security", "expected"),
    [
        ("imap.example.org", "tls", ("imap.example.org", 993)),
        ("imap.example.org", "starttls", ("imap.example.org", 143)),
        ("imap.example.org:1143", "none", ("imap.example.org", 1143)),
        ("[::1]:1143", "tls", ("::1", 1143)),
        ("[::1]", "tls", ("::1", 993)),
        ("::1", "tls", ("::1", 993)),
    ],
)
def test_a_server_is_read_with_or_without_a_port(
    text: str, security: str, expected: tuple[str, int]
) -> None:
    assert new_account.server(text, security) == expected


@pytest.mark.parametrize("text", ["", ":993", "h:0", "h:65536", "h:x", "h:²", "https://h"])
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(CrmmailError, match=r"is not a (server|port)"):
        new_account.server(text, "tls")


def test_a_server_with_a_user_name_is_refused() -> None:
    with pytest.raises(CrmmailError, match="must not contain an @"):
        new_account.server("a@h", "tls")
