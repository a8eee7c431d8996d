"""A proxy before a server that keeps every byte of both directions: what was really said."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Protocol, Self

from tests.patience import PATIENCE
from tests.servers import HOST


class Upstream(Protocol):
    """Where a server listens, in the clear."""

    host: str
    port: int


class Recorder:
    """`with Recorder(server) as wire:` listens on `wire.port`; `asked` and `answered` grow.

    After the block they are whole: the end of every client is waited for.
    """

    def __init__(self, upstream: Upstream) -> None:
        self.asked, self.answered = bytearray(), bytearray()
        self._upstream = upstream
        self._listener = socket.create_server((HOST, 0))
        self.host, self.port = self._listener.getsockname()
        self._ways: list[threading.Thread] = []

    def forget(self) -> None:
        """Begin anew."""
        self.asked.clear()
        self.answered.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts; to close it does not
        self._listener.close()
        for way in self._ways:
            way.join(PATIENCE)
            assert not way.is_alive(), "a client has not gone"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((self._upstream.host, self._upstream.port))
            except OSError:
                client.close()
                continue
            for source, sink, kept in (
                (client, server, self.asked),
                (server, client, self.answered),
            ):
                way = (source, sink, kept)
                threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        self._ways.append(threading.current_thread())
        try:
            while data := source.recv(65_536):
                kept += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()
