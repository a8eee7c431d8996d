"""Signing in to calendars: any password, and no answer brings it back in an error (S9)."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.net import QuietServer

from crmmail import secrecy
from crmmail.sync.dav import Dav, DavLogin, onward
from crmmail.sync.problems import BadAnswer, Problem, Refused

SECRET = "h7k-réception€"
ECHOES = {
    "as it is": SECRET,
    "wrongly decoded": SECRET.encode().decode("latin-1"),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 with the user": base64.b64encode(f"me:{SECRET}".encode()).decode(),
    "percent": "".join(f"%{byte:02x}" for byte in SECRET.encode()),
}


@contextmanager
def serving(status: int, reason: str, headers: dict[str, str], body: str) -> Iterator[Any]:
    """A server that asks for a password, then answers so; yields its address and what it saw."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PROPFIND(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known = self.headers.get("Authorization")
            if known is None:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
            else:
                seen.append(base64.b64decode(known.removeprefix("Basic ")).decode())
                self.send_response(status, reason.encode().decode("latin-1"))
                for name, value in headers.items():
                    self.send_header(name, value.encode().decode("latin-1"))
            content = body.encode() if known else b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("password", [SECRET, "plain", "日本語", 'a"b\\c d:7', " x "])
def test_any_password_goes_to_the_server_as_utf_8(password: str) -> None:
    body = "<d:multistatus xmlns:d='DAV:'/>"
    kind = {"Content-Type": "application/xml"}
    with serving(207, "Multi-Status", kind, body) as (url, seen):
        dav = Dav(DavLogin(url, "größe", password))
        dav.propfind(url, "d:displayname")
        dav.close()
    assert set(seen) == {f"größe:{password}"}


def test_a_password_that_is_not_unicode_is_refused_without_a_letter_of_it() -> None:
    with serving(207, "", {}, "") as (url, seen):
        dav = Dav(DavLogin(url, "me", "caf\udce9-7Q"))
        with pytest.raises(Refused, match="has a character that cannot be sent") as caught:
            dav.propfind(url, "d:displayname")
        dav.close()
    assert seen == []
    assert "udce9" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize(
    ("status", "place"),
    [(status, "reason") for status in (400, 401, 403, 404, 423, 500, 503)]
    + [(status, "body") for status in (200, 207, 401, 403, 500)]
    + [(302, "address"), (302, "scheme"), (207, "tag")],
)
def test_no_answer_brings_the_password_back(status: int, place: str, echo: str) -> None:
    headers = {"Content-Type": "application/xml"}
    reason, body = "No", ""
    if place == "reason":
        reason = f"me and {echo} are wrong"
    elif place == "body":
        body = f"<error>{echo}</error> {echo}"
    elif place == "tag":
        body = f"<d:multistatus xmlns:d='DAV:'><a{echo.replace('%', '').replace('=', '')}>"
    else:
        headers["Location"] = f"http://x.example/{echo}" if place == "address" else f"{echo}://x/"
    with serving(status, reason, headers, body) as (url, _):
        dav = Dav(DavLogin(url, "me", SECRET))
        with pytest.raises(Problem) as caught:
            dav.propfind(url, "d:displayname")
        dav.close()
    words = f"{caught.value} {caught.value.hint}"
    assert not secrecy.tells(words)
    assert echo not in words


@pytest.mark.parametrize(
    ("href", "leads_to"),
    [
        ("https://me:pw@cal.example.org/x", "https://cal.example.org/x"),
        ("https://me:p@w@cal.example.org/x?a=b@c#d", "https://cal.example.org/x?a=b@c#d"),
        (
            "https://cal.example.org?next=ann@evil.org/x",
            "https://cal.example.org?next=ann@evil.org/x",
        ),
        ("https://cal.example.org#ann@evil.org/x", "https://cal.example.org#ann@evil.org/x"),
        ("//me@cal.example.org/x", "https://cal.example.org/x"),
        ("/x@y/", "https://here.example/x@y/"),
    ],
)
def test_a_server_sends_on_to_the_host_that_it_names(href: str, leads_to: str) -> None:
    assert onward("https://here.example/dav/", href) == leads_to


@pytest.mark.parametrize("href", ["https://[cal/", "https://cal.example.org:port/", "//[::1/x"])
def test_an_address_of_a_server_that_cannot_be_read_is_its_fault(href: str) -> None:
    with pytest.raises(BadAnswer, match="gives an address that cannot be read"):
        onward("https://here.example/dav/", href)
