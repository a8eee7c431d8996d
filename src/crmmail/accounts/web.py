"""Small requests over HTTP: bounded in size and time, verified, never from https down to http."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

import crmmail
from crmmail import secrecy
from crmmail.errors import CrmmailError
from crmmail.text import one_line

LIMIT = 256_000
"""Bytes of an answer that are read; longer ones are refused."""
SECONDS = 10.0
"""How long a request may take."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WebError(CrmmailError):
    """A request without a usable answer."""

    def __init__(self, message: str, status: int = 0, body: bytes = b"") -> None:
        super().__init__(message, "Check the network and try again.")
        self.status = status
        self.body = body


def fetch(url: str, seconds: float = 0) -> bytes:
    """What lies at an address; 0 seconds are as many as anything may take."""
    return _ask(urllib.request.Request(url), seconds or SECONDS)  # noqa: S310 - the scheme is checked below


def post(url: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object that a form is answered with, an error's too; only over a private line."""
    if not is_private(url):
        raise WebError(f"{url} is not encrypted: nothing was sent.")
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, data, {"Accept": "application/json"})  # noqa: S310 - its scheme is checked
    try:
        body = _ask(request, SECONDS)
    except WebError as problem:
        if not problem.body:
            raise
        body = problem.body
    try:
        found = json.loads(body)
    except ValueError as problem:
        raise WebError(f"{_host(url)} gave an answer that is no JSON.") from problem
    if not isinstance(found, dict):
        raise WebError(f"{_host(url)} gave an answer that cannot be used.")
    return found


def is_private(url: str) -> bool:
    """Whether nobody in between can read along: https, or this machine."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows what stays private; a form is never sent on."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.data is not None or (is_private(req.full_url) and not is_private(newurl)):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _ask(request: urllib.request.Request, seconds: float) -> bytes:
    if request.type not in ("http", "https"):
        raise WebError(f"{request.full_url} is no address on the web.")
    request.add_header("User-Agent", f"crmmail/{crmmail.__version__}")
    opener = urllib.request.build_opener(
        _Redirects, urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    host = _host(request.full_url)
    try:
        with opener.open(request, timeout=seconds) as answer:
            body: bytes = answer.read(LIMIT + 1)
    except urllib.error.HTTPError as problem:
        with problem:
            body = problem.read(LIMIT)
        raise WebError(f"{host} answers {problem.code}.", problem.code, body) from problem
    except urllib.error.URLError as problem:
        raise WebError(f"{host} cannot be reached: {_reason(problem.reason)}.") from problem
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise WebError(f"{host} cannot be reached: {_reason(problem)}.") from problem
    if len(body) > LIMIT:
        raise WebError(f"{host} gives a longer answer than this can be.")
    return body


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or url


def _reason(problem: object) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"it did not prove who it is ({problem.verify_message.rstrip('.')})"
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return one_line(secrecy.redacted(words), 200).rstrip(".") or type(problem).__name__
