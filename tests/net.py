"""A DNS server and a web server on loopback that say what a test tells them to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import trustme


def refuse(*_: object) -> socket.socket:
    """Connect to nobody."""
    raise ConnectionRefusedError


@dataclass
class Names:
    """A name server: `records` maps ("SRV", "_imaps._tcp.acme.example.") to lists of records.

    What is not there does not exist; a list of None is never answered.
    """

    records: Mapping[tuple[str, str], list[str] | None] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server and no other."""
        found = dns.resolver.Resolver(configure=False)
        found.nameservers, found.port = ["127.0.0.1"], self._socket.getsockname()[1]
        return found

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, peer = self._socket.recvfrom(4096)
                if not wire:  # the socket was shut
                    return
                query = dns.message.from_wire(wire)
                [question] = query.question
                kind = dns.rdatatype.to_text(question.rdtype)
                key = (kind, question.name.to_text().lower())
                self.asked.append(key)
                texts = self.records.get(key, [])
                if texts is None:
                    continue
                answer = dns.message.make_response(query)
                answer.flags |= dns.flags.RA
                if texts:
                    answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
                else:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                self._socket.sendto(answer.to_wire(), peer)


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that have gone: a later test may look at what is said."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


class Web:
    """A web server, with TLS where it gets a certificate: bodies, or status codes, by path.

    A str is a redirect; a path that is not there is a 404. `asked` has the paths, `sent` the forms.
    """

    def __init__(
        self,
        pages: Mapping[str, bytes | str | int] | None = None,
        certificate: trustme.LeafCert | None = None,
    ) -> None:
        self.pages = dict(pages or {})
        self.asked: list[str] = []
        self.sent: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                # What is left unread when the connection is closed cuts the answer off.
                if length := int(self.headers.get("Content-Length") or 0):
                    outer.sent.append(self.rfile.read(length))
                page = outer.pages.get(self.path.partition("?")[0], 404)
                if isinstance(page, bytes):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(page)))
                    self.end_headers()
                    self.wfile.write(page)
                else:
                    self.send_response(302 if isinstance(page, str) else page)
                    self.send_header("Location", str(page))
                    self.end_headers()

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        self.url = f"{scheme}://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
