"""The demo's calendar server and clients that do not behave."""

from __future__ import annotations

import http.client
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

from crmmail.demo.calendar_server import CalendarServer
from tests.patience import PATIENCE


def test_a_client_that_says_nothing_keeps_neither_others_nor_the_end_waiting(
    tmp_path: Path,
) -> None:
    server = CalendarServer(tmp_path, "ann", "secret", dict)
    ending = threading.Thread(target=server.__exit__, daemon=True)
    address = urlsplit(server.url)
    assert address.hostname
    assert address.port
    with server, socket.create_connection((address.hostname, address.port)):
        other = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
        other.request("OPTIONS", "/")
        assert other.getresponse().status == 200
        other.close()
        with socket.create_connection((address.hostname, address.port)):
            ending.start()
            ending.join(PATIENCE)
            assert not ending.is_alive()
