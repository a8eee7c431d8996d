"""doctor: is everything as it should be, and if not, what to do."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

import crmmail
from crmmail import crash, settings
from crmmail.accounts import credentials
from crmmail.cli import caldav, clock
from crmmail.cli.next_step import hint_of
from crmmail.cli.output import AsJson, examples, open_store, print_json, write
from crmmail.cli.problems import Exit, terminal_fault
from crmmail.cli.signing_in import sign_in
from crmmail.errors import CrmmailError
from crmmail.store import accounts, files, trouble
from crmmail.store.accounts import AccountRow, StateRow
from crmmail.store.trouble import DamagedError
from crmmail.widgets import words

EXAMPLES = examples("crmmail doctor", "crmmail doctor --offline --report > report.txt")
_PACKAGES = ("textual", "imapclient", "keyring", "sqlmodel", "fast-mail-parser", "selectolax")
_ADDRESS = re.compile(r"https?://[^\s,;)]+")
_LEAST_FREE = 500_000_000
_STALE_SECONDS = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str
    hint: str = ""  # what to do, or how to get more
    report: str = ""  # what a report says instead, where `said` has words of a server or a folder


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Do not sign in anywhere.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Leave out names, addresses and servers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the store, the passwords, the servers and the terminal.

    Exit code 1: something is wrong. Nothing is changed. What --report prints can be shown to
    others.
    """
    masks = _folders() if report else {}
    checks: list[Check] = []
    for check in _checks(offline, masks if report else {}):
        shown = _masked(check, masks) if report else check
        checks.append(shown)
        if not as_json:
            write(_line(shown))
            sys.stdout.flush()
    if as_json:
        print_json(
            [{"check": c.name, "ok": c.ok, "said": c.said, "hint": c.hint or None} for c in checks]
        )
    if not all(check.ok for check in checks):
        raise typer.Exit(Exit.PROBLEM)


def _folders() -> dict[str, str]:
    """The folders whose names may be the user's own, and what a report says instead."""
    home = str(Path.home())
    own: dict[str, str] = {}
    for name, folder in (("DATA", settings.data_dir), ("CONFIG", settings.config_dir)):
        with suppress(CrmmailError):
            own[str(folder())] = name
    return {home: "~"} | {path: name for path, name in own.items() if not path.startswith(home)}


def _checks(offline: bool, masks: dict[str, str]) -> Iterator[Check]:
    yield _versions()
    yield from _tried("disk", _disk)
    try:
        with open_store() as store:
            db = store.read()
            rows, states = accounts.all_accounts(db), accounts.states(db)
            for number, row in enumerate(rows, 1):
                masks |= {row.host: f"server {number}", row.username: f"user {number}"}
                masks |= {row.email: f"account {number}", row.caldav_username: f"user {number}"}
                masks |= {one.removeprefix("env:"): f"VARIABLE_{number}" for one in _variables(row)}
                masks |= {urlsplit(row.caldav_url).hostname or "": f"calendar server {number}"}
            yield from _tried("store", partial(_store, db, store.path))
        is_read = True
    except (CrmmailError, OSError, sqlite3.Error) as problem:
        yield _failed("store", problem)
        rows, states, is_read = [], [], False
    yield from _tried("backups", _backups)
    yield _keyring(rows)
    yield _clock(rows, states, offline)
    for row, state in zip(rows, states, strict=True):
        yield from _tried(row.email, partial(_account, row, offline))
        yield _state(state)
    if not rows and is_read:
        yield Check("accounts", True, "none yet", "Add one: crmmail account add --help")
    yield _config()
    yield _terminal()
    yield _log()


def _log() -> Check:
    """The last error of crmmail's own; the log of these has nobody's mail in it."""
    last = crash.last()
    if not last:
        return Check("log", True, "no error of crmmail's own")
    at = last[0].partition(" ")[0]
    report = "the last error of crmmail's own:\n" + "\n".join(last)
    return Check(
        "log", True, f"the last error of crmmail's own: {at}, {crash.log_path()}", "", report
    )


def _variables(row: AccountRow) -> list[str]:
    return [one for one in (row.secret, row.caldav_secret) if one.startswith("env:")]


def _config() -> Check:
    from crmmail import looks
    from crmmail.app import CrmmailApp

    path = settings.config_path()
    found = looks.problems(CrmmailApp, settings.config())
    if found:
        said = " ".join(map(str, found))
        report = words.plural(len(found), "problem")  # they quote what is in the file
        return Check("config", False, said, "Correct it: docs/configuration.md", report)
    return Check("config", True, f"{path}" if path.exists() else f"{path} is not there: defaults")


def _versions() -> Check:
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES)
    python = ".".join(map(str, sys.version_info[:3]))
    said = f"crmmail {crmmail.__version__}, Python {python}, SQLite {sqlite3.sqlite_version}"
    return Check("versions", True, f"{said}, {packages}")


def _disk() -> Check:
    folder = settings.data_dir()
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        said = f"{folder} is mounted read-only"
        return Check("disk", False, said, "Mount it for writing: what is there can only be read.")
    total, _, free = shutil.disk_usage(folder)
    if not total:
        return Check("disk", True, f"the disk of {folder} does not tell how much is free")
    said = f"{words.size(free)} free at {folder}"
    if free < _LEAST_FREE:
        return Check("disk", False, said, "Make room: a full disk stops the sync.")
    return Check("disk", True, said)


def _store(db: sqlite3.Connection, file: Path) -> Check:
    found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
    (schema,) = db.execute("PRAGMA user_version").fetchone()
    if found != ["ok"] or db.execute("PRAGMA foreign_key_check").fetchone():
        return Check(
            "store",
            False,
            f"{file} is damaged: {found[0].splitlines()[-1]}",
            DamagedError.hint,
        )
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return Check("store", False, f"{file} can be read by others", f"Run: chmod 600 {file}")
    size = words.size(file.stat().st_size)
    return Check("store", True, f"{file}, {size}, schema {schema}, no damage")


def _backups() -> Check:
    """The copies that crmmail makes by itself."""
    store = settings.store_path()
    if (fault := files.folder_fault(store, written=True)) is not None:
        return Check("backups", False, str(fault), fault.hint)
    copies = files.copies_of(store)
    if not copies:
        return Check("backups", True, "none yet")
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(copies[0].made_at))
    return Check("backups", True, f"{len(copies)}, the newest of {made}")


def _keyring(rows: list[AccountRow]) -> Check:
    needed = any(row.secret == credentials.KEYRING for row in rows)
    try:
        backend = type(credentials.keyring_backends()[0])
    except CrmmailError as problem:
        said = str(problem) if needed else "none that is usable; no account needs one"
        return Check("keyring", not needed, said, problem.hint if needed else "")
    return Check("keyring", True, f"{backend.__module__}.{backend.__name__}")


def _clock(rows: list[AccountRow], states: list[StateRow], offline: bool) -> Check:
    urls = [] if offline else sorted({row.caldav_url for row in rows if row.caldav_url})
    if wrong := clock.fault((state.last_success for state in states), urls):
        hint = "Set it; better, let the system keep it right (NTP): timedatectl"
        return Check("clock", False, wrong, hint)
    return Check("clock", True, f"{time.strftime('%Y-%m-%d %H:%M')} {clock.zone()}")


def _account(row: AccountRow, offline: bool) -> Check:
    if not row.secret.startswith(credentials.OAUTH):
        credentials.password(row)
    said = f"password from {credentials.describe(row.secret)}"
    if offline:
        return Check(row.email, True, f"{said}; not signed in (--offline)")
    start = time.monotonic()
    if row.host:
        said += f"; signed in to {row.host}, {len(sign_in(row))} folders"
    if names := caldav.try_out(row):
        said += f"; {words.plural(len(names), 'calendar')}"
    return Check(row.email, True, f"{said}, {time.monotonic() - start:.1f} s")


def _state(state: StateRow) -> Check:
    name = f"{state.email} sync"
    if state.error or state.calendar_error:
        hint = (hint_of(state) if state.error else state.calendar_hint) or "Try again: crmmail sync"
        said = state.error or f"calendars: {state.calendar_error}"
        return Check(name, False, said, hint, report="the last pass had an error")
    success = state.last_success if state.has_mail else state.calendar_success
    if not success:
        return Check(name, True, "not synced yet", "Fetch the mail: crmmail sync")
    age = time.time() - success
    said = f"last went well {words.duration(age)} ago"
    if age > _STALE_SECONDS:
        return Check(name, False, said, "Fetch what is new: crmmail sync")
    return Check(name, True, said)


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check("terminal", True, "not checked: the output goes elsewhere")
    term, colour = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    size = shutil.get_terminal_size()
    said = f"{term or 'TERM is not set'} {colour}".rstrip()
    said += f", {size.columns} x {size.lines}, {sys.stdout.encoding}"
    if (fault := terminal_fault(term)) is not None:
        return Check("terminal", False, said, fault)
    if sys.stdout.encoding.lower().replace("-", "") != "utf8":
        return Check("terminal", False, said, "Set a UTF-8 locale: export LANG=C.UTF-8")
    if "256" not in term and colour not in ("truecolor", "24bit"):
        return Check("terminal", True, said, "Few colours. If it has more: COLORTERM=truecolor")
    return Check("terminal", True, said)


def _tried(name: str, check: Callable[[], Check]) -> Iterator[Check]:
    try:
        yield check()
    except (CrmmailError, OSError, sqlite3.Error) as problem:
        yield _failed(name, problem)


def _failed(name: str, problem: Exception) -> Check:
    """A problem in words; after its first colon they may be a server's own."""
    if trouble.is_trouble(problem):
        problem = trouble.explain(problem, settings.store_path())
    ours = f"{type(problem).__name__}: {str(problem).partition(':')[0]}"
    return Check(name, False, str(problem), getattr(problem, "hint", ""), ours)


def _masked(check: Check, masks: dict[str, str]) -> Check:
    """A check without what could tell whose it is."""

    def masked(text: str) -> str:
        for found in sorted(masks, key=len, reverse=True):
            text = text.replace(found, masks[found]) if found else text
        return text

    said = masked(check.report or check.said)
    hint = _ADDRESS.sub("https://…", check.hint)  # it may be the user's server, or say who that is
    return Check(masked(check.name), check.ok, said, masked(hint))


def _line(check: Check) -> str:
    mark = "ok     " if check.ok else "PROBLEM"
    text = f"{mark}  {check.name}: {check.said}\n"
    return f"{text}         {check.hint}\n" if check.hint else text
