"""Every command on a disk that is full or read-only, or beside another writer (E1).

Each ends with an answer or with a sentence and what to do, and with the exit code that
docs/cli.md has for it; none with a traceback or with the words of a library.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.test_hostile_names import ARGUMENTS
from tests.mounts import NEEDS, READ_ONLY, can_mount, run_on

SCRIPT = """
import contextlib, io, json, os, pathlib, shutil, sqlite3, sys
how, data, made, lines = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
os.environ |= {"CRMMAIL_DATA_DIR": data, "CRMMAIL_CONFIG_DIR": made, "HOME": made}
os.environ |= {"TEST_PASSWORD": "secret", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
os.chdir(made)
from crmmail.cli import main
from crmmail.store import database
if how == "full":
    for one in pathlib.Path(made, "store").iterdir():
        if one.is_file():
            shutil.copy(one, data)
    with contextlib.suppress(OSError), open(f"{data}/filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
if how == "locked":
    database._PRAGMAS = database._PRAGMAS.replace("busy_timeout = 10000", "busy_timeout = 10")
    other = sqlite3.connect(f"{data}/crmmail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
found = []
for line in lines:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(line)
    found.append((line, code, out.getvalue(), err.getvalue()))
print(json.dumps(found))
"""
DISK = 'mount -t tmpfs -o size=4000k none "$2"'
OF_A_LIBRARY = re.compile(r"Traceback|Errno|sqlite3|database (is|or)|unable to open|disk I/O")
WORDS = {"MESSAGE": "1", "RECORD": "1", "THREAD": "1", "MEETING": "1", "NAME": "x"}
WORDS |= {"IMAP": "127.0.0.1:1", "EVENTS": "events.ics", "FILE": "backup.db"}
EVENTS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260601T120000Z\r\n"
    "SUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
LAST = ("forget", "account remove", "rebuild", "restore")
"""What would leave nothing to read, or another store in the place of the one in trouble."""
READS = re.compile(
    r"(?:status|dump|agenda|skipped|path|config|keys|backup \S+|\S+ list|why \S+@\S+"
    r"|export (?:people|companies|meetings)|(?:people|person|company|companies|threads?) show 1"
    r"|account (?:folders|test) \S+)(?: --(?:json|meetings|contacts|format csv))*"
)
WRITES = re.compile(
    r"(?:sync|import|account (?:set|remove)|block (?:add|remove)|(?:opportunities|opportunity) add"
    r"|let-in (?:sender|remove)|forget|remember)\b.*"
)
SAYS = {
    "read-only": "is on a disk that is mounted read-only",
    "full": "The disk of ",
    "locked": "Another program is writing to",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str


def walk(how: str, mount: str, store: Path, folder: Path) -> list[Ended]:
    """Run every command there."""
    data, made = folder / "data", folder / "made"
    made.mkdir()
    (made / "events.ics").write_text(EVENTS)
    if how == "full":
        data.mkdir()
        shutil.copytree(store, made / "store")
    else:
        shutil.copytree(store, data)
    lines = [
        [*name.split(), *(WORDS.get(word, word) for word in words)]
        for name, several in sorted(ARGUMENTS.items(), key=lambda one: _turn(one[0]))
        for words in [*several, *([["ann@acme.example", "--yes"]] if name == "forget" else [])]
    ]
    done = run_on(mount, SCRIPT, how, data, made, json.dumps(lines))
    assert done.returncode == 0, done.stderr
    return [Ended(tuple(words), *rest) for words, *rest in json.loads(done.stdout)]


def _turn(name: str) -> int:
    return LAST.index(name) if name in LAST else -1


@pytest.mark.skipif(not can_mount(), reason=NEEDS)
@pytest.mark.parametrize(
    ("how", "mount"),
    [("read-only", READ_ONLY.replace("$1", "$2")), ("full", DISK), ("locked", "true")],
)
def test_every_command_says_what_is_wrong_and_what_to_do(
    how: str, mount: str, filled_data: Path, tmp_path: Path
) -> None:
    ended = walk(how, mount, filled_data, tmp_path)
    assert [one for one in ended if OF_A_LIBRARY.search(one.out + one.err)] == []
    assert {one.code for one in ended} <= {0, 1, 2, 3, 4}
    failed = [one for one in ended if one.code == 1 and one.words[0] != "doctor"]
    without = [one for one in failed if len(one.err.strip().splitlines()) < 2]
    assert without == [], "nothing to do is said"
    assert any(SAYS[how] in one.err for one in failed), [one.err for one in failed]
    assert all(one.out == "" for one in failed)
    reads = [one for one in ended if READS.fullmatch(" ".join(one.words))]
    assert {one.words[0] for one in reads} >= {"people", "thread", "status", "dump", "export"}
    assert [one for one in reads if one.code != 0] == []
    if how != "full":  # a small change finds room
        writes = [one for one in ended if WRITES.fullmatch(" ".join(one.words))]
        assert {one.words[0] for one in writes} >= {"sync", "import", "account", "block", "forget"}
        assert [one for one in writes if one.code != 1] == []
