"""A scripted IMAP server with TLS: wrong certificates, STARTTLS gone wrong, and what it heard.

    with TlsImap(authority.issue_cert("localhost")) as server:

`clear` has the lines that came before the encryption, `secret` those after it; whoever asks for
them waits for the end of all clients, who must have gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import BinaryIO, Self

import trustme

from tests.patience import PATIENCE

_ANSWERS = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1{starttls}\r\n",
    "LIST": '* LIST (\\HasNoChildren) "/" INBOX\r\n',
    "STATUS": "* STATUS INBOX (MESSAGES 7 UIDNEXT 8 UIDVALIDITY 1)\r\n",
    "LOGOUT": "* BYE gone\r\n",
}


def fingerprint(certificate: trustme.LeafCert) -> str:
    """The SHA-256 of a server's certificate."""
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    return hashlib.sha256(der).hexdigest()


@dataclass
class TlsImap:
    """A server on a free loopback port; a context manager.

    `implicit`: TLS from the first byte. Else STARTTLS is announced where `starttls` has its
    answer, and the bytes in `before` and `after` go out in the clear with it.
    """

    certificate: trustme.LeafCert
    implicit: bool = True
    greeting: bytes = b"* OK ready\r\n"
    starttls: bytes | None = b"OK begin"
    before: bytes = b""
    after: bytes = b""
    host: str = "localhost"

    def __post_init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.configure_cert(self._context)
        self._clear: list[str] = []
        self._secret: list[str] = []
        self._talks: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def clear(self) -> list[str]:
        """The lines that came in the clear."""
        self._ended()
        return self._clear

    @property
    def secret(self) -> list[str]:
        """The lines that came encrypted."""
        self._ended()
        return self._secret

    @property
    def heard(self) -> list[str]:
        """Every line that came, in the clear or not."""
        return [*self.clear, *self.secret]

    def _ended(self) -> None:
        for talk in self._talks:
            talk.join(PATIENCE)
            assert not talk.is_alive(), "a client has not gone"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._talks.append(threading.current_thread())
        with contextlib.suppress(OSError), client:
            if self.implicit:
                client = self._context.wrap_socket(client, server_side=True)
            client.sendall(self.greeting)
            with client, client.makefile("rb") as lines:
                if self._talk(client, lines):
                    wrapped = self._context.wrap_socket(client, server_side=True)
                    with wrapped, wrapped.makefile("rb") as hidden:
                        self._talk(wrapped, hidden)

    def _talk(self, client: socket.socket, lines: BinaryIO) -> bool:
        """Answer until the client leaves; True when it wants to go on encrypted."""
        encrypted = isinstance(client, ssl.SSLSocket)
        while line := lines.readline().decode("utf-8", "replace").strip():
            (self._secret if encrypted else self._clear).append(line)
            tag, _, rest = line.partition(" ")
            name = rest.partition(" ")[0].upper()
            if name == "STARTTLS":
                answer = self.starttls or b"BAD unknown"
                client.sendall(self.before + f"{tag} ".encode() + answer + b"\r\n" + self.after)
                return answer.startswith(b"OK")
            offered = not encrypted and self.starttls is not None
            said = _ANSWERS.get(name, "").format(starttls=" STARTTLS" if offered else "")
            client.sendall(f"{said}{tag} OK done\r\n".encode())
        return False
