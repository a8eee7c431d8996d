"""The same scenarios on several makes of IMAP server end with the same store as on Dovecot.

Dovecot and pymap in every run; with CRMMAIL_SERVERS=all (`make servers`) Cyrus, Courier and GNU
mailutils too.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.more_servers import Courier, Cyrus, Mailutils
from tests.patience import PATIENCE
from tests.remote import Remote
from tests.server_packages import Unavailable
from tests.servers import Dovecot, ImapServer, Pymap
from tests.sync.conftest import connect, dumped
from tests.sync.letters import ME, letter
from tests.sync.test_live import idling, looping, wait_until

from crmmail.store import opportunities, threads
from crmmail.store.database import Store
from crmmail.store.kinds import Flag, Kind
from crmmail.sync.loop import sync_once

__all__ = ["idling"]

MAKES = {
    "dovecot": Dovecot,
    "pymap": Pymap,
    "cyrus": Cyrus,
    "courier": Courier,
    "mailutils": Mailutils,
}
USUAL = ("dovecot", "pymap")
TRIED = tuple(MAKES) if os.environ.get("CRMMAIL_SERVERS") == "all" else USUAL
RUNS = 4
"""Runs after which what the server says is believed, and what left it has left the store."""
_numbers = itertools.count(1)


class Crm:
    """A store with one account on a remote mailbox."""

    def __init__(self, path: Path, remote: Remote, idle: threading.Event) -> None:
        self.store, self.remote, self.idle = Store(path), remote, idle
        connect(self.store, remote)  # type: ignore[arg-type]

    def sync(self) -> None:
        """Run until what the server says is believed; the last run must go well."""
        for _ in range(RUNS):
            (report,) = sync_once(self.store)
        assert report.errors == []
        assert report.listed == report.stored + sum(report.skipped.values()), report

    def where(self) -> dict[str, list[str]]:
        """The folders of each message in the store, by Message-ID."""
        found: dict[str, list[str]] = {}
        for one in self.facts("message"):
            places = [self.remote.plain(name) for _, name in one["placements"]]
            found[one["message_id"]] = sorted(places)
        return found

    def flags(self) -> dict[str, int]:
        """The flags of each message, by Message-ID."""
        return {one["message_id"]: one["flags"] for one in self.facts("message")}

    def facts(self, what: str) -> list[dict[str, object]]:
        """The lines of the dump that tell of one kind of thing."""
        return [one for one in map(json.loads, dumped(self.store)) if one["what"] == what]

    def dump(self) -> list[str]:
        """The dump with the folders' names as Dovecot spells them."""
        lines = []
        for one in map(json.loads, dumped(self.store)):
            if one["what"] == "folder":
                one["name"] = self.remote.plain(one["name"])
            elif one["what"] == "message":
                places = [[email, self.remote.plain(name)] for email, name in one["placements"]]
                one["placements"] = sorted(places)
            elif one["what"] == "skipped":
                one["folder"] = self.remote.plain(one["folder"])
            lines.append(json.dumps(one, ensure_ascii=False))
        return sorted(lines)

    def link(self, message_id: str) -> None:
        """Put a message's thread on an opportunity by hand."""
        query = "SELECT thread_id FROM message WHERE message_id = ?"
        (thread_id,) = self.store.read().execute(query, [message_id]).fetchone()
        deal = opportunities.add(self.store, "Deal")
        threads.link(self.store, Kind.OPPORTUNITY, deal, thread_id)

    def linked(self) -> list[str]:
        """The threads that are on an opportunity by hand."""
        return [str(one["thread"]) for one in self.facts("linked")]


def long_mail() -> bytes:
    """A message that is fetched in parts: HTML, a text in Latin-1, an attachment of 90 kB."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Åsa Öberg <asa@nord.example>", ME
    mail["Subject"], mail["Date"] = "Größe – 見積", "Mon, 12 Jan 2026 09:00:00 +0100"
    mail["Message-ID"] = "<long@test>"
    mail.set_content("Grüße aus Göteborg.\n", charset="iso-8859-1")
    mail.add_alternative("<p>Grüße aus <b>Göteborg</b>.</p>", subtype="html")
    mail.add_attachment(bytes(range(256)) * 360, "application", "pdf", filename="Angebot ä.pdf")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def fill(remote: Remote) -> None:
    """A mailbox of one day: threads, flags, sent mail, a draft, a list, trash, a big message."""
    remote.append("INBOX", *[letter(n, refs=f"<{n - 1}@test>" if n % 3 else "") for n in range(6)])
    remote.append("INBOX", long_mail(), letter(10, more="List-Id: <news.example>"))
    remote.append("INBOX", (letter(11), ["\\Seen", "\\Flagged"], None))
    remote.append("Sent", (letter(12, sender=ME, to="Bea <bea@acme.com>"), ["\\Seen"], None))
    remote.append("Drafts", (letter(13, sender=ME, to="bea@acme.com"), ["\\Draft"], None))
    remote.append("Trash", letter(14))
    remote.create("Clients")
    remote.create("Clients/North")
    remote.append("Clients/North", letter(20), letter(21, refs="<20@test>"), letter(22))


def first_import(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    ids = {*[f"{n}@test" for n in (*range(6), 11, 12, 20, 21, 22)], "long@test"}
    assert set(crm.where()) == ids
    assert crm.where()["21@test"] == ["Clients/North"]
    assert crm.flags()["11@test"] == Flag.SEEN | Flag.FLAGGED
    (long,) = [one for one in crm.facts("message") if one["message_id"] == "long@test"]
    assert long["subject"] == "Größe – 見積"
    assert "Grüße aus Göteborg." in str(long["text"])
    assert [name for name, _, _ in long["attachments"]] == ["Angebot ä.pdf"]  # type: ignore[attr-defined]
    assert [one["reason"] for one in crm.facts("skipped")] == ["group"]
    roles = {crm.remote.plain(str(one["name"])): one["role"] for one in crm.facts("folder")}
    assert roles["Sent"], roles["Trash"] == ("sent", "trash")


def new_mail(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    crm.remote.append("INBOX", letter(30, refs="<5@test>"), letter(31, sender="Cy <cy@new.com>"))
    crm.remote.append("Clients/North", letter(32))
    crm.sync()
    where = crm.where()
    assert (where["30@test"], where["32@test"]) == (["INBOX"], ["Clients/North"])
    assert "Cy" in [one["name"] for one in crm.facts("person")]


def deleted_mail(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    uids = crm.remote.uids("INBOX")
    crm.remote.expunge("INBOX", [uids[0], uids[4]])
    crm.remote.expunge("Clients/North", crm.remote.uids("Clients/North")[2:])
    crm.sync()
    assert not {"0@test", "4@test", "22@test"} & set(crm.where())
    assert len(crm.where()) == 9


def moved_mail(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    crm.link("11@test")
    crm.remote.move(crm.remote.uids("INBOX")[-1:], "INBOX", "Archive")
    crm.remote.move(crm.remote.uids("Clients/North")[:1], "Clients/North", "INBOX")
    crm.sync()
    where = crm.where()
    assert (where["11@test"], where["20@test"]) == (["Archive"], ["INBOX"])
    assert crm.linked() == ["11@test"]


def flags(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    uids = crm.remote.uids("INBOX")
    crm.remote.flag("INBOX", uids[:1], "\\Seen", "\\Answered")
    crm.remote.flag("INBOX", uids[-1:])
    crm.remote.flag("Clients/North", crm.remote.uids("Clients/North")[:1], "\\Seen", "\\Flagged")
    crm.sync()
    found = crm.flags()
    assert found["0@test"] == Flag.SEEN | Flag.ANSWERED
    assert found["11@test"] == 0
    assert found["20@test"] == Flag.SEEN | Flag.FLAGGED


def renamed_folder(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    crm.link("22@test")
    crm.remote.rename("Clients/North", "Clients/South")
    crm.sync()
    assert crm.where()["22@test"] == ["Clients/South"]
    assert crm.linked() == ["22@test"]
    names = [crm.remote.plain(str(one["name"])) for one in crm.facts("folder")]
    assert "Clients/South" in names
    assert "Clients/North" not in names


def deleted_folder(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    crm.remote.delete("Clients/North")
    crm.sync()
    assert not {"20@test", "21@test", "22@test"} & set(crm.where())
    names = [crm.remote.plain(str(one["name"])) for one in crm.facts("folder")]
    assert "Clients/North" not in names


def new_uidvalidity(crm: Crm) -> None:
    fill(crm.remote)
    crm.sync()
    crm.link("22@test")
    before = crm.where()
    crm.remote.renew("Clients/North")
    crm.remote.append("Clients/North", letter(23))
    crm.sync()
    assert crm.where() == {**before, "23@test": ["Clients/North"]}
    assert crm.linked() == ["22@test"]


def idle(crm: Crm) -> None:
    fill(crm.remote)
    pushes = crm.remote.server.pushes
    with looping(crm.store, interval=100 * PATIENCE if pushes else 1.0):
        assert crm.idle.wait(PATIENCE)
        crm.remote.append("INBOX", letter(30))
        wait_until(crm.store, lambda: "30@test" in crm.where())
    crm.sync()


SCENARIOS: dict[str, Callable[[Crm], None]] = {
    "first import": first_import,
    "new mail": new_mail,
    "deleted mail": deleted_mail,
    "moved mail": moved_mail,
    "flags": flags,
    "renamed folder": renamed_folder,
    "deleted folder": deleted_folder,
    "new UIDVALIDITY": new_uidvalidity,
    "IDLE": idle,
}
Opened = Callable[[str], AbstractContextManager[Remote]]
_dovecots: dict[str, list[str]] = {}


@pytest.fixture(scope="module")
def opened(dovecot: Dovecot) -> Iterator[Opened]:
    """Gives a fresh mailbox on a make of server, started when it is asked for first."""
    started: dict[str, ImapServer] = {"dovecot": dovecot}
    with ExitStack() as stack:

        @contextmanager
        def remote(make: str) -> Iterator[Remote]:
            if make == "pymap":  # it has one user
                with Pymap() as pymap:
                    yield Remote(pymap, pymap.user)
                return
            if make not in started:
                started[make] = stack.enter_context(MAKES[make]())
            server = started[make]
            yield Remote(server, server.add_user(f"alike{next(_numbers)}@home.example"))

        yield remote


@pytest.fixture
def play(
    tmp_path: Path, idling: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Remote, str], list[str]]:
    """Plays a scenario in a mailbox; returns the dump that it ends in."""

    def run(remote: Remote, scenario: str) -> list[str]:
        monkeypatch.setenv("CRMMAIL_PASSWORD", remote.password)
        idling.clear()
        crm = Crm(tmp_path / f"{remote.server.name}.db", remote, idling)
        try:
            SCENARIOS[scenario](crm)
            return crm.dump()
        finally:
            crm.store.close()

    return run


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("make", TRIED)
def test_a_scenario_ends_as_it_does_on_dovecot(
    make: str,
    scenario: str,
    opened: Opened,
    play: Callable[[Remote, str], list[str]],
    record_property: Callable[[str, object], None],
) -> None:
    record_property("make", make)
    record_property("scenario", scenario)
    try:
        with opened(make) as remote:
            record_property("version", remote.server.version())
            record_property("note", remote.server.note)
            record_property("capabilities", remote.capabilities())
            record_property("spelling", remote.path("Clients/North"))
            if scenario == "IDLE" and not remote.server.pushes:
                record_property("how", "by the next poll")
            found = play(remote, scenario)
    except Unavailable as why:
        record_property("unavailable", str(why))
        pytest.fail(f"{make} cannot be had here: {why}.", pytrace=False)
    if make == "dovecot":
        _dovecots[scenario] = found
    elif scenario not in _dovecots:
        with opened("dovecot") as remote:
            _dovecots[scenario] = play(remote, scenario)
    assert found == _dovecots[scenario]
