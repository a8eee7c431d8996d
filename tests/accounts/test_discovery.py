"""From an address alone to its mail server: every source on a local server; liars; silence."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from crmmail.accounts import autoconfig, discovery, provider_table, providers, web
from crmmail.accounts.discovery import Found, Network
from tests.net import Names, Web, refuse
from tests.patience import PATIENCE

ANN = "ann@acme.example"
NOWHERE = "http://127.0.0.1:1/{domain}"


def xml(
    host: str = "mail.acme.example",
    port: str = "993",
    security: str = "SSL",
    user: str = "%EMAILADDRESS%",
    method: str = "password-cleartext",
) -> bytes:
    """An autoconfig file with one IMAP server."""
    return f"""<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">
    <displayName>Acme Mail</displayName><displayShortName>Acme</displayShortName>
    <incomingServer type="pop3"><hostname>pop.acme.example</hostname><port>995</port>
      <socketType>SSL</socketType><username>x</username></incomingServer>
    <incomingServer type="imap"><hostname>{host}</hostname><port>{port}</port>
      <socketType>{security}</socketType><username>{user}</username>
      <authentication>{method}</authentication></incomingServer>
    </emailProvider></clientConfig>""".encode()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web server that proves who it is."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Web(certificate=authority.issue_cert("localhost")) as server:
        yield server


@pytest.fixture
def names() -> Iterator[Names]:
    with Names({}) as server:
        yield server


def around(names: Names, **more: object) -> Network:
    """A network of the test's servers only."""
    nowhere = Network((NOWHERE,), NOWHERE, (NOWHERE,), names.resolver, refuse)
    return replace(nowhere, **more)  # type: ignore[arg-type]


def best(network: Network, email: str = ANN) -> Found | None:
    return next(reversed(list(discovery.find(email, network))), None)


def server(found: Found | None) -> tuple[str, int, str]:
    assert found is not None
    return found.provider.host, found.provider.port, found.provider.security


def test_a_big_provider_is_known_without_a_question(names: Names) -> None:
    found = best(around(names), "ann@gmail.com")
    assert server(found) == ("imap.gmail.com", 993, "tls")
    assert found
    assert (found.username, found.sure) == ("ann@gmail.com", True)
    assert names.asked == []


def test_the_domain_says_it_itself(secure: Web, names: Names) -> None:
    secure.pages["/acme.example/mail/config-v1.1.xml"] = xml(user="%EMAILLOCALPART%")
    own = f"{secure.url}/{{domain}}/mail/config-v1.1.xml?emailaddress={{email}}"
    found = best(around(names, autoconfig=(NOWHERE, own)))
    assert server(found) == ("mail.acme.example", 993, "tls")
    assert found == Found(found.provider, "ann", "in the settings of acme.example", sure=True)
    assert found.provider.name == "Acme"
    assert secure.asked == ["/acme.example/mail/config-v1.1.xml?emailaddress=ann%40acme.example"]


def test_thunderbirds_list_hears_the_domain_and_not_the_address(secure: Web, names: Names) -> None:
    secure.pages["/v1.1/acme.example"] = xml("imap.bighost.example")
    found = best(around(names, ispdb=f"{secure.url}/v1.1/{{domain}}"))
    assert server(found) == ("imap.bighost.example", 993, "tls")
    assert found
    assert found.sure
    assert not any("ann" in path for path in secure.asked)


def test_a_web_server_that_does_not_prove_its_name_is_not_heard(
    names: Names, authority: trustme.CA
) -> None:
    with Web({"/acme.example": xml()}, authority.issue_cert("localhost")) as stranger:
        assert best(around(names, autoconfig=(f"{stranger.url}/{{domain}}",))) is None
        assert stranger.asked == []


def test_a_redirect_from_https_to_http_is_not_followed(secure: Web, names: Names) -> None:
    with Web({"/real": xml("imap.evil.example")}) as plain:
        secure.pages["/acme.example"] = plain.url.replace("localhost", "127.0.0.2") + "/real"
        assert best(around(names, autoconfig=(f"{secure.url}/{{domain}}",))) is None
        assert plain.asked == []


@pytest.mark.parametrize(
    ("target", "sure"), [("imap.acme.example", True), ("imap.elsewhere.example", False)]
)
def test_srv_records_lead_there_and_to_strangers_only_when_confirmed(
    target: str, sure: bool
) -> None:
    records = {
        ("SRV", "_imaps._tcp.acme.example."): [
            "20 0 993 spare.acme.example.", f"10 5 1993 {target}.", "10 1 993 small.acme.example.",
        ],
        ("SRV", "_imap._tcp.acme.example."): ["0 0 143 old.acme.example."],
    }  # fmt: skip
    with Names(records) as names:
        found = best(around(names))
    assert server(found) == (target, 1993, "tls")
    assert found
    assert found.sure is sure
    assert found.origin == "in the DNS of acme.example"


def test_srv_with_starttls_only() -> None:
    records = {
        ("SRV", "_imaps._tcp.acme.example."): ["0 0 0 ."],
        ("SRV", "_imap._tcp.acme.example."): ["0 0 143 mail.acme.example."],
    }
    with Names(records) as names:
        assert server(best(around(names))) == ("mail.acme.example", 143, "starttls")


@pytest.mark.parametrize(
    ("exchanger", "name"),
    [
        ("aspmx.l.google.com", "Google"),
        ("acme-example.mail.protection.outlook.com", "Microsoft"),
        ("in1-smtp.messagingengine.com", "Fastmail"),
        ("mx00.kundenserver.de", "IONOS"),
        ("smtp.rzone.de", "Strato"),
    ],
)
def test_who_takes_the_mail_in_gives_it_out(exchanger: str, name: str) -> None:
    records = {("MX", "acme.example."): [f"10 {exchanger}.", "50 backup.example."]}
    with Names(records) as names:
        found = best(around(names))
    assert found
    assert found.provider.name == name
    assert found.sure
    assert found.username == ANN
    assert name in found.origin


def test_a_small_provider_is_looked_up_by_its_exchanger_and_confirmed(secure: Web) -> None:
    secure.pages["/smallhost.example"] = xml("imap.smallhost.example")
    with Names({("MX", "acme.example."): ["10 mx1.smallhost.example."]}) as names:
        found = best(around(names, ispdb=f"{secure.url}/{{domain}}"))
    assert server(found) == ("imap.smallhost.example", 993, "tls")
    assert found
    assert not found.sure


@pytest.mark.parametrize(
    ("host", "sure"), [("mail.acme.example", True), ("imap.evil.example", False)]
)
def test_what_came_unencrypted_is_a_suggestion(names: Names, host: str, sure: bool) -> None:
    with Web({"/acme.example": xml(host)}) as plain:
        found = best(around(names, unencrypted=(f"{plain.url}/{{domain}}",)))
    assert server(found) == (host, 993, "tls")
    assert found
    assert found.sure is sure
    assert "others can change" in found.origin


def test_guesses_are_the_usual_names_that_answer(names: Names) -> None:
    tried: list[tuple[str, int]] = []
    all_at_once = threading.Barrier(5, timeout=PATIENCE)
    listener = socket.create_server(("127.0.0.1", 0))

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address)
        all_at_once.wait()
        if address[0] == "imap.acme.example":
            raise ConnectionRefusedError
        return socket.create_connection(listener.getsockname(), timeout)

    with listener:
        found = best(around(names, connect=connect))
    assert server(found) == ("mail.acme.example", 993, "tls")
    assert found
    assert found.origin == "by its name, a guess"
    assert ("imap.acme.example", 143) in tried
    assert len(tried) == 5


def test_answers_come_as_they_are_found_and_the_best_one_last(secure: Web) -> None:
    secure.pages["/acme.example"] = xml("best.acme.example")
    records = {("SRV", "_imaps._tcp.acme.example."): ["0 0 993 good.acme.example."]}
    with Names(records) as names:
        network = around(names, autoconfig=(f"{secure.url}/{{domain}}",))
        found = list(discovery.find(ANN, network))
    assert found[-1].provider.host == "best.acme.example"
    hosts = [one.provider.host for one in found]
    assert hosts in (["best.acme.example"], ["good.acme.example", "best.acme.example"])


def test_silence_ends_with_the_time_limit_and_what_there_is_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = 0.0
    monkeypatch.setattr(
        discovery, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + late)
    )
    mute = socket.create_server(("127.0.0.1", 0))
    records: dict[tuple[str, str], list[str] | None] = {
        ("SRV", "_imaps._tcp.acme.example."): ["0 0 993 good.acme.example."],
        ("MX", "acme.example."): None,
    }
    with mute, Names(records) as names:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}/{{domain}}"
        answers = discovery.find(ANN, around(names, autoconfig=(url,), ispdb=url))
        found = next(answers)
        late = PATIENCE
        assert list(answers) == []
    assert server(found) == ("good.acme.example", 993, "tls")


def test_nothing_is_found_where_nothing_is(names: Names) -> None:
    assert best(around(names)) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>It works!",
        b"<?xml version='1.0' encoding='utf-99'?><clientConfig/>",
        b"\xff\xfe\x00garbage",
        b"<clientConfig/>",
        xml("a b"),
        xml("imap.acme.example/../x"),
        xml("me@imap.acme.example"),
        xml(port="0"),
        xml(port="99999"),
        xml(port="９９３"),
        xml(security="plain"),
        xml(security=""),
        b'<!DOCTYPE x [<!ENTITY a "imap.acme.example">]>' + xml("&a;").partition(b"?>")[2],
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xml("&a;").partition(b"?>")[2],
        b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><l>&b;</l>',
    ],
)
def test_a_file_that_is_no_use_is_no_harm(content: bytes) -> None:
    assert autoconfig.imap_server(content, ANN) is None


def test_what_a_file_says_is_made_safe() -> None:
    found = autoconfig.imap_server(xml(user="x\x9b2J%EMAILLOCALPART%\u202e"), ANN)
    assert found is not None
    assert found[1] == "x2Jann"


def test_tls_goes_before_starttls_whatever_the_order() -> None:
    both = xml(security="STARTTLS", port="143").replace(
        b"</emailProvider>", xml().partition(b"<emailProvider")[2].partition(b">")[2]
    )
    both = both[: both.index(b"</emailProvider>") + len(b"</emailProvider>")] + b"</clientConfig>"
    found = autoconfig.imap_server(both, ANN)
    assert found is not None
    assert (found[0].port, found[0].security) == (993, "tls")


def test_a_file_may_lead_to_a_provider_that_we_know() -> None:
    found = autoconfig.imap_server(xml("outlook.office365.com", method="OAuth2"), ANN)
    assert found is not None
    assert (found[0].oauth, found[0].oauth_only) == ("microsoft", True)
    found = autoconfig.imap_server(xml("imap.gmail.com"), ANN)
    assert found is not None
    assert "app password" in found[0].note


def test_an_endless_answer_is_cut(secure: Web) -> None:
    secure.pages["/long"] = b"x" * (web.LIMIT + 1)
    secure.pages["/most"] = b"x" * web.LIMIT
    assert len(web.fetch(f"{secure.url}/most")) == web.LIMIT
    with pytest.raises(web.WebError, match="longer answer"):
        web.fetch(f"{secure.url}/long")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_only_the_web_is_fetched(url: str) -> None:
    with pytest.raises(web.WebError, match="no address on the web"):
        web.fetch(url)


def test_a_form_goes_over_a_private_line_only_and_is_not_sent_on(secure: Web) -> None:
    with pytest.raises(web.WebError, match="nothing was sent"):
        web.post("http://example.org/token", {"secret": "x"})
    secure.pages |= {"/moved": f"{secure.url}/token", "/token": b'{"ok": 1}', "/odd": b"[]"}
    assert web.post(f"{secure.url}/token", {"a": "b"}) == {"ok": 1}
    with pytest.raises(web.WebError):
        web.post(f"{secure.url}/moved", {"a": "b"})
    with pytest.raises(web.WebError, match="cannot be used"):
        web.post(f"{secure.url}/odd", {"a": "b"})


def test_every_provider_is_complete() -> None:
    table = provider_table.BY_DOMAIN
    assert len({row.name for row in table.values()} | {"Strato", "Gandi", "GoDaddy"}) >= 40
    for domain, found in table.items():
        assert providers.known(f"x@{domain}") is found
        assert found.port in (993, 1143)
        assert not found.oauth_only or found.oauth
        if found.host:
            assert autoconfig.is_host(found.host)
            assert providers.by_server(found.host) or found.name == "Proton"
        else:
            assert "no IMAP" in found.note
    assert providers.known("x@work.example") is None
    assert "apppasswords" in providers.advice("ann@acme.example", "imap.gmail.com")
    assert providers.advice(ANN, "mail.acme.example") == ""
