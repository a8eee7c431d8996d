"""A real CalDAV server in this process, on a free loopback port, holding the sample calendar.

Radicale, which comes with the extra `demo`. It is loaded with the first request, so that the
demo's window does not wait for it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

HOST = "127.0.0.1"
CALENDAR = "Quiet Rooms"


class _Quiet(WSGIRequestHandler):
    timeout = 2  # seconds; a silent client keeps the only thread from all others

    def log_message(self, *_: object) -> None:
        """Say nothing: the app has the terminal."""


class _Server(WSGIServer):
    def handle_error(self, *_: object) -> None:
        """Nor of a client that has gone."""


class CalendarServer:
    """Radicale with its files in a folder, in a daemon thread."""

    def __init__(
        self, folder: Path, user: str, password: str, resources: Callable[[], Mapping[str, str]]
    ) -> None:
        self._folder = folder
        self._user, self._password = user, password
        self._resources = resources
        self._radicale: Any = None
        self._server = make_server(HOST, 0, self._answer, _Server, _Quiet)
        self.url = f"http://{HOST}:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="demo-calendar", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        if self._radicale is None:
            self._fill()
            self._radicale = self._load()
        answer: Iterable[bytes] = self._radicale(environment, start)
        return answer

    def _fill(self) -> None:
        calendar = self._folder / "collection-root" / self._user / "quiet-rooms"
        calendar.mkdir(parents=True)
        about = {"tag": "VCALENDAR", "D:displayname": CALENDAR, "ICAL:calendar-color": "#5fafaf"}
        (calendar / ".Radicale.props").write_text(json.dumps(about), "utf-8")
        for name, text in self._resources().items():
            (calendar / name).write_text(text, "utf-8", newline="")

    def _load(self) -> Any:
        from radicale import config
        from radicale.app import Application

        logging.getLogger("radicale").addHandler(logging.NullHandler())
        logging.getLogger("radicale").propagate = False
        users = self._folder / "users"
        users.write_text(f"{self._user}:{self._password}\n", "utf-8")
        settings = config.load()
        settings.update(
            {
                "auth": {
                    "type": "htpasswd",
                    "htpasswd_filename": str(users),
                    "htpasswd_encryption": "plain",
                },
                "storage": {"filesystem_folder": str(self._folder)},
            },
            "the demo",
        )
        return Application(settings)
