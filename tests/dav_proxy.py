"""A proxy in front of a real CalDAV server, for what no real server does on demand.

It counts requests, answers some itself, alters answers, and cuts connections in the middle.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from tests.dav_servers import CalDav
from tests.net import QuietServer
from tests.patience import PATIENCE
from tests.servers import HOST

Scripted = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    depth: str
    body: bytes

    @property
    def kind(self) -> str:
        """The method, of a REPORT which one."""
        report = re.search(rb"<(?:\w+:)?(sync-collection|calendar-multiget)", self.body)
        return report[1].decode() if report else self.method


class DavProxy:
    """A context: a port of its own in front of a server; with `tls`, encrypted."""

    def __init__(self, server: CalDav, tls: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.answered: list[tuple[Request, int]] = []
        self.script: Callable[[Request], Scripted | None] = lambda _: None
        """Answers a request itself, or returns None."""
        self.ask: Callable[[Request], bytes] = lambda asked: asked.body
        """What the server is asked instead."""
        self.alter: Callable[[Request, bytes], bytes] = lambda _, body: body
        """What becomes of the server's answers."""
        self.cut_after: int | None = None
        """So many bytes of answers pass, then every connection is cut."""
        self.stall = threading.Event()
        """While it is set, nothing is answered."""
        self.waiting = 0
        """How many requests have stalled."""
        self._sent = 0
        self._counting = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._http = QuietServer((HOST, 0), Handler)
        self.port = self._http.server_address[1]
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}/"
        if tls:
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stall.clear()
        self._http.shutdown()
        self._http.server_close()

    def kinds(self) -> list[str]:
        """What was asked since the last time, in order, without the calls for a sign-in."""
        found = [asked.kind for asked, status in self.answered if status != 401]
        self.answered.clear()
        return found

    def allowed(self, body: bytes) -> tuple[bytes, bool]:
        """As much of an answer as may pass, and whether the connection is cut after it."""
        if self.cut_after is None:
            return body, False
        with self._counting:
            left = max(self.cut_after - self._sent, 0)
            self._sent += len(body)
        return body[:left], left < len(body)

    def stalled(self) -> None:
        """Count a request that gets no answer."""
        with self._counting:
            self.waiting += 1

    def mend(self) -> None:
        """Let everything pass again."""
        self.cut_after, self._sent = None, 0


class _Handler(BaseHTTPRequestHandler):
    owner: DavProxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Request(self.command, self.path, self.headers.get("Depth", ""), body)
        if self.owner.stall.is_set():
            self.owner.stalled()
            with contextlib.suppress(OSError):
                self.connection.recv(1)  # until the client gives up
            self.close_connection = True
            return
        status, headers, answer = self.owner.script(asked) or self._forwarded(asked)
        self.owner.answered.append((asked, status))
        part, cut = self.owner.allowed(answer)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(part)
        if cut:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _forwarded(self, asked: Request) -> Scripted:
        server = self.owner.server
        skipped = {"host", "accept-encoding", "connection", "content-length"}
        headers: dict[str, Any] = {
            name: value for name, value in self.headers.items() if name.lower() not in skipped
        }
        connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(asked.method, asked.path, self.owner.ask(asked) or None, headers)
            answer = connection.getresponse()
            body = self.owner.alter(asked, answer.read())
        kept = ("content-type", "www-authenticate", "location", "retry-after", "etag", "dav")
        return (
            answer.status,
            {name: value for name, value in answer.getheaders() if name.lower() in kept},
            body,
        )

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # whatever the method
            return self._pass_on
        raise AttributeError(name)
