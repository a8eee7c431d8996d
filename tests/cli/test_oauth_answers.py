"""Signing in with tokens: what authorization servers that lie or refuse answer."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from crmmail import secrecy
from crmmail.accounts import oauth
from crmmail.accounts.issuers import Issuer, OAuthError
from crmmail.errors import CrmmailError
from tests.cli.test_oauth import ME
from tests.net import Web
from tests.patience import PATIENCE


def made_up(web: Web) -> Issuer:
    return Issuer(
        "made-up", "Made-up", f"{web.url}/authorize", f"{web.url}/token", "mail",
        f"{web.url}/device", "crmmail",
    )  # fmt: skip


def test_what_comes_with_another_state_is_not_heard() -> None:
    """A page in the browser cannot sign the user in to somebody else's mailbox."""
    with Web({"/token": b'{"access_token": "a", "refresh_token": "r"}'}) as web:

        def show(url: str) -> None:
            back = parse_qs(urlsplit(url).query)["redirect_uri"][0]
            state = parse_qs(urlsplit(url).query)["state"][0]
            for strange in ("?code=evil&state=guessed", "?code=evil", "?error=no&state=guessed"):
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(f"{back}{strange}")
                assert refused.value.code == 400
                assert "This is not the answer crmmail waits for" in refused.value.read().decode()
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{back}favicon.ico")
            urllib.request.urlopen(f"{back}?code=good&state={state}").close()

        tokens = oauth.in_browser(made_up(web), ME, show, seconds=PATIENCE)
        assert tokens.access == "a"
        assert web.asked == ["/token"]
        [form] = web.sent
        assert parse_qs(form.decode())["code"] == ["good"]


@pytest.mark.parametrize(
    ("brought", "said"),
    [
        ("code=good", "Go back to crmmail for the result"),
        ("error=access_denied", "The sign-in did not work. Go back to crmmail: it says why"),
    ],
)
def test_the_page_in_the_browser_does_not_say_that_one_is_signed_in(
    brought: str, said: str
) -> None:
    """When it is shown, the code is not exchanged yet; here the token address gives nothing."""
    pages = []
    with Web() as web:

        def show(url: str) -> None:
            query = parse_qs(urlsplit(url).query)
            back, state = query["redirect_uri"][0], query["state"][0]
            with urllib.request.urlopen(f"{back}?{brought}&state={state}") as answer:
                pages.append(answer.read().decode())

        with pytest.raises(CrmmailError):
            oauth.in_browser(made_up(web), ME, show, seconds=PATIENCE)
    [page] = pages
    assert said in page
    assert "signed in" not in page


def test_a_browser_that_goes_before_it_is_answered_has_brought_the_code() -> None:
    with Web({"/token": b'{"access_token": "a", "refresh_token": "r"}'}) as web:

        def show(url: str) -> None:
            query = parse_qs(urlsplit(url).query)
            port, state = urlsplit(query["redirect_uri"][0]).port, query["state"][0]
            with socket.create_connection(("127.0.0.1", port)) as browser:
                browser.sendall(f"GET /?code=good&state={state} HTTP/1.0\r\n\r\n".encode())

        assert oauth.in_browser(made_up(web), ME, show, seconds=PATIENCE).access == "a"
        [form] = web.sent
        assert parse_qs(form.decode())["code"] == ["good"]


def test_a_user_who_says_no() -> None:
    with Web() as web:

        def show(url: str) -> None:
            query = parse_qs(urlsplit(url).query)
            back, state = query["redirect_uri"][0], query["state"][0]
            urllib.request.urlopen(
                f"{back}?error=access_denied&error_description=No\x1b[2J%0Athanks&state={state}".replace(
                    "\x1b", "%1b"
                )
            ).close()

        with pytest.raises(OAuthError, match=r"did not let crmmail in: No\[2J thanks\.$"):
            oauth.in_browser(made_up(web), ME, show, seconds=PATIENCE)


def test_nobody_comes_back_or_it_is_given_up() -> None:
    with Web() as web:
        with pytest.raises(OAuthError, match="Nobody signed in"):
            oauth.in_browser(made_up(web), ME, lambda _url: None, seconds=0.2)
        stop = threading.Event()
        stop.set()
        with pytest.raises(OAuthError, match="given up"):
            oauth.in_browser(made_up(web), ME, lambda _url: None, stop)


def device(web: Web, *answers: object) -> None:
    """Let the token address answer so, one after the other."""
    left = [json.dumps(one).encode() for one in answers]
    web.pages = _Answers(web.pages, left)  # type: ignore[assignment]


class _Answers(dict[str, object]):
    def __init__(self, pages: dict[str, object], left: list[bytes]) -> None:
        super().__init__(pages)
        self.left = left

    def get(self, path: str, default: object = None) -> object:
        return self.left.pop(0) if path == "/token" else super().get(path, default)


BEGUN = {
    "device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "https://example.org/device",
    "expires_in": 900, "interval": 0.01,
}  # fmt: skip


def test_with_a_code_on_another_device() -> None:
    shown: list[tuple[str, str]] = []
    with Web({"/device": json.dumps(BEGUN).encode()}) as web:
        device(
            web, {"error": "authorization_pending"}, {"error": "authorization_pending"},
            {"access_token": "a", "refresh_token": "r", "expires_in": "3599"},
        )  # fmt: skip
        tokens = oauth.on_device(made_up(web), lambda url, code: shown.append((url, code)))
    assert shown == [("https://example.org/device", "WDJB-MJHT")]
    assert (tokens.access, tokens.refresh) == ("a", "r")
    assert 3500 < tokens.expires_at - time.time() < 3600


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "access_denied", "error_description": "The user said no."}, "The user said no"),
        ({"error": "expired_token"}, "expired_token"),
        ({"access_token": "a b", "refresh_token": "r"}, "gave no token"),
        ({"access_token": "a\r\nA1 LOGOUT", "refresh_token": "r"}, "gave no token"),
        ({"access_token": "a"}, "for an hour only"),
        ({}, "no reason given"),
    ],
)
def test_an_answer_that_is_no_sign_in(answer: dict[str, str], said: str) -> None:
    with Web({"/device": json.dumps(BEGUN).encode()}) as web:
        device(web, answer)
        with pytest.raises(OAuthError, match=said):
            oauth.on_device(made_up(web), lambda *_: None)


@pytest.mark.parametrize("echo", [str, lambda s: base64.b64encode(s.encode()).decode(), quote])
@pytest.mark.parametrize("which", ["device_code", "client_secret"])
def test_no_secret_of_a_form_comes_back_in_an_error(which: str, echo: Callable[[str], str]) -> None:
    begun = {**BEGUN, "device_code": "d3v1ce/code+of=the app"}
    with Web({"/device": json.dumps(begun).encode()}) as web:
        source = replace(made_up(web), client_secret="cl13nt&secret=of mine")
        secret = {"device_code": begun["device_code"], "client_secret": source.client_secret}[which]
        said = f"bad {which}: {echo(str(secret))}"
        device(web, {"error": "invalid_request", "error_description": said})
        with pytest.raises(OAuthError, match=re.escape(secrecy.LEFT_OUT)) as caught:
            oauth.on_device(source, lambda *_: None)
    assert not secrecy.tells(f"{caught.value} {caught.value.hint}")


def test_no_token_comes_back_in_an_error() -> None:
    answer = {"access_token": "t0ken with a space", "error": "t0ken with a space is bad"}
    with Web({"/device": json.dumps(BEGUN).encode()}) as web:
        device(web, answer)
        with pytest.raises(OAuthError, match="gave no token") as caught:
            oauth.on_device(made_up(web), lambda *_: None)
    assert "t0ken" not in str(caught.value)
