"""Further makes of IMAP server, from unpacked packages: Cyrus, Courier, GNU mailutils.

They keep the contract of `servers.ImapServer`, and `add_user` as Dovecot does. One that cannot be
had on this machine raises `server_packages.Unavailable` when it is made.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from tests.server_packages import Unavailable, libraries, unpacked, version
from tests.servers import HOST, PASSWORD, Appended, ImapServer, _mail_user


class Unpacked(ImapServer):
    """A server whose programs lie below `root`, with the mail in a folder of its own user."""

    packages: tuple[str, ...] = ()
    title = ""

    def version(self) -> str:
        number = version(self.packages[0]).rpartition(":")[2]
        return f"{self.title} {number.partition('-')[0].partition('+')[0]}"

    def __init__(self) -> None:
        self.root = unpacked(*self.packages)
        super().__init__()
        self.owner = _mail_user()
        self.dir.chmod(0o755)

    def folder(self, name: str) -> Path:
        """A folder below the server's own that the mail's owner may write to."""
        path = self.dir / name
        path.mkdir(parents=True, exist_ok=True)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Make a path the mail's owner's."""
        if os.getuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def environment(self) -> list[str]:
        """The beginning of a command line that runs one of its programs."""
        return ["env", f"LD_LIBRARY_PATH={libraries(self.root)}"]

    def append(self, user: str, folder: str, messages: Iterable[Appended], batch: int = 200) -> int:
        """Add messages one by one: MULTIAPPEND is rare."""
        count = 0
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            for raw, flags, date in messages:
                client.append(folder, raw, flags, date)
                count += 1
        return count


class Cyrus(Unpacked):
    """Cyrus IMAP: CONDSTORE, QRESYNC, LIST-STATUS, SPECIAL-USE, OBJECTID. Takes any password."""

    name, title = "cyrus", "Cyrus"
    packages = ("cyrus-imapd",)

    def __init__(self) -> None:
        super().__init__()
        for name in ("conf/db", "conf/socket", "spool", "proc", "lock", "sockets"):
            self.folder(name)
        self.give(self.dir / "conf")
        special = "".join(f"xlist-{name.lower()}: {name}\n" for name in _SPECIAL)
        settings = _CYRUS.format(
            dir=self.dir, user=self.owner.pw_name, folders="|".join(_SPECIAL), special=special
        )
        (self.dir / "imapd.conf").write_text(settings, "utf-8")
        (self.dir / "cyrus.conf").write_text(
            f'START {{\n  recover cmd="{self._program("ctl_cyrusdb")} -r"\n}}\n'
            f'SERVICES {{\n  imap cmd="{self._program("imapd")}" '
            f'listen="{HOST}:{self.port}" prefork=1 maxchild=100\n}}\n',
            "utf-8",
        )

    def command(self) -> list[str]:
        files = ["-M", str(self.dir / "cyrus.conf"), "-p", str(self.dir / "pid"), "-D"]
        return [*self.environment(), *self._program("master").split(), *files]

    def add_user(self, user: str, password: str = PASSWORD) -> str:
        """A mailbox is made when somebody signs in for the first time."""
        return user

    def _program(self, name: str) -> str:
        return f"{self.root}/usr/lib/cyrus/bin/{name} -C {self.dir}/imapd.conf"


class Courier(Unpacked):
    """Courier IMAP: folders below INBOX with dots; no CONDSTORE, no LIST-STATUS, no SPECIAL-USE.

    Its programs ask for passwords on a socket with a fixed name below /run, and look for their
    file monitor in /usr/libexec: they run in a mount namespace where both are ours.
    """

    name, title = "courier", "Courier"
    note = "`UID SEARCH UID *` finds nothing, and EXAMINE tells no UIDNEXT."
    packages = ("courier-imap", "gamin")

    def __init__(self) -> None:
        super().__init__()
        self.folder("mail")
        self._listener: socket.socket | None = None
        self._inside = ["unshare", *(["-r"] if os.getuid() else []), "-m", "-p", "-f"]
        self._inside.append("--kill-child")
        tried = shutil.which("unshare") and subprocess.run([*self._inside, "true"], check=False)
        if not tried or tried.returncode:
            shutil.rmtree(self.dir)
            raise Unavailable("Courier needs namespaces: `unshare -m` is refused here")
        (self.dir / "start").write_text(_COURIER.format(dir=self.dir, root=self.root), "utf-8")

    def command(self) -> list[str]:
        listen = f"-address={HOST} -maxprocs=100 -maxperip=100 -nodnslookup -noidentlookup"
        login, imapd = "usr/lib/courier/courier/imaplogin", "usr/bin/imapd"
        run = [*self.environment(), f"{self.root}/usr/sbin/couriertcpd", *listen.split()]
        run += [str(self.port), f"{self.root}/{login}", f"{self.root}/{imapd}", "."]
        return [*self._inside, "sh", str(self.dir / "start"), *run]

    def start(self) -> Self:
        place = self.dir / "socket"
        place.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        place.chmod(0o666)
        self._listener.listen()
        threading.Thread(target=self._vouch, args=[self._listener], daemon=True).start()
        return super().start()

    def _end(self, how: signal.Signals) -> None:
        if self._listener is not None:
            self._listener.close()
        super()._end(signal.SIGKILL)  # a namespace's first process hears nothing else

    def add_user(self, user: str, password: str = PASSWORD) -> str:
        make = f"{self.root}/usr/bin/maildirmake.courier"
        subprocess.run([*self.environment(), make, str(self.dir / "mail" / user)], check=True)
        for path in (self.dir / "mail" / user, *(self.dir / "mail" / user).rglob("*")):
            self.give(path)
        return user

    def _vouch(self, listener: socket.socket) -> None:
        """Answer what authdaemond is asked: the service, the kind, a name, a password."""
        with contextlib.suppress(OSError):
            while True:
                asking, _ = listener.accept()
                with asking, asking.makefile("rwb") as lines:
                    for line in lines:
                        if line.startswith(b"AUTH "):
                            lines.write(self._answer(lines.read(int(line.split()[1])).decode()))
                            break

    def _answer(self, asked: str) -> bytes:
        _, _, user, password, *_ = [*asked.split("\n"), "", "", "", ""]
        if password != self.password:
            return b"FAIL\n"
        root = os.getuid() == 0
        who = f"UID={self.owner.pw_uid if root else 0}\nGID={self.owner.pw_gid if root else 0}\n"
        home = f"{self.dir}/mail/{user}"
        return f"{who}HOME={home}\nMAILDIR={home}\nADDRESS={user}\n.\n".encode()


class Mailutils(Unpacked):
    """GNU mailutils' imap4d: no UIDPLUS, no MOVE, nothing told in IDLE; APPEND forgets flags."""

    name, title = "mailutils", "GNU mailutils"
    note = (
        "It announces IDLE and tells nothing in it: new mail comes with the next poll. "
        "`UID SEARCH UID 10:10` does not find a message whose UID is not its number."
    )
    pushes = False
    packages = ("mailutils-imap4d",)

    def __init__(self) -> None:
        super().__init__()
        self.folder("mail")
        (self.dir / "users").mkdir()
        (self.dir / "conf").write_text(_MAILUTILS.format(dir=self.dir, port=self.port), "utf-8")

    def command(self) -> list[str]:
        program = f"{self.root}/usr/sbin/imap4d"
        conf = f"--config-file={self.dir}/conf"
        return [*self.environment(), program, "--no-config", conf, "--foreground", "--daemon"]

    def add_user(self, user: str, password: str = PASSWORD) -> str:
        """Users are those of a domain's file, by the part of their address before the "@"."""
        name, _, domain = user.partition("@")
        home = self.folder(f"mail/{name}")
        who = f"{self.owner.pw_uid}:{self.owner.pw_gid}"
        with (self.dir / "users" / domain).open("a", encoding="utf-8") as file:
            file.write(f"{name}:{_encrypted(password)}:{who}:{name}:{home}:/bin/sh\n")
        with self.client(user, password) as client:
            client.select_folder("INBOX")  # before that there is none to append to
        return user

    def append(self, user: str, folder: str, messages: Iterable[Appended], batch: int = 200) -> int:
        """Add messages, and set their flags afterwards."""
        given = list(messages)
        super().append(user, folder, given)
        with self.client(user) as client:
            client.select_folder(folder)
            uids = client.search()[-len(given) :]
            for uid, (_, flags, _) in zip(uids, given, strict=True):
                if flags:
                    client.set_flags([uid], flags)
        return len(given)


_SPECIAL = ("Sent", "Drafts", "Junk", "Trash", "Archive")
_CYRUS = """
configdirectory: {dir}/conf
defaultpartition: default
partition-default: {dir}/spool
proc_path: {dir}/proc
mboxname_lockpath: {dir}/lock
sievedir: {dir}/conf/sieve
idlesocket: {dir}/sockets/idle
notifysocket: {dir}/sockets/notify
lmtpsocket: {dir}/sockets/lmtp
cyrus_user: {user}
admins: cyrus
altnamespace: yes
unixhierarchysep: yes
virtdomains: userid
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: alwaystrue
imapidlepoll: 1
autocreate_quota: 0
autocreate_inbox_folders: {folders}
{special}expunge_mode: immediate
delete_mode: immediate
duplicatesuppression: no
skiplist_unsafe: yes
"""
_COURIER = """
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/courier
ln -s {dir} /run/courier/authdaemon
if [ -d /usr/libexec ]; then
  mount -t tmpfs tmpfs /usr/libexec
  ln -s {root}/usr/libexec/gam_server /usr/libexec/gam_server
fi
set -a
. {root}/etc/courier/imapd
IMAP_USELOCKS=0
IMAP_IDLE_TIMEOUT=1
IMAP_STARTTLS=NO
IMAP_EMPTYTRASH=
IMAP_ULIMITD=
exec "$@"
"""
_MAILUTILS = """
auth {{
  authentication clear; authentication generic;
  authorization clear; authorization virtdomain;
}};
virtdomain {{ passwd-dir "{dir}/users"; }};
mailbox {{ mailbox-type maildir; }};
logging {{ syslog no; severity debug; }};
tcp-wrappers {{ enable no; }};
mode daemon;
foreground yes;
max-children 100;
namespace personal {{
  prefix "" {{ directory "{dir}/mail/${{user}}"; delimiter "/"; mailbox-type maildir; }};
}};
server 127.0.0.1:{port} {{ single-process no; }};
"""


def _encrypted(password: str) -> str:
    """As crypt(3) writes it; Python has no module for it any more."""
    import ctypes
    import ctypes.util

    crypt = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return str(crypt(password.encode(), b"ab").decode())
