"""Real servers on free loopback ports: Dovecot, pymap; CalDAV servers are in dav_servers.

What no real server does on demand is in fake_imap and dav_proxy.

`with Dovecot() as server:` starts one; it works as root and as an ordinary user.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import grp
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from string import Template
from typing import Self

import pytest
from imapclient import IMAPClient

from tests.dovecot_config import CONFIG, ORDINARY_USER, TLS
from tests.patience import PATIENCE, until

HOST = "127.0.0.1"
PASSWORD = "secret"
Appended = tuple[bytes, Sequence[bytes | str], datetime | None]

# What Dovecot 2.3 announces after the login, for `without=` to take from.
_CAPABILITIES = """
    IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY THREAD=REFERENCES THREAD=REFS
    THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN NAMESPACE UIDPLUS
    LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH
    LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+
    NOTIFY SPECIAL-USE
"""
_SPECIAL = ("Sent", "Drafts", "Junk", "Trash", "Archive")
_TRAFFIC = re.compile(r"imap\(([^)]+)\).*\bin=(\d+) out=(\d+)$", re.MULTILINE)
_LOGIN = re.compile(r"imap-login: .*\bLogin: user=<([^>]+)>")


# Below the ports that systems give to clients, and from another start in each process of a run.
_PORTS = itertools.count(os.getpid() * 37)
_CLAIMS = os.open(
    Path(tempfile.gettempdir()) / f"crmmail-test-ports-{os.getuid()}", os.O_CREAT | os.O_RDWR, 0o600
)


def free_port() -> int:
    """A loopback port that nobody listens on, and that no client is given by chance.

    A lock on its byte of a file keeps it from the other test processes, until this one ends: a
    server may begin late, or go away and come back.
    """
    for number in _PORTS:
        port = 12_000 + number % 20_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            fcntl.lockf(_CLAIMS, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise AssertionError("there is always a next number")


def find_dovecot() -> str | None:
    """The dovecot program, which Debian keeps out of an ordinary user's PATH."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def need_dovecot() -> None:
    """Skip the test without Dovecot, or fail it where CRMMAIL_NEED_DOVECOT=1 says it must run."""
    if find_dovecot() is None:
        if os.environ.get("CRMMAIL_NEED_DOVECOT") == "1":
            pytest.fail("dovecot is not installed (Debian package dovecot-imapd)")
        pytest.skip("needs Dovecot (Debian package dovecot-imapd)")


class Server:
    """A program that listens on one port, in a folder of its own, until it is stopped."""

    name = "server"

    def __init__(self) -> None:
        self.host, self.port = HOST, free_port()
        self.dir = Path(tempfile.mkdtemp(prefix=f"crmmail-{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The command line that serves in the foreground."""
        raise NotImplementedError

    def start(self) -> Self:
        """Start it, on the same port as before, and return when it answers."""
        with (self.dir / "console").open("ab") as console:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} does not start:\n{self.output()}")
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """End it in good order; start() brings it back with what it kept on disk."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, and all its children, as a power cut would."""
        self._end(signal.SIGKILL)

    def output(self) -> str:
        """What it wrote to its console and its log."""
        files = [path for path in (self.dir / "console", self.dir / "log") if path.exists()]
        return "".join(path.read_text("utf-8", "replace") for path in files)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=10) as probe:
                return self._is_ready(probe)
        except OSError:
            return False

    def _is_ready(self, probe: socket.socket) -> bool:
        return True

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # children that outlive their parent
        process.wait(PATIENCE)
        until(lambda: not self._listens(), self.output)


class ImapServer(Server):
    """What the IMAP servers share: a client for a user, and filling a folder."""

    password = PASSWORD
    pushes = True
    """Whether it tells a client that idles of new mail."""
    note = ""
    """What is peculiar about it, for docs/servers.md."""

    def version(self) -> str:
        """The program and its version."""
        return self.name

    def add_user(self, user: str, password: str = PASSWORD) -> str:
        """Let a user log in; returns the user."""
        raise NotImplementedError

    def _is_ready(self, probe: socket.socket) -> bool:
        return probe.recv(4) == b"* OK"

    def client(self, user: str, password: str = "") -> IMAPClient:
        """A logged-in read-write client."""
        client = IMAPClient(self.host, self.port, ssl=False, timeout=PATIENCE)
        client._imap.debug = 0
        client.login(user, password or self.password)
        return client

    def append(self, user: str, folder: str, messages: Iterable[Appended], batch: int = 200) -> int:
        """Add (bytes, flags, internal date) messages, the folder too; returns how many."""
        count, chunk = 0, list[dict[str, object]]()
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for raw, flags, date in messages:
                dated = {"date": date} if date else {}
                chunk.append({"msg": raw, "flags": flags, **dated})
                if len(chunk) == batch:
                    client.multiappend(folder, chunk)
                    count, chunk = count + batch, []
            if chunk:
                client.multiappend(folder, chunk)
        return count + len(chunk)


class Dovecot(ImapServer):
    """Dovecot with Maildirs and one file a user for the passwords.

    `without` names capabilities that it does not announce; `tls` is "no", "starttls" or "tls",
    then `ca` is the authority to trust and the certificate is for localhost and 127.0.0.1.
    """

    name = "dovecot"

    def __init__(
        self, *, without: Iterable[str] = (), tls: str = "no", settings: str = "", port: int = 0
    ) -> None:
        need_dovecot()
        super().__init__()
        self.port = port or self.port
        self.without, self.tls, self.settings = frozenset(without), tls, settings
        self._marks = itertools.count(1)
        self.ca = self.dir / "ca.pem"
        self.dir.chmod(0o755)  # root's mail processes run as another user
        for name in ("users", "mail"):
            (self.dir / name).mkdir()
        mail = _mail_user()
        if os.getuid() == 0:
            os.chown(self.dir / "mail", mail.pw_uid, mail.pw_gid)
        if tls != "no":
            _make_certificate(self.dir)
        (self.dir / "dovecot.conf").write_text(self._config(mail), "utf-8")

    def version(self) -> str:
        told = subprocess.check_output([find_dovecot() or "dovecot", "--version"], text=True)
        return f"Dovecot {told.split()[0]}"

    def command(self) -> list[str]:
        return [find_dovecot() or "dovecot", "-F", "-c", str(self.dir / "dovecot.conf")]

    def _is_ready(self, probe: socket.socket) -> bool:
        return self.tls == "tls" or super()._is_ready(probe)

    def add_user(self, user: str, password: str = PASSWORD) -> str:
        """Let a user log in, or change the password; returns the user."""
        file = self.dir / "users" / user
        file.write_text(f"{user}:{{PLAIN}}{password}\n", "utf-8")
        file.chmod(0o644)
        return user

    def client(self, user: str, password: str = "") -> IMAPClient:
        """A logged-in read-write client, in the clear unless the server is all TLS."""
        if self.tls != "tls":
            return super().client(user, password)
        import ssl

        context = ssl.create_default_context(cafile=self.ca)
        client = IMAPClient(self.host, self.port, ssl_context=context, timeout=PATIENCE)
        client._imap.debug = 0
        client.login(user, password or self.password)
        return client

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """Where a user's folder lies on disk."""
        root = self.dir / "mail" / user
        return root if folder == "INBOX" else root / f".{folder}"

    def logins(self) -> list[str]:
        """Who has signed in so far, in order.

        The line of a sign-in may come to the log after its answer to the client, and when the
        server is stopped not at all. So somebody else signs in: what is before that line is whole.
        """
        mark = self.add_user(f"mark{next(self._marks)}@mark.example", self.password)
        self._enter(mark)
        found = until(lambda: _before(mark, _LOGIN.findall(self.output())), self.output)
        return [user for user in found if not user.endswith("@mark.example")]

    def traffic(self, user: str) -> tuple[int, int]:
        """Bytes (from, to) the clients of all sessions that a user has ended, logins excluded.

        Waits for those that are under way.
        """
        opened = self.logins().count(user)

        def sessions() -> list[tuple[int, int]]:
            found = _TRAFFIC.findall(self.output())
            return [(int(i), int(o)) for who, i, o in found if who == user]

        until(lambda: len(sessions()) >= opened, self.output)
        return sum(i for i, _ in sessions()), sum(o for _, o in sessions())

    def _enter(self, user: str) -> None:
        """Sign in and out, whatever the certificate is."""
        import ssl

        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        kind = {"ssl_context": trusting} if self.tls == "tls" else {"ssl": False}
        with IMAPClient(self.host, self.port, timeout=PATIENCE, **kind) as client:
            client.login(user, self.password)

    def _config(self, mail: pwd.struct_passwd) -> str:
        special = "SPECIAL-USE" not in self.without
        announced = [name for name in _CAPABILITIES.split() if name not in self.without]
        extra = TLS if self.tls != "no" else ""
        extra += ORDINARY_USER if os.getuid() != 0 else ""
        return CONFIG.substitute(
            dir=self.dir,
            port=self.port,
            uid=mail.pw_uid,
            gid=mail.pw_gid,
            ssl="no" if self.tls == "no" else "yes",
            implicit="yes" if self.tls == "tls" else "no",
            capability=f"imap_capability = {' '.join(announced)}" if self.without else "",
            folders="\n".join(
                f"  mailbox {name} {{\n    auto = create\n"
                + (f"    special_use = \\{name}\n" if special else "")
                + "  }"
                for name in _SPECIAL
            ),
            extra=Template(extra).substitute(dir=self.dir, user=mail.pw_name, group=_group())
            + self.settings,
        )


class Pymap(ImapServer):
    """pymap's in-memory server: one user, no TLS, no SPECIAL-USE, no CONDSTORE, no LIST-STATUS."""

    name = "pymap"

    def version(self) -> str:
        return f"pymap {metadata.version('pymap')}"

    def __init__(self, user: str = "user", password: str = PASSWORD) -> None:
        super().__init__()
        self.user, self.password = user, password

    def command(self) -> list[str]:
        program = "import sys; from pymap.main import main; sys.exit(main())"
        return [
            *(sys.executable, "-c", program, "--no-service", "managesieve"),
            *("--host", HOST, "--port", str(self.port), "--no-tls", "dict"),
            *("--demo-user", self.user, "--demo-password", self.password),
        ]


@functools.cache
def _mail_user() -> pwd.struct_passwd:
    """Whose the mail is: our own, but Dovecot refuses to serve root's."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for name in ("mail", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("no system user to give the mail to")


def _before(user: str, users: Sequence[str]) -> Sequence[str] | None:
    """Those before a user, who is among them, so that there is always one; None when not yet."""
    return users[: users.index(user) + 1] if user in users else None


def _group() -> str:
    return grp.getgrgid(os.getgid()).gr_name


def _make_certificate(folder: Path) -> None:
    """A throw-away authority (ca.pem) and a server certificate from it (cert.pem, key.pem)."""
    import trustme

    authority = trustme.CA()
    server = authority.issue_cert("localhost", HOST)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server.private_key_pem.write_to_path(folder / "key.pem")
    for blob in server.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
