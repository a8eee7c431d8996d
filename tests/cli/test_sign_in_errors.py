"""What is said of a sign-in that does not work, and what to do about it where it is said."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.cli.conftest import ME, Cli
from tests.conftest import Mailbox


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> str:
    monkeypatch.setenv("TEST_PASSWORD", mailbox.password)
    return mailbox.password


def add(cli: Cli, host: str, port: int, *more: str) -> tuple[int, str]:
    outcome = cli(
        *("account", "add", ME, "--imap", f"{host}:{port}", "--security", "none"),
        *("--password-env", "TEST_PASSWORD", "--caldav", "none", *more),
    )
    return outcome.code, outcome.err


def test_a_wrong_password_at_the_first_sign_in(
    cli: Cli, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    code, said = add(cli, mailbox.host, mailbox.port, "--username", mailbox.user)
    assert code == 5
    assert f"{mailbox.host} refused the sign-in of {mailbox.user}: " in said
    assert "Check the user name and the password. Many providers want an app password." in said
    assert "reconnect" not in said


def test_a_wrong_password_later_names_the_command(
    cli: Cli, mailbox: Mailbox, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert add(cli, mailbox.host, mailbox.port, "--username", mailbox.user)[0] == 0
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    step = f"Sign in again: crmmail account reconnect {ME}"
    tested = cli("account", "test", ME)
    assert (tested.code, step in tested.err) == (5, True)
    synced = cli("sync")
    assert (synced.code, synced.err.count(step)) == (4, 1)
    [account] = cli("status", "--json").json["accounts"]
    assert account["state"] == "refused"
    assert account["hint"] == f"Many providers want an app password. {step}"
    again = cli("account", "reconnect", ME)
    assert (again.code, "reconnect" in again.err) == (5, False)
    monkeypatch.delenv("TEST_PASSWORD")
    unset = cli("sync")
    assert "The environment variable TEST_PASSWORD is not set." in unset.err
    assert step in unset.err
    assert cli("status", "--json").json["accounts"][0]["state"] == "refused"


@pytest.mark.usefixtures("password")
def test_nobody_listens_there(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        code, said = add(cli, "127.0.0.1", port)
    assert code == 1
    assert f"127.0.0.1 takes no connection on port {port}." in said
    assert "IMAP is mostly on 993 (TLS), or on 143 (STARTTLS)." in said


@pytest.mark.usefixtures("password")
def test_a_server_that_says_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "config.toml").write_text("[timeouts]\nconnect = 1\nread = 1\n")
    monkeypatch.setenv("CRMMAIL_CONFIG_DIR", str(folder))
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        code, said = add(cli, "127.0.0.1", port)
    assert code == 1
    assert f"127.0.0.1 did not answer on port {port} in time." in said
    assert "Check the server and its port" in said


@pytest.mark.usefixtures("password")
def test_tls_where_there_is_none(cli: Cli, mailbox: Mailbox) -> None:
    outcome = cli(
        *("account", "add", ME, "--imap", f"{mailbox.host}:{mailbox.port}"),
        *("--security", "tls", "--password-env", "TEST_PASSWORD"),
    )
    assert outcome.code == 1
    assert f"{mailbox.host} does not speak TLS on port {mailbox.port}: " in outcome.err
    assert "993 is TLS, 143 is STARTTLS" in outcome.err


@pytest.mark.usefixtures("password")
def test_a_host_that_there_is_not(cli: Cli) -> None:
    code, said = add(cli, "no-such-host.invalid", 993, "--insecure")
    assert code == 1
    assert "no-such-host.invalid is not known here." in said
    assert "Check its name, and the network." in said
