"""The servers that the other tests stand on do what those tests need of them."""

from __future__ import annotations

import imaplib
import random
import socket
import ssl
from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from tests.conftest import Mailbox
from tests.dav_servers import Radicale
from tests.fake_imap import CLOSE, STALL, FakeImap
from tests.fault_proxy import FAULTS, Answer, FaultProxy
from tests.patience import PATIENCE
from tests.servers import Dovecot, ImapServer, Pymap

MAIL = b"From: ann@far.example\r\nSubject: Hello\r\nMessage-ID: <1@far.example>\r\n\r\nHello\r\n"
WHEN = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)


def hear_by_idle(server: ImapServer, user: str) -> None:
    """Let a message be appended while a client idles, and wait for the EXISTS that it gets."""
    with server.client(user) as client:
        client.select_folder("INBOX", readonly=True)
        client.idle()
        server.append(user, "INBOX", [(MAIL, (), None)])
        line = b""
        while b"EXISTS" not in line:  # idle_check() would trip over half a line, which pymap sends
            line = client._imap.readline()
            assert line
        client.idle_done()


def test_dovecot_keeps_flags_and_date_of_what_is_appended(mailbox: Mailbox) -> None:
    assert mailbox.append("Projects/North", *[(MAIL, ["\\Seen"], WHEN)] * 450) == 450
    with mailbox.client() as client:
        client.select_folder("Projects/North", readonly=True)
        uids = client.search()
        (found,) = client.fetch(uids[-1:], ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"]).values()
    assert len(uids) == 450
    assert b"\\Seen" in found[b"FLAGS"]
    assert found[b"INTERNALDATE"].astimezone(UTC) == WHEN
    assert found[b"BODY[]"] == MAIL


def test_dovecot_has_special_folders_and_every_test_its_own_user(
    mailbox: Mailbox, dovecot: Dovecot
) -> None:
    with mailbox.client() as client:
        roles = {name: flags for flags, _, name in client.list_folders()}
        assert client.folder_status("INBOX")[b"MESSAGES"] == 0
    for name in ("Sent", "Drafts", "Junk", "Trash", "Archive"):
        assert f"\\{name}".encode() in roles[name]
    assert (dovecot.maildir(mailbox.user) / "cur").is_dir()


def test_dovecot_pushes_new_mail(mailbox: Mailbox) -> None:
    hear_by_idle(mailbox.server, mailbox.user)


def test_dovecot_refuses_a_wrong_password_and_takes_a_new_one(dovecot: Dovecot) -> None:
    user = dovecot.add_user("changing@home.example", "one")
    with pytest.raises(LoginError):
        dovecot.client(user, "two")
    dovecot.client(user, "one").logout()
    assert dovecot.logins().count(user) == 1


def test_dovecot_counts_the_bytes_of_a_user(mailbox: Mailbox, dovecot: Dovecot) -> None:
    assert dovecot.traffic(mailbox.user) == (0, 0)
    mailbox.append("INBOX", MAIL * 100)
    sent, received = dovecot.traffic(mailbox.user)
    assert len(MAIL) * 100 < sent < len(MAIL) * 100 + 500
    assert 50 < received < 1000


def test_dovecot_comes_back_on_its_port_after_a_stop_and_a_kill() -> None:
    with Dovecot() as server:
        user = server.add_user("ann@home.example")
        server.append(user, "INBOX", [(MAIL, (), None)])
        client = server.client(user)
        for end in (server.stop, server.kill):
            end()
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((server.host, server.port), timeout=PATIENCE)
            with pytest.raises((OSError, imaplib.IMAP4.error)):
                client.noop()
            server.start()
            client = server.client(user)
            assert client.folder_status("INBOX")[b"MESSAGES"] == 1
        client.logout()


def test_dovecot_announces_no_more_than_it_is_told_to() -> None:
    with Dovecot(without=["IDLE", "CONDSTORE", "LIST-STATUS", "SPECIAL-USE"]) as server:
        client = server.client(server.add_user("ann@home.example"))
        capabilities = client.capabilities()
        folders = client.list_folders()
        client.logout()
    assert b"ESEARCH" in capabilities
    assert not {b"IDLE", b"CONDSTORE", b"LIST-STATUS", b"SPECIAL-USE"} & set(capabilities)
    assert not any(b"\\Sent" in flags for flags, _, _ in folders)


def test_dovecot_speaks_tls_with_a_certificate_of_its_own_authority() -> None:
    with Dovecot(tls="tls") as server:
        server.client(server.add_user("ann@home.example")).logout()
        with pytest.raises(ssl.SSLCertVerificationError):
            IMAPClient(server.host, server.port, ssl_context=ssl.create_default_context())


def test_dovecot_upgrades_to_tls() -> None:
    with Dovecot(tls="starttls") as server:
        server.add_user("ann@home.example")
        with IMAPClient(server.host, server.port, ssl=False) as client:
            client.starttls(ssl.create_default_context(cafile=server.ca))
            client.login("ann@home.example", server.password)
            assert client.folder_exists("INBOX")


def test_pymap_serves_one_user(pymap_server: Pymap) -> None:
    assert pymap_server.append("user", "Archive", [(MAIL, ["\\Seen"], WHEN)] * 3) == 3
    with pymap_server.client("user") as client:
        client.select_folder("Archive", readonly=True)
        found = client.fetch(client.search(), ["BODY.PEEK[]", "INTERNALDATE"])
    assert [one[b"BODY[]"] for one in found.values()] == [MAIL] * 3
    hear_by_idle(pymap_server, "user")


def test_radicale_lets_a_user_make_a_calendar(radicale: Radicale) -> None:
    from caldav import DAVClient

    client = DAVClient(url=radicale.url, username=radicale.user, password=radicale.password)
    client.principal().make_calendar(name="Work")
    assert [calendar.get_display_name() for calendar in client.principal().calendars()] == ["Work"]


def test_a_script_answers_breaks_and_stalls() -> None:
    answers = iter(["NO [LIMIT] slow down", "* SEARCH 1 2|OK done", CLOSE])
    script = {"UID SEARCH": lambda call: next(answers), "NOOP": STALL}
    with FakeImap(script) as server:
        client = IMAPClient(server.host, server.port, ssl=False, timeout=PATIENCE)
        client.login("ann", "secret")
        client.select_folder("INBOX", readonly=True)
        with pytest.raises(imaplib.IMAP4.error, match="slow down"):
            client.search()
        assert client.search() == [1, 2]
        with pytest.raises(imaplib.IMAP4.abort):
            client.search()
        assert [call.count for call in server.calls if call.name == "UID SEARCH"] == [1, 2, 3]
        client = IMAPClient(server.host, server.port, ssl=False, timeout=PATIENCE)
        client.socket().settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.noop()


def test_a_script_greets_as_it_likes_and_can_idle() -> None:
    busy = FakeImap(greeting=b"* BYE too many connections\r\n")
    with busy, pytest.raises(imaplib.IMAP4.error, match="too many"):
        IMAPClient(busy.host, busy.port, ssl=False, timeout=PATIENCE)
    with FakeImap() as server:
        client = IMAPClient(server.host, server.port, ssl=False, timeout=PATIENCE)
        client.login("ann", "secret")
        client.idle()
        assert client.idle_done()[0] == b"done"
        client.logout()
        assert server.names() == ["CAPABILITY", "LOGIN", "CAPABILITY", "IDLE", "DONE", "LOGOUT"]


def test_a_relay_bends_what_a_real_server_says(mailbox: Mailbox) -> None:
    script = {"UID SEARCH": lambda call: "NO [LIMIT] slow down" if call.count == 1 else None}
    with FakeImap(
        script, before=mailbox.server, tamper=lambda said: said.replace(b"Hello", b"Jello")
    ) as relay:
        client = IMAPClient(relay.host, relay.port, ssl=False, timeout=PATIENCE)
        client.login(mailbox.user, mailbox.password)
        client.append("INBOX", MAIL)
        client.select_folder("INBOX", readonly=True)
        with pytest.raises(imaplib.IMAP4.error, match="slow down"):
            client.search()
        (found,) = client.fetch(client.search(), ["BODY.PEEK[]"]).values()
        client.logout()
    assert found[b"BODY[]"] == MAIL.replace(b"Hello", b"Jello")
    assert "APPEND" in relay.names()


def test_a_proxy_harms_what_it_is_told_to_and_the_same_in_each_run(mailbox: Mailbox) -> None:
    mailbox.append("INBOX", MAIL, MAIL)

    def searches() -> tuple[list[int], list[str]]:
        with FaultProxy(mailbox.server, seed=5, stuck=("UID SEARCH", "empty")) as proxy:
            with IMAPClient(proxy.host, proxy.port, ssl=False, timeout=PATIENCE) as client:
                client.login(mailbox.user, mailbox.password)
                client.select_folder("INBOX", readonly=True)
                found = [len(client.search()) for _ in range(20)]
                assert len(client.fetch([1, 2], ["BODY.PEEK[]"])) == 2
            return found, proxy.done

    found, done = searches()
    assert set(found) == {0, 2}
    assert done == ["empty: UID SEARCH ALL"] * found.count(0)
    assert searches() == (found, done)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_changes_what_comes(fault: str) -> None:
    untagged = [b"* %d FETCH (UID %d BODY[] {5}\r\nhello)\r\n" % (n, n) for n in range(1, 9)]
    answer = Answer("UID FETCH 1:8 (UID BODY.PEEK[])", untagged, b"A1 OK done\r\n")
    for seed in range(20):
        harm = FAULTS[fault](random.Random(seed), answer)
        assert harm.data != answer.whole or harm.then == "cut"
        assert harm == FAULTS[fault](random.Random(seed), answer)
