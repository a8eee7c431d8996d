"""Real CalDAV servers on free loopback ports: Radicale, Xandikos. dav_proxy stands before them."""

from __future__ import annotations

import base64
import contextlib
import http.client
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.patience import PATIENCE
from tests.servers import PASSWORD, Server


class CalDav(Server):
    """What the CalDAV servers share: calendars of one user, filled quickly, changed over HTTP."""

    user = "alice"
    password = PASSWORD

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://{self.host}:{self.port}/"

    @property
    def home(self) -> str:
        """The path under which the user's calendars lie."""
        return f"/{self.user}/"

    def path(self, calendar: str, name: str = "") -> str:
        """A calendar's path, or that of a resource in it."""
        return f"{self.home}{calendar}/{name}"

    def make(self, calendar: str, name: str = "", color: str = "") -> None:
        """Make an empty calendar."""
        said = f"<d:displayname>{name or calendar}</d:displayname>"
        said += f"<a:calendar-color>{color}</a:calendar-color>" if color else ""
        body = (
            '<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" '
            f'xmlns:a="http://apple.com/ns/ical/"><d:set><d:prop>{said}</d:prop></d:set>'
            "</c:mkcalendar>"
        )
        self.send("MKCALENDAR", self.path(calendar), body)

    def put(self, calendar: str, name: str, text: str) -> None:
        """Write a resource, as another client does."""
        self.send("PUT", self.path(calendar, name), text, "text/calendar; charset=utf-8")

    def delete(self, calendar: str, name: str = "") -> None:
        """Delete a resource, or the calendar."""
        self.send("DELETE", self.path(calendar, name))

    def fill(self, calendar: str, resources: Mapping[str, str]) -> None:
        """Add many resources to a calendar that nobody has read yet, past HTTP."""
        raise NotImplementedError

    def resources(self, calendar: str) -> dict[str, str]:
        """What the server holds: each resource's path and text."""
        found = {}
        for path in self.folder(calendar).iterdir():
            if path.suffix == ".ics":
                found[self.path(calendar, path.name)] = path.read_text("utf-8")
        return found

    def folder(self, calendar: str) -> Path:
        """Where a calendar lies on disk."""
        raise NotImplementedError

    def send(self, method: str, path: str, body: str = "", kind: str = "text/xml") -> bytes:
        """A request as the user; it must go well."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": kind}
        with contextlib.closing(connection):
            connection.request(method, path, body.encode() or None, headers)
            answer = connection.getresponse()
            said = answer.read()
        assert answer.status < 300, f"{method} {path}: {answer.status} {said!r}"
        return said


class Radicale(CalDav):
    """Radicale, whose users sign in with the one password and own `/user/`."""

    name = "radicale"

    def __init__(self) -> None:
        super().__init__()
        (self.dir / "users").write_text(f"{self.user}:{self.password}\n", "utf-8")

    def begin_anew(self) -> None:
        """Be as after the first start: without calendars, with the one user."""
        for name in ("user", "password"):
            vars(self).pop(name, None)
        root = self.dir / "collections" / "collection-root"
        for home in root.iterdir() if root.exists() else ():
            shutil.rmtree(home)
        (self.dir / "users").write_text(f"{self.user}:{self.password}\n", "utf-8")
        if not self._listens():
            self.start()

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "radicale", "--config", ""),
            *("--hosts", f"{self.host}:{self.port}"),
            *("--storage-filesystem-folder", str(self.dir / "collections")),
            *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(self.dir / "users")),
            *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
            *("--rights-type", "owner_only"),
        ]

    def folder(self, calendar: str) -> Path:
        return self.dir / "collections" / "collection-root" / self.user / calendar

    def fill(self, calendar: str, resources: Mapping[str, str]) -> None:
        for name, text in resources.items():
            (self.folder(calendar) / name).write_text(text, "utf-8")

    def forget(self, calendar: str) -> None:
        """Lose what sync tokens rest on, as a server that was restored does."""
        shutil.rmtree(self.folder(calendar) / ".Radicale.cache" / "sync-token")


class Xandikos(CalDav):
    """Xandikos, which keeps each calendar as a git repository and asks for no password."""

    name = "xandikos"

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "xandikos", "serve", "--defaults"),
            *("--current-user-principal", f"/{self.user}/", "-d", str(self.dir / "data")),
            *("-l", self.host, "-p", str(self.port)),
        ]

    @property
    def home(self) -> str:
        return f"/{self.user}/calendars/"

    def folder(self, calendar: str) -> Path:
        return self.dir / "data" / self.user / "calendars" / calendar

    def fill(self, calendar: str, resources: Mapping[str, str]) -> None:
        from dulwich import porcelain

        for name, text in resources.items():
            (self.folder(calendar) / name).write_text(text, "utf-8")
        repository = str(self.folder(calendar))
        porcelain.add(repository, [str(self.folder(calendar) / name) for name in resources])
        porcelain.commit(repository, message=b"filled", author=b"t <t@t>", committer=b"t <t@t>")

    def forget(self, calendar: str) -> None:
        """Lose what sync tokens rest on: a new repository with the same files."""
        from dulwich import porcelain

        files = self.resources(calendar)
        names = [Path(path).name for path in files]
        config = (self.folder(calendar) / ".git" / "config").read_text("utf-8")
        shutil.rmtree(self.folder(calendar) / ".git")
        porcelain.init(str(self.folder(calendar)))
        (self.folder(calendar) / ".git" / "config").write_text(config, "utf-8")
        porcelain.add(str(self.folder(calendar)), [str(self.folder(calendar) / ".xandikos")])
        self.fill(calendar, dict(zip(names, files.values(), strict=True)))
