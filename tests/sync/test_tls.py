"""Who a server is, before anything is said to it: every case that broke a mail program before.

That no password came over the wire is looked up on the server's side.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import trustme
from tests.servers import Dovecot
from tests.tls_imap import TlsImap, fingerprint

from crmmail.errors import CrmmailError
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.sync import tls
from crmmail.sync.loop import sync_once
from crmmail.sync.mailbox import Login, check
from crmmail.sync.problems import Problem, Unsafe, Untrusted
from crmmail.text import pairs

PASSWORD = "correct-horse-47"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of our own."""
    return trustme.CA()


@pytest.fixture(autouse=True)
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts that authority and no other."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))


@pytest.fixture(scope="module")
def alone() -> trustme.LeafCert:
    """A certificate for localhost that nobody here vouches for."""
    return trustme.CA().issue_cert("localhost")


def login(server: TlsImap | Dovecot, security: str = "tls", pin: str = "") -> Login:
    return Login("localhost", server.port, security, "me@home.example", PASSWORD, pin)


def refused(server: TlsImap, security: str = "tls", pin: str = "") -> Problem:
    """The problem that keeps crmmail from signing in; nothing secret has reached the server."""
    with pytest.raises(Problem) as raised:
        check(login(server, security, pin))
    assert PASSWORD not in str(raised.value) + raised.value.hint
    for line in server.heard:
        assert PASSWORD not in line
        assert not {"LOGIN", "AUTHENTICATE"} & set(line.upper().split())
    return raised.value


def test_a_certificate_of_a_known_authority_is_enough(authority: trustme.CA) -> None:
    with TlsImap(authority.issue_cert("localhost")) as server:
        [inbox] = check(login(server))
        assert inbox.messages == 7
        assert any(PASSWORD in line for line in server.secret)
        assert server.clear == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_host_is_refused(authority: trustme.CA, security: str) -> None:
    other = authority.issue_cert("imap.elsewhere.example")
    with TlsImap(other, implicit=security == "tls") as server:
        problem = refused(server, security)
    assert isinstance(problem, Unsafe)
    assert not isinstance(problem, Untrusted)  # nobody may pin another's certificate by a key
    assert "not valid for 'localhost'" in str(problem)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_expired_certificate_is_refused(authority: trustme.CA, security: str) -> None:
    then = dt.datetime.now(dt.UTC)
    expired = authority.issue_cert(
        "localhost",
        not_before=then - dt.timedelta(days=9),
        not_after=then - dt.timedelta(days=1),
    )
    with TlsImap(expired, implicit=security == "tls") as server:
        problem = refused(server, security)
    assert "expired" in str(problem)
    assert "clock" in problem.hint


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_that_nobody_vouches_for_is_pinned_and_then_known(
    alone: trustme.LeafCert, security: str
) -> None:
    with TlsImap(alone, implicit=security == "tls") as server:
        problem = refused(server, security)
        assert isinstance(problem, Untrusted)
        assert problem.fingerprint == fingerprint(alone)
        assert not problem.changed
        assert fingerprint(alone)[:4].upper() == str(problem).split("SHA-256 ")[1][:5].replace(
            ":", ""
        )
        [inbox] = check(login(server, security, problem.fingerprint))
        assert inbox.messages == 7
        assert not any(PASSWORD in line for line in server.clear)


_DAY = dt.timedelta(days=1)


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("pin", ["", "0a" * 32], ids=["unknown", "changed"])
@pytest.mark.parametrize(
    ("name", "begins", "ends", "said"),
    [
        ("localhost", -9, -1, "This certificate has expired."),
        ("localhost", 1, 9, "This certificate is not valid yet: check this machine's clock."),
        ("imap.elsewhere.example", -9, 9, "This certificate is for another host name."),
        (
            "imap.elsewhere.example",
            -9,
            -1,
            "This certificate is for another host name. This certificate has expired.",
        ),
        ("localhost", -9, 9, ""),
    ],
    ids=["expired", "not yet", "another name", "another name and expired", "good"],
)
def test_before_a_certificate_is_pinned_its_dates_and_its_name_are_looked_at(
    security: str, pin: str, name: str, begins: int, ends: int, said: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    shown = trustme.CA().issue_cert(
        name, not_before=now + begins * _DAY, not_after=now + ends * _DAY
    )
    with TlsImap(shown, implicit=security == "tls") as server:
        problem = refused(server, security, pin)
    assert isinstance(problem, Untrusted)
    assert problem.flaws == said
    assert str(problem).endswith(f"{pairs(fingerprint(shown))}. {said}".rstrip())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_another_certificate_than_the_pinned_one_is_refused(
    authority: trustme.CA, alone: trustme.LeafCert, security: str
) -> None:
    """Even one that an authority vouches for: whoever pins trusts no authority."""
    new = authority.issue_cert("localhost")
    with TlsImap(new, implicit=security == "tls") as server:
        problem = refused(server, security, fingerprint(alone))
    assert isinstance(problem, Untrusted)
    assert problem.changed
    assert problem.fingerprint == fingerprint(new)
    assert "another certificate than the one you trusted" in str(problem)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_protocol_is_refused(authority: trustme.CA) -> None:
    import ssl

    with TlsImap(authority.issue_cert("localhost")) as server:
        server._context.minimum_version = ssl.TLSVersion.TLSv1
        server._context.maximum_version = ssl.TLSVersion.TLSv1_1
        assert "does not speak TLS on port" in str(refused(server))
        assert "does not speak TLS on port" in str(refused(server, pin="0" * 64))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"starttls": None}, "does not offer STARTTLS"),
        ({"starttls": b"NO not today"}, "does not do it"),
        ({"starttls": b"BAD what"}, "does not do it"),
        ({"greeting": b"* PREAUTH welcome back\r\n"}, "signed in already"),
        ({"greeting": b"* BYE full\r\n"}, ""),
        ({"greeting": b"220 smtp.example ESMTP\r\n"}, ""),
        ({"greeting": b"\x00\xff\x16garbage\r\n"}, ""),
    ],
    ids=["missing", "refused", "unknown", "preauth", "bye", "other protocol", "garbage"],
)
def test_without_encryption_nothing_is_said(
    authority: trustme.CA, options: dict[str, bytes], said: str
) -> None:
    server = TlsImap(authority.issue_cert("localhost"), implicit=False, **options)  # type: ignore[arg-type]
    with server:
        assert said in str(refused(server, "starttls"))
        assert server.secret == []


@pytest.mark.parametrize("greeting", [b"* PREAUTH hello\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"])
def test_a_strange_greeting_ends_it_under_tls_too(authority: trustme.CA, greeting: bytes) -> None:
    with TlsImap(authority.issue_cert("localhost"), greeting=greeting) as server:
        refused(server)


def test_plain_text_where_tls_is_due_ends_it(authority: trustme.CA) -> None:
    with TlsImap(authority.issue_cert("localhost"), implicit=False) as server:
        assert "does not speak TLS on port" in str(refused(server))


def test_nothing_said_before_starttls_survives_it(authority: trustme.CA) -> None:
    """CVE-2020-14954 and its like: a stranger's lines around the OK are not the server's."""
    lie = b'* CAPABILITY IMAP4rev1 LIST-STATUS STRANGE\r\n* LIST () "/" Stranger\r\n* 99 EXISTS\r\n'
    lie += b"* STATUS INBOX (MESSAGES 99 UIDNEXT 100 UIDVALIDITY 1)\r\n"
    certificate = authority.issue_cert("localhost")
    with TlsImap(certificate, implicit=False, before=lie, after=lie) as server:
        [inbox] = check(login(server, "starttls"))
        assert (inbox.name, inbox.messages) == ("INBOX", 7)
        assert not any("RETURN" in line for line in server.secret)  # no LIST-STATUS was believed
        assert any(PASSWORD in line for line in server.secret)
        assert [line.split()[1] for line in server.clear] == ["CAPABILITY", "STARTTLS"]


def test_a_tagged_answer_sent_along_with_the_ok_is_no_answer(authority: trustme.CA) -> None:
    certificate = authority.issue_cert("localhost")
    after = b"".join(f"X{n} OK [CAPABILITY IMAP4rev1] in\r\n".encode() for n in range(99))
    with TlsImap(certificate, implicit=False, after=after) as server:
        [inbox] = check(login(server, "starttls"))
        assert inbox.messages == 7


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_dovecot_is_pinned_renewed_refused_and_pinned_again(
    store: Store, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_MAIL", PASSWORD)
    with Dovecot(tls=security) as server:
        server.add_user("me@home.example", PASSWORD)
        with pytest.raises(Untrusted) as raised:
            check(login(server, security))
        first = raised.value.fingerprint
        accounts.add(
            store, "me@home.example", host="localhost", port=server.port, security=security,
            secret="env:MY_MAIL", pin=first,
        )  # fmt: skip
        assert sync_once(store)[0].errors == []
        assert server.logins() == ["me@home.example"]
    # Not the same one anew: Dovecot's log may stay silent when it is started again at once.
    with Dovecot(tls=security, port=server.port) as renewed:
        renewed.add_user("me@home.example", PASSWORD)
        [error] = sync_once(store)[0].errors
        assert "another certificate than the one you trusted" in error
        [state] = accounts.states(store.read())
        assert "somebody may be in between" in state.hint
        assert renewed.logins() == []
        with pytest.raises(Untrusted) as raised:
            check(login(renewed, security))
        accounts.set_login(store, "me@home.example", pin=raised.value.fingerprint)
        assert accounts.states(store.read())[0].error == ""
        assert sync_once(store)[0].errors == []
        assert renewed.logins() == ["me@home.example"]


@pytest.mark.parametrize(
    "typed",
    ["AB" * 32, ":".join(["ab"] * 32), "sha256 Fingerprint=" + ":".join(["AB"] * 32) + "\n"],
)
def test_a_fingerprint_is_read_as_openssl_prints_it(typed: str) -> None:
    assert tls.read_pin(typed) == "ab" * 32


@pytest.mark.parametrize("typed", ["ab", "zz" * 32, "ab" * 20, "ab" * 33])
def test_what_is_no_fingerprint(typed: str) -> None:
    with pytest.raises(CrmmailError, match="not a SHA-256 fingerprint"):
        tls.read_pin(typed)
