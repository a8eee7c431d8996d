"""Signing in with tokens in place of a password (OAuth 2; RFC 6749, 7636, 8252, 8628).

The refresh token is in the system keyring; the tokens made from it stay in memory. An account's
reference is "oauth:NAME", NAME being one of `issuers.issuer()`.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from crmmail import secrecy, settings
from crmmail.accounts import credentials, web
from crmmail.accounts.issuers import Issuer, OAuthError, issuer
from crmmail.accounts.loopback import Catcher
from crmmail.text import one_line

OAUTH = credentials.OAUTH
_EARLY = 60  # seconds before its end at which a token is renewed
_GRACE = 300.0  # seconds that a person has in the browser
_SECRET = ("client_secret", "code", "code_verifier", "device_code", "refresh_token")
"""What of a form nobody may read."""
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Revoked(OAuthError):
    """The user, or the provider, has taken the permission back."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gives out."""

    access: str = field(repr=False)
    expires_at: float
    refresh: str = field(repr=False)


_cache: dict[str, Tokens] = {}
_waiting = threading.Lock()


def token(account: credentials.HasSecret, *, anew: bool = False) -> str:
    """A token that is good now; `anew` when the server did not like the last one.

    One refresh at a time, whichever thread or process asks. Raises Revoked when a person is needed.
    """
    seen = _cache.get(account.email)
    if seen is not None and not anew and _fresh(seen):
        return seen.access
    with _alone():
        now = _cache.get(account.email)
        if now is not None and now is not seen and _fresh(now):
            return now.access  # another thread was faster
        kept = credentials.from_keyring(entry(account.email), account.email)
        source = issuer(account.secret.removeprefix(OAUTH))
        tokens = _refreshed(source, kept)
        if tokens.refresh != kept:
            credentials.keep(entry(account.email), tokens.refresh)
        _cache[account.email] = tokens
        return tokens.access


def hold(email: str, tokens: Tokens) -> None:
    """Use a sign-in in this process, before it is known whether it is to be kept."""
    _cache[email] = tokens


def keep(email: str) -> None:
    """Put the sign-in that is held into the keyring."""
    with _alone():
        credentials.keep(entry(email), _cache[email].refresh)


def forget(email: str) -> None:
    """Take a sign-in out of the keyring; one that is being renewed is taken out afterwards."""
    with _alone():
        _cache.pop(email, None)
        credentials.forget(entry(email), credentials.KEYRING)


def in_browser(
    source: Issuer,
    email: str,
    show: Callable[[str], object],
    cancelled: threading.Event | None = None,
    seconds: float = _GRACE,
) -> Tokens:
    """Sign in in a browser on this machine. `show` is given the address to open."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)

    def ours(found: dict[str, str]) -> bool:
        return found.get("state") == state

    with Catcher(ours, source.redirect_host) as catcher:
        query = {
            "client_id": source.client_id,
            "response_type": "code",
            "redirect_uri": catcher.url,
            "scope": source.scope,
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "login_hint": email,
            **source.extra,
        }
        show(f"{source.authorize_url}?{urlencode(query)}")
        answer = catcher.wait(seconds, cancelled)
    if "code" not in answer:
        raise OAuthError(f"{source.title} did not let crmmail in: {_said(answer)}.")
    form = {"grant_type": "authorization_code", "code": answer["code"]}
    form |= {"redirect_uri": catcher.url, "code_verifier": verifier}
    return _tokens(source, _asked(source, form))


def on_device(
    source: Issuer,
    show: Callable[[str, str], object],
    cancelled: threading.Event | None = None,
) -> Tokens:
    """Sign in on any device. `show` is given an address and the code to type there."""
    if not source.device_url:
        raise OAuthError(
            f"{source.title} lets no mail program in by a code.", "Sign in in the browser instead."
        )
    form = {"client_id": source.client_id, "scope": source.scope}
    begun = web.post(source.device_url, form)
    if "device_code" not in begun:
        raise OAuthError(f"{source.title} gave no code: {_said(begun)}.")
    show(
        one_line(str(begun.get("verification_uri") or begun.get("verification_url"))),
        one_line(str(begun.get("user_code"))),
    )
    pause = max(float(begun.get("interval", 5)), 0.1)
    end = time.monotonic() + float(begun.get("expires_in", _GRACE))
    stop = cancelled or threading.Event()
    while time.monotonic() < end and not stop.wait(pause):
        answer = _asked(source, {"grant_type": _DEVICE, "device_code": str(begun["device_code"])})
        if answer.get("error") == "slow_down":
            pause += 5
        elif answer.get("error") != "authorization_pending":
            return _tokens(source, answer)
    raise OAuthError("Nobody signed in in time.", "Try again.")


def _refreshed(source: Issuer, refresh: str) -> Tokens:
    answer = _asked(source, {"grant_type": "refresh_token", "refresh_token": refresh})
    if answer.get("error") in ("invalid_grant", "interaction_required", "consent_required"):
        raise Revoked(
            f"{source.title} does not let crmmail in any more: {_said(answer)}.",
            "The permission was taken back, or has ended.",
        )
    return _tokens(source, answer, refresh)


def _asked(source: Issuer, form: Mapping[str, str]) -> dict[str, Any]:
    who = {"client_id": source.client_id, "scope": source.scope}
    if source.client_secret:
        who["client_secret"] = source.client_secret
    secrecy.remember(*(value for name, value in (who | {**form}).items() if name in _SECRET))
    return web.post(source.token_url, {**who, **form})


def _tokens(source: Issuer, answer: Mapping[str, Any], refresh: str = "") -> Tokens:
    access = answer.get("access_token")
    refresh = str(answer.get("refresh_token") or refresh)
    secrecy.remember(str(access or ""), refresh)
    if not isinstance(access, str) or any(c <= " " or c > "~" for c in access):
        raise OAuthError(f"{source.title} gave no token: {_said(answer)}.")
    if not refresh:
        raise OAuthError(
            f"{source.title} let crmmail in, but for an hour only.",
            "Its scope must allow refresh tokens (offline_access).",
        )
    try:
        lasts = float(answer.get("expires_in") or 3600)
    except (TypeError, ValueError):
        lasts = 3600
    return Tokens(access, time.time() + lasts, refresh)


def _fresh(tokens: Tokens) -> bool:
    return time.time() < tokens.expires_at - _EARLY


def _said(answer: Mapping[str, Any]) -> str:
    words = answer.get("error_description") or answer.get("error") or "no reason given"
    return one_line(secrecy.redacted(str(words)[:4_000]), 200).rstrip(".")


def entry(email: str) -> str:
    """The name by which the keyring keeps the refresh token of an account."""
    return f"oauth {email}"


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time in this process, and among all of this user's processes."""
    with _waiting:
        lock = os.open(settings.data_dir() / "oauth.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
