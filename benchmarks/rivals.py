"""The two sides of the benchmark: crmmail, and mbsync with notmuch, each on a folder of its own."""

from __future__ import annotations

import json
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from tests.servers import PASSWORD, Dovecot

from benchmarks.measure import Cost, run, size_of

_MBSYNCRC = Template("""
IMAPAccount bench
Host $host
Port $port
User $user
Pass $password
SSLType None
AuthMechs PLAIN

IMAPStore far
Account bench

MaildirStore near
SubFolders Verbatim
Path $home/mail/
Inbox $home/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Sync Pull
SyncState *
""")
_NOTMUCH = Template("""
[database]
path=$home/mail
[user]
name=Bench
primary_email=$user
[new]
tags=unread;inbox
ignore=.mbsyncstate;.mbsyncstate.new;.mbsyncstate.journal;.mbsyncstate.lock;.uidvalidity
[maildir]
synchronize_flags=true
""")
_PASSWORD_ENV = "CRMMAIL_BENCH_PASSWORD"


class MissingError(Exception):
    """A program that the benchmark compares with is not installed."""


@dataclass(frozen=True, slots=True)
class Mbsync:
    """mbsync pulls every folder into an empty Maildir, notmuch indexes it; their defaults."""

    server: Dovecot
    user: str
    home: Path

    def prepare(self) -> None:
        """Empty folders and configuration."""
        for program in ("mbsync", "notmuch"):
            if shutil.which(program) is None:
                raise MissingError(f"{program} is not installed (Debian: isync, notmuch)")
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "mail").mkdir(parents=True)
        names = {"host": self.server.host, "port": self.server.port, "user": self.user}
        names |= {"password": PASSWORD, "home": self.home}
        (self.home / "mbsyncrc").write_text(_MBSYNCRC.substitute(names), "utf-8")
        (self.home / "notmuch").write_text(_NOTMUCH.substitute(names), "utf-8")

    def pull(self) -> Cost:
        """One pass of mbsync."""
        return run(["mbsync", "-q", "-c", str(self.home / "mbsyncrc"), "-a"])

    def index(self) -> Cost:
        """One pass of notmuch new."""
        return run(["notmuch", "new", "--quiet"], {"NOTMUCH_CONFIG": str(self.home / "notmuch")})

    def count(self) -> int:
        """How many messages notmuch found (the same message twice is one)."""
        env = {"NOTMUCH_CONFIG": str(self.home / "notmuch")}
        return int(run(["notmuch", "count"], env).output)

    def size(self) -> dict[str, int]:
        """Bytes of the Maildir and of the index."""
        index = self.home / "mail" / ".notmuch"
        return {"maildir": size_of(self.home / "mail") - size_of(index), "index": size_of(index)}


@dataclass(frozen=True, slots=True)
class Crmmail:
    """crmmail, through its command line, as a script would use it."""

    server: Dovecot
    user: str
    home: Path

    @property
    def env(self) -> dict[str, str]:
        """Where it keeps everything, and the password."""
        return {
            "CRMMAIL_DATA_DIR": str(self.home / "data"),
            "CRMMAIL_CONFIG_DIR": str(self.home / "config"),
            _PASSWORD_ENV: PASSWORD,
        }

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.home / "data" / "crmmail.db"

    @property
    def sync_command(self) -> list[str]:
        """One pass over the account."""
        return [_crmmail(), "sync", "--once", "--json"]

    def prepare(self) -> None:
        """An empty store that knows the account."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        where = ["--imap", f"{self.server.host}:{self.server.port}", "--security", "none"]
        who = ["--username", self.user, "--password-env", _PASSWORD_ENV]
        run([_crmmail(), "account", "add", self.user, *where, *who], self.env)

    def sync(self) -> Cost:
        """One pass of crmmail."""
        return run(self.sync_command, self.env)

    def size(self) -> int:
        """Bytes of the store with everything beside it."""
        return size_of(self.home / "data")


def report(cost: Cost) -> dict[str, Any]:
    """What crmmail said about its only account."""
    (account,) = json.loads(cost.output)["accounts"]
    return dict(account)


def _crmmail() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "crmmail")
