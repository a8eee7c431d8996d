"""A proxy before a server that keeps every byte of both directions: what was really said."""

from __future__ import annotations

import socket
import threading
from typing import Protocol, Self

from tests.servers import HOST, free_port


class Upstream(Protocol):
    """Where a server listens, in the clear."""

    host: str
    port: int


class Recorder:
    """`with Recorder(server) as wire:` listens on `wire.port`; `asked` and `answered` grow."""

    def __init__(self, upstream: Upstream) -> None:
        self.host, self.port = HOST, free_port()
        self.asked, self.answered = bytearray(), bytearray()
        self._upstream = upstream
        self._listener = socket.create_server((HOST, self.port))

    def forget(self) -> None:
        """Begin anew."""
        self.asked.clear()
        self.answered.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((self._upstream.host, self._upstream.port))
            for source, sink, kept in (
                (client, server, self.asked),
                (server, client, self.answered),
            ):
                threading.Thread(target=_pass_on, args=(source, sink, kept), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    try:
        while data := source.recv(65_536):
            kept += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()
