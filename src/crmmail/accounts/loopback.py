"""A web server for one answer: where the browser comes back to after a sign-in (RFC 8252)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from crmmail.accounts.issuers import OAuthError

_PAGE = "<!doctype html><meta charset=utf-8><title>crmmail</title><p>{}</p>"
_TAKEN = "crmmail received the answer and continues the sign-in. Go back to crmmail for the result."
_DENIED = "The sign-in did not work. Go back to crmmail: it says why."
_STRANGE = "This is not the answer crmmail waits for. Nothing was done with it."


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of a browser that has gone: the app may have the terminal."""


class Catcher:
    """Listens on a free port of this machine only."""

    def __init__(self, ours: Callable[[dict[str, str]], bool], host: str = "127.0.0.1") -> None:
        """`ours` says whether a request is the answer to this sign-in."""
        self._ours = ours
        self._found: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://{host}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="crmmail-oauth", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float, cancelled: threading.Event | None) -> dict[str, str]:
        """What the browser brings back; what anybody else says to this port is not heard."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if cancelled is not None and cancelled.is_set():
                raise OAuthError("The sign-in was given up.")
            with suppress(queue.Empty):
                return self._found.get(timeout=0.1)
        raise OAuthError("Nobody signed in in the browser in time.", "Try again.")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        found, ours = self._found, self._ours

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                brought = dict(parse_qsl(asked.query))
                if asked.path != "/" or not brought.keys() & {"code", "error"}:
                    self.send_error(404)
                    return
                is_ours = ours(brought)
                words = _STRANGE
                if is_ours:
                    words = _TAKEN if "code" in brought else _DENIED
                try:
                    self._show(words, 200 if is_ours else 400)
                finally:  # the answer counts also where the browser has gone
                    if is_ours:
                        found.put(brought)

            def _show(self, words: str, status: int) -> None:
                page = _PAGE.format(words).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                """Say nothing: the query is a secret."""

        return Handler
