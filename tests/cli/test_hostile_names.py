"""What a server or an invitation chose never speaks to the terminal, whatever the command (S9)."""

from __future__ import annotations

import ast
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import typer

import crmmail.cli
from crmmail import secrecy, settings
from crmmail.cli import logs, output
from crmmail.cli.root import app
from crmmail.store import accounts
from crmmail.store.database import Store
from tests.cli.conftest import Cli
from tests.dav_proxy import DavProxy, Request
from tests.fake_imap import Call, FakeImap

ME, SECRET = "me@home.example", "secret-7Q-tuesday"
# Clipboard, screen, colour by C1, title, right-to-left, line separator, zero width, DEL.
EVIL = "\x1b]52;c;QQ==\x07\x1b[2J\x9b31m\x9d2;x\x9c\u202eevil\u2066\u2028\u200b\u0085\x7f"
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f]"
)
IN_XML = "\x9b31m\u202eevil\u2066\u2028"  # XML can hold no other
HEAD = (
    f"From: {EVIL}Ann <ann@acme.example>\r\nTo: {ME}, {EVIL}@evil.example\r\nSubject: {EVIL}Hi\r\n"
    f"Date: Mon, 3 Mar 2025 09:00:0%d +0000\r\nMessage-ID: <%d{EVIL}@x>\r\n"
    f"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)
STRUCTURE = (  # with a file of such a name
    '(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 10 1 NIL NIL NIL NIL)'
    f'("application" "pdf" ("name" "{EVIL}offer.pdf") NIL "{EVIL}" "base64" 100 NIL '
    f'("attachment" ("filename" "{EVIL}offer.pdf")) NIL NIL) "mixed" ("boundary" "{EVIL}") NIL NIL)'
)
PARTS = (
    f"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{EVIL} text\r\n--x\r\n"
    f"Content-Type: application/pdf\r\nContent-Disposition: attachment; "
    f"filename*=utf-8''{quote(EVIL)}offer.pdf\r\n\r\nx\r\n--x--\r\n"
)
EVENT = (
    f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:%s{IN_XML}\r\nSUMMARY:{IN_XML}Lunch\r\n"
    f"DTSTART:%d0601T120000Z\r\n%s\r\nLOCATION:{IN_XML}\r\n"
    f"ORGANIZER;CN={IN_XML}Ann:mailto:ann@acme.example\r\n"
    f"ATTENDEE;CN={IN_XML}Me:mailto:{ME}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def imap() -> FakeImap:
    """A server whose every word is hostile."""
    folder = f'"{EVIL}Deals"'
    said = f"NO [SERVERBUG] {EVIL}no"

    def fetch(call: Call) -> str:
        answers = []
        for uid in (1, 2):
            head = HEAD % (uid, uid)
            if uid == 1:
                head = head.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=x")
            if "STRUCTURE" in call.arguments:
                answers.append(f"* {uid} FETCH (UID {uid} BODYSTRUCTURE {STRUCTURE})")
                continue
            if "HEADER" in call.arguments:
                item = re.search(r"BODY\.PEEK(\[[^]]*\])", call.arguments)
                data, name = head, f"BODY{item[1]}" if item else ""
            else:
                data, name = f"{head}{PARTS if uid == 1 else EVIL} text\r\n", "BODY[]"
            size = len(data.encode())
            answers.append(
                f"* {uid} FETCH (UID {uid} FLAGS ({EVIL[-1]}x) "
                f'INTERNALDATE "03-Mar-2025 09:00:00 +0000" RFC822.SIZE {size} '
                f"{name} {{{size}}}\r\n{data})"
            )
        return "|".join([*answers, "OK done"])

    def status(call: Call) -> str:
        if "INBOX" not in call.arguments:  # the other names are literals
            return said
        return f"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1)|OK {EVIL}"

    def examine(call: Call) -> str:
        if "INBOX" not in call.arguments:  # the other names are literals
            return said
        return f"* 2 EXISTS|* OK [UIDVALIDITY 1] {EVIL}|* OK [UIDNEXT 3] x|OK {EVIL}"

    return FakeImap(
        {
            "LIST": f'* LIST () "/" INBOX|* LIST () "/" {folder}|* LIST ({EVIL}|'
            f'* LIST (\\Junk) "/" "{EVIL}Junk"|OK {EVIL}',
            "STATUS": status,
            "EXAMINE": examine,
            "UID SEARCH": "* SEARCH 1 2|OK done",
            "UID FETCH": fetch,
        }
    )


def calendar(asked: Request) -> tuple[int, dict[str, str], bytes]:
    """A calendar server of the same kind."""
    kind = {"Content-Type": "application/xml; charset=utf-8"}
    if asked.kind == "GET":
        return 500, {}, EVIL.encode()
    rules = [f"RRULE:FREQ={IN_XML}", f"DURATION:{IN_XML}", f"RRULE:FREQ=DAILY;UNTIL={IN_XML}", ""]
    if asked.kind == "calendar-multiget":
        props = [
            f"<c:calendar-data>{EVENT % (number, 2026, rule)}</c:calendar-data>"
            for number, rule in enumerate(rules)
        ]
    elif asked.depth == "1" and "cal/" in asked.path:
        props = ["" for _ in rules]
    else:
        return (
            207,
            kind,
            _multistatus(
                "/cal/",
                f"<d:displayname>{IN_XML}Work</d:displayname><c:calendar-home-set><d:href>/</d:href>"
                "</c:calendar-home-set><d:current-user-principal><d:href>/</d:href>"
                "</d:current-user-principal>"
                "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>",
            ),
        )
    both = [(f"/cal/{number}.ics", prop) for number, prop in enumerate(props)]
    return 207, kind, _multistatus(*[x for pair in both for x in pair])


def _multistatus(*pairs: str) -> bytes:
    responses = "".join(
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{prop}"
        f'<d:getetag>"{IN_XML}"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status>'
        "</d:propstat></d:response>"
        for href, prop in zip(pairs[::2], pairs[1::2], strict=True)
    )
    ns = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    return f'<?xml version="1.0"?><d:multistatus {ns}>{responses}</d:multistatus>'.encode()


@pytest.fixture
def store() -> Iterator[Store]:
    """The store that the commands use."""
    opened = Store(settings.store_path())
    yield opened
    opened.close()


@pytest.fixture
def hostile(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store with an account on such servers."""
    monkeypatch.setenv("CRMMAIL_PASSWORD", SECRET)
    dav = DavProxy(None)  # type: ignore[arg-type]  # it answers everything itself
    dav.script = calendar
    with imap() as server, dav:
        accounts.add(
            store,
            ME,
            host="127.0.0.1",
            port=server.port,
            security="none",
            username="me",
            secret="env:CRMMAIL_PASSWORD",
            policy="sent_and_received",
        )
        accounts.set_calendars(store, ME, url=f"{dav.url}cal/")
        yield store


def commands() -> Iterator[str]:
    """Every command there is."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        below = getattr(command, "commands", None)
        if below is None:
            yield " ".join(path)
        for name, one in (below or {}).items():
            yield from walk(one, (*path, name))

    return walk(typer.main.get_command(app), ())


PATTERNS = ["block add", "block remove", "let-in sender", "let-in remove", "forget", "remember"]
ARGUMENTS: dict[str, list[list[str]]] = {
    "sync": [[], ["--once", "--json"]],
    "skipped": [[], ["--json"], ["--meetings"], ["--meetings", "--json"], ["--contacts"]],
    "why": [[ME], ["ann@acme.example"], ["1"], ["ann@acme.example", "--json"], ["deals"]],
    "search": [["evil"], ["evil", "--json"]],
    "export": [["people"], ["companies"], ["threads"], ["meetings"], ["people", "--format", "csv"]],
    "import": [["EVENTS"], ["EVENTS", "--json"]],
    "account add": [["you@home.example", "--imap", "IMAP", "--security", "none"]],
    "account reconnect": [[ME, "--password-env", "CRMMAIL_PASSWORD"]],
    "account set": [[ME, "--policy", "none"]],
    "account folders": [[ME], [ME, "--json"], [ME, "--off", "nothing"]],
    "account test": [[ME], [ME, "--json"]],
    "attachment": [["1", "0"], ["MESSAGE", "0"]],
    "source": [["1"], ["MESSAGE"]],
    "backup": [["FILE"]],
    "restore": [["FILE", "--yes"]],
    "opportunities add": [["--name", "Deal"]],
    "opportunity add": [["--name", "Deal"]],
    "let-in message": [["<1@x>"]],
    "let-in meeting": [["MEETING"], ["nothing"]],
    "rebuild": [["--yes"]],
    "let-in folder": [[ME, "Deals"]],
    "let-in contact": [["ann@acme.example"]],
    "doctor": [[], ["--report"], ["--json"]],
    "calendar on": [["NAME"]],
    "calendar off": [["NAME"], ["nothing"]],
    "account remove": [[ME, "--yes"]],
    "calendar remove": [["NAME", "--yes"]],
    **{name: [["ann@acme.example"]] for name in PATTERNS},
    **{f"{kind} show": [["RECORD"], ["RECORD", "--json"]] for kind in ("people", "person")},
    **{f"{kind} show": [["1"], ["1", "--json"]] for kind in ("companies", "company")},
    **{f"{kind} show": [["1"], ["1", "--json"]] for kind in ("opportunities", "opportunity")},
    **{f"{kind} show": [["THREAD"], ["THREAD", "--json"]] for kind in ("thread", "threads")},
    **{f"{kind} show": [["MEETING"], ["MEETING", "--json"]] for kind in ("meeting", "meetings")},
}
LISTS = ["account", "calendar", "people", "person", "companies", "company", "opportunities"]
LISTS += ["opportunity", "thread", "threads", "block", "let-in"]
PLAIN = ["agenda", "status", "path", "config", "keys", *(f"{name} list" for name in LISTS)]
for one in PLAIN:
    ARGUMENTS[one] = [[], ["--json"]]
ARGUMENTS["dump"] = [[]]
NOT_RUN = {"demo"}  # it opens the app
LAST = ("let-in", "forget", "remember", "block", "calendar", "account remove", "restore", "rebuild")


def test_every_command_is_walked() -> None:
    assert set(commands()) == ARGUMENTS.keys() | NOT_RUN


def _word(store: Store, word: str, tmp_path: Path) -> str:
    """What a word of the table stands for."""
    queries = {
        "MESSAGE": "SELECT id FROM message",
        "RECORD": "SELECT id FROM person",
        "THREAD": "SELECT id FROM thread",
        "MEETING": "SELECT id FROM meeting",
        "NAME": "SELECT name FROM calendar",
        "IMAP": "SELECT host || ':' || port FROM account",
    }
    if word in queries:
        row = store.read().execute(f"{queries[word]} LIMIT 1").fetchone()
        return str(row[0]) if row else "1"
    if word == "EVENTS":
        file = tmp_path / "events.ics"
        file.write_text(EVENT % ("f", 2026, f"RRULE:FREQ={EVIL}"), "utf-8")
        return str(file)
    return str(tmp_path / "backup.db") if word == "FILE" else word


@pytest.fixture
def walked(
    hostile: Store, cli: Cli, tmp_path: Path
) -> Callable[[], dict[tuple[str, ...], tuple[int, str]]]:
    """Run every command after a sync; what each printed."""

    def walk() -> dict[tuple[str, ...], tuple[int, str]]:
        said = {}
        first = [name for name in ARGUMENTS if not name.startswith(LAST)]
        last = [name for name in ARGUMENTS if name.startswith(LAST)]
        for name in ["sync", *first, *last]:
            for words in ARGUMENTS[name]:
                line = [*name.split(), *(_word(hostile, word, tmp_path) for word in words)]
                done = cli(*line)
                said[tuple(line)] = (done.code, (done.out + done.err).replace("\r\n", "\n"))
        return said

    return walk


@pytest.mark.parametrize("place", ["pipe", "terminal"])
def test_no_command_lets_a_server_speak_to_the_terminal(
    walked: Callable[[], dict[tuple[str, ...], tuple[int, str]]],
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data: tuple[str, ...] = ("export", "source", "attachment")  # into a pipe a file goes as it is
    if place == "terminal":
        data = ()
        monkeypatch.setenv("TERM", "dumb")  # what obeys nothing shows tables without colours
        monkeypatch.setenv("COLUMNS", "1000")
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    said = walked()
    texts = {
        line: re.sub("\r[0-9,]+ of [0-9,]+", "", out)  # how far it is, counted on in one place
        for line, (_, out) in said.items()
        if line[0] not in data
    }
    spoke = {line: OBEYED.findall(out) for line, out in texts.items() if OBEYED.search(out)}
    assert spoke == {}
    assert not [line for line, (_, out) in said.items() if "Traceback" in out]
    everything = "".join(out for _, out in said.values()).replace(" ", "")
    for shown in (
        "Deals",
        "evilHi",
        "evilAnn",
        "evilWork",
        "evilLunch",
        "RRULE",
        "DURATION",
        "eviloffer",
    ):
        assert shown in everything, shown


def test_no_text_that_is_shown_is_stored_as_it_came(hostile: Store, cli: Cli) -> None:
    assert "evil" in cli("sync").err
    db = hostile.read()
    exempt = {  # they go back to the server, or to a parser, and no screen shows them
        ("calendar_object", name) for name in ("raw", "etag", "href", "uid")
    } | {("calendar", "url"), ("calendar", "sync_token"), ("calendar", "ctag"), ("folder", "wire")}
    found = set()
    tables = [row[0] for row in db.execute("SELECT name FROM pragma_table_list WHERE type='table'")]
    assert "sync_state" in tables
    for table in tables:
        for _, column, *_ in db.execute("SELECT * FROM pragma_table_info(?)", [table]).fetchall():
            values = db.execute(f'SELECT "{column}" FROM "{table}"').fetchall()
            if any(isinstance(v, str) and OBEYED.search(v.replace("\n", "")) for (v,) in values):
                found.add((table, column))
    assert found - exempt == set()


@pytest.mark.parametrize("content", [f"a{EVIL}b\r\n", f"a{EVIL}b\r\n".encode()])
def test_a_file_on_a_terminal_is_a_text_that_can_be_read(
    content: str | bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    output.write_file(content)
    sys.stdout.flush()
    assert capfd.readouterr().out == f"a{EVIL}b\r\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    output.write_file(content)
    sys.stdout.flush()
    assert capfd.readouterr().out == "a]52;c;QQ==[2J31m2;xevilb\n"


def test_json_says_the_same_without_what_a_terminal_obeys() -> None:
    said = output.json_text({"name": f"{EVIL}ü😀", "two": "a\nb\tc"})
    assert not OBEYED.search(said)
    assert json.loads(said) == {"name": f"{EVIL}ü😀", "two": "a\nb\tc"}


def test_the_log_of_a_library_passes_the_gate(capfd: pytest.CaptureFixture[str]) -> None:
    secrecy.remember(SECRET)
    logs.keep_safe()
    record = logging.LogRecord("caldav", logging.ERROR, "", 0, f"{EVIL}%s", (SECRET,), None)
    assert logging.lastResort is not None
    said = logging.lastResort.format(record)
    assert not OBEYED.search(said)
    assert SECRET not in said


def test_a_warning_of_a_library_says_nothing_to_the_terminal() -> None:
    program = (
        "import sys, warnings; from crmmail.cli import logs; logs.keep_safe(); "
        "warnings.warn(sys.argv[1]); print('ended')"
    )
    done = subprocess.run([sys.executable, "-c", program, EVIL], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("ended\n", "")


PRINTS = {"print", "echo", "secho", "confirm", "prompt", "Console"}


def test_no_command_prints_past_the_gate() -> None:
    """`cli/output.py` is the gate. `Console` in sync.py draws bars, with no words of a server."""
    folder = Path(crmmail.cli.__file__).parent
    allowed = {("output.py", name) for name in ("print", "confirm", "prompt", "Console")} | {
        ("problems.py", "print"),
        ("__init__.py", "print"),
        ("sync.py", "Console"),
    }
    found = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            name = called.rpartition(".")[2]
            gate = name == "confirm" and "." not in called  # output's own
            stream = re.search(r"std(out|err)(\.buffer)?\.write$", called)
            if (name in PRINTS and not gate) or stream:
                found.add((path.name, name))
    assert found - allowed - {("output.py", "write")} == set()
