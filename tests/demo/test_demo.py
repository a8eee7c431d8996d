"""The demo: a sample mailbox worth looking at, behind a server that real clients can talk to."""

from __future__ import annotations

import email
import email.policy
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient

from crmmail.demo.run import ALIAS, EMAIL, SECRET, Demo
from crmmail.demo.sample import Sample, SampleMessage, build, deals
from crmmail.errors import CrmmailError
from crmmail.store import accounts, companies, opportunities, people
from crmmail.store.database import Store
from crmmail.sync.loop import Loop, sync_once
from tests.patience import PATIENCE, until

NOW = datetime(2026, 3, 11, 15, 20, tzinfo=UTC)  # a Wednesday
HOME = "quietrooms.example"
FREE = {"gmail.com", "gmx.net", "outlook.com", "yahoo.co.jp"}


@pytest.fixture(scope="module")
def messages() -> list[SampleMessage]:
    return build(NOW)


@pytest.fixture(scope="module")
def parsed(messages: list[SampleMessage]) -> list[Message]:
    return [email.message_from_bytes(message.raw) for message in messages]


def is_bulk(message: Message) -> bool:
    """Whether a machine or a list wrote it."""
    return "X-Mailer" not in message


def participants(message: Message) -> list[str]:
    fields = [value for name in ("From", "To", "Cc") for value in message.get_all(name, [])]
    return [address for _, address in getaddresses(fields)]


def bodies(message: Message) -> dict[str, str]:
    """The decoded text of each text part, by its type."""
    found = {}
    for part in message.walk():
        if part.get_content_maintype() == "text" and part.get_filename() is None:
            raw = part.get_payload(decode=True)
            assert isinstance(raw, bytes)
            found[part.get_content_type()] = raw.decode(part.get_content_charset("ascii"))
    return found


def test_the_sample_is_the_same_every_time(messages: list[SampleMessage]) -> None:
    assert build(NOW) == messages


@pytest.mark.parametrize(
    "now", [NOW, datetime(2025, 1, 1, 0, 3, tzinfo=UTC), datetime(2027, 8, 29, 7, 0, tzinfo=UTC)]
)
def test_threads_run_forward_and_end_before_now(now: datetime) -> None:
    dates: dict[str, datetime] = {}
    messages = build(now)
    for message in messages:
        read = email.message_from_bytes(message.raw)
        sent_at = parsedate_to_datetime(read["Date"])
        dates[read["Message-ID"]] = sent_at
        assert abs(sent_at - message.internaldate) < timedelta(seconds=2)
        if answered := read["In-Reply-To"]:
            assert dates[answered] < sent_at, read["Subject"]
    assert now - timedelta(days=1) < messages[-1].internaldate < now
    assert timedelta(days=530) < now - messages[0].internaldate < timedelta(days=560)


def test_it_is_as_large_and_as_mixed_as_a_real_mailbox(parsed: list[Message]) -> None:
    personal = [message for message in parsed if not is_bulk(message)]
    people = {
        address for message in personal for address in participants(message) if HOME not in address
    }
    domains = {address.partition("@")[2] for address in people}
    assert 390 <= len(parsed) <= 440
    assert len(parsed) - len(personal) > 80
    assert 38 <= len(people) <= 44
    assert domains >= FREE
    assert 15 <= len(domains - FREE) <= 20
    assert all(domain.endswith(".example") for domain in domains - FREE)
    internal = [m for m in personal if all(a.endswith(HOME) for a in participants(m))]
    assert 25 <= len(internal) <= 45
    assert sum(ALIAS in participants(message) for message in personal) >= 5


def test_it_has_every_kind_of_message(parsed: list[Message]) -> None:
    types = Counter(part.get_content_type() for message in parsed for part in message.walk())
    assert types["text/html"] > 70
    assert types["text/calendar"] == 4
    for kind in ("application/pdf", "text/csv", "image/png"):
        assert types[kind] >= 10
    charsets = {part.get_content_charset() for message in parsed for part in message.walk()}
    assert charsets >= {"utf-8", "us-ascii", "iso-8859-1", "iso-2022-jp"}
    assert any(message.get_content_type() == "text/html" for message in parsed)
    for header in ("List-Id", "List-Unsubscribe", "List-Post", "Precedence", "Auto-Submitted"):
        assert sum(header in message for message in parsed) > 4, header


def test_it_speaks_many_languages(parsed: list[Message]) -> None:
    text = "\n".join(bodies(message).get("text/plain", "") for message in parsed)
    for words in ("schrieb", "a écrit", "escribió", "escreveu", "ha scritto", "pisze", "田中"):
        assert words in text
    assert "{+" not in text
    assert "{-" not in text


def test_every_message_is_well_formed(messages: list[SampleMessage]) -> None:
    for message in messages:
        assert max(len(line) for line in message.raw.split(b"\r\n")) <= 998
        assert b"\n" not in message.raw.replace(b"\r\n", b"")
        read = email.message_from_bytes(message.raw, policy=email.policy.default)
        assert not [defect for part in read.walk() for defect in part.defects]
        assert read["Message-ID"]
        assert read["Subject"].strip()
        assert all(text.strip() for text in bodies(read).values())


def test_attachments_are_what_they_claim_to_be(parsed: list[Message]) -> None:
    starts = {"application/pdf": b"%PDF-1.4", "image/png": b"\x89PNG\r\n", "text/csv": b"band_hz"}
    files = [p for message in parsed for p in message.walk() if p.get_filename()]
    assert len(files) > 60
    for part in files:
        assert part.get_payload(decode=True).startswith(starts[part.get_content_type()])


def test_conversations_hang_together_and_go_on_for_weeks(parsed: list[Message]) -> None:
    roots: dict[str, list[datetime]] = defaultdict(list)
    subjects = defaultdict(set)
    for message in parsed:
        if not is_bulk(message):
            root = message.get("References", message["Message-ID"]).split()[0]
            roots[root].append(parsedate_to_datetime(message["Date"]))
            subjects[root].add(str(message["Subject"]).rpartition(": ")[2][-12:])
    assert 65 <= len(roots) <= 85
    assert sum(max(dates) - min(dates) > timedelta(weeks=2) for dates in roots.values()) > 12
    assert sum(len(dates) >= 5 for dates in roots.values()) > 25


def test_answers_quote_what_they_answer(parsed: list[Message]) -> None:
    texts = {message["Message-ID"]: bodies(message).get("text/plain", "") for message in parsed}
    quoting = 0
    for message in parsed:
        before = texts.get(message["In-Reply-To"], "").split("\n")[0].strip()
        quoting += bool(before) and before in texts[message["Message-ID"]]
    assert quoting > 140


def test_folders_and_flags_are_those_of_a_mailbox_in_use(messages: list[SampleMessage]) -> None:
    folders = Counter(message.folder for message in messages)
    unread = [message for message in messages if "\\Seen" not in message.flags]
    assert set(folders) == {"INBOX", "Sent", "Archive", "Junk"}
    assert folders["Sent"] > 100
    assert folders["Archive"] > 60
    assert 5 <= sum(message.folder == "INBOX" for message in unread) <= 25
    assert not any(message.folder == "Sent" for message in unread)
    for message in messages:
        if message.folder == "Sent":
            assert EMAIL in email.message_from_bytes(message.raw)["From"]


def test_what_arrives_continues_threads_and_brings_new_people() -> None:
    sample = Sample(NOW)
    known = {email.message_from_bytes(message.raw)["Message-ID"] for message in sample.messages}
    seen = {a for m in sample.messages for a in participants(email.message_from_bytes(m.raw))}
    arrived = [email.message_from_bytes(m.raw) for m in sample.arrivals(lambda: NOW)]
    continuing = [message for message in arrived if message["In-Reply-To"]]
    strangers = {message["From"] for message in arrived if participants(message)[0] not in seen}
    assert 12 <= len(arrived) <= 16
    assert len(continuing) >= 10
    assert all(message["In-Reply-To"] in known for message in continuing)
    assert len(strangers) == 2
    assert all(parsedate_to_datetime(message["Date"]) == NOW for message in arrived)


def test_the_deals_name_people_of_the_sample(parsed: list[Message]) -> None:
    everybody = {address for message in parsed for address in participants(message)}
    noted = deals(NOW)
    assert len(noted) >= 8
    for deal in noted:
        assert deal.contact in everybody
        assert deal.contact.endswith(f"@{deal.domain}")
        assert deal.amount > 0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with Demo(tmp_path, NOW, every=0.3) as running:
        yield running


def client(demo: Demo) -> IMAPClient:
    connected = IMAPClient(demo.server.host, demo.server.port, ssl=False, timeout=PATIENCE)
    connected.login(EMAIL, os.environ[SECRET])
    return connected


def test_the_server_serves_the_sample_and_its_store_has_the_account(
    demo: Demo, messages: list[SampleMessage]
) -> None:
    with client(demo) as imap:
        served = Counter[bytes]()
        for _, _, folder in imap.list_folders():
            imap.select_folder(folder, readonly=True)
            found = imap.fetch(imap.search(), ["BODY.PEEK[]", "FLAGS"])
            served.update(one[b"BODY[]"] for one in found.values())
    assert served == Counter(message.raw for message in messages)
    store = Store(demo.store_path)
    (account,) = accounts.all_accounts(store.read())
    assert (account.email, account.port, account.secret) == (
        EMAIL,
        demo.server.port,
        f"env:{SECRET}",
    )
    store.close()


def test_a_delivered_message_is_heard_by_who_waits(demo: Demo) -> None:
    with client(demo) as imap:
        before = imap.select_folder("INBOX", readonly=True)[b"EXISTS"]
        imap.idle()
        assert demo.deliver_next()
        heard = until(lambda: [one for one in imap.idle_check(timeout=1) if one[1] == b"EXISTS"])
        imap.idle_done()
        newest = imap.fetch(imap.search()[-1:], ["BODY.PEEK[HEADER]"])
    assert heard == [(before + 1, b"EXISTS")]
    assert b"javier.ortega@meridiano.example" in next(iter(newest.values()))[b"BODY[HEADER]"]


def test_a_sync_finds_people_companies_and_deals_and_a_reason_for_the_rest(demo: Demo) -> None:
    store = Store(demo.store_path)
    assert not demo.note_deals(store)
    (report,) = sync_once(store)
    assert demo.note_deals(store)
    db = store.read()
    found = {row.name: row for row in people.rows(db, people.view(db))}
    assert (report.errors, report.listed) == ([], 420)
    assert set(report.skipped) == {"folder", "group", "internal", "invitation"}
    assert report.stored + sum(report.skipped.values()) == report.listed
    assert 36 <= len(found) <= 42
    assert {"Astrid Lindqvist", "田中 美咲", "Emre Yıldız"} <= set(found)
    assert found["Klaus Petersen"].threads == 4
    assert 15 <= len(companies.view(db)) <= 20
    assert all(row.threads for row in opportunities.rows(db, opportunities.view(db)))
    store.close()


def test_mail_that_arrives_by_itself_is_in_the_store_at_once(demo: Demo) -> None:
    store = Store(demo.store_path)
    loop = Loop(store)
    loop.start()
    demo.start_deliveries()  # every 0.3 s once the first import has brought all contacts
    met = until(lambda: people.view(store.read(), match="Hanna Wilk"))
    deals_noted = len(opportunities.view(store.read()))
    loop.stop(timeout=PATIENCE)
    assert len(met) == 1
    assert deals_noted == len(deals(NOW))
    store.close()


@pytest.mark.parametrize("before", [None, "of another demo"])
def test_everything_ends_with_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv(SECRET, raising=False)
    if before is not None:
        monkeypatch.setenv(SECRET, before)
    with Demo(tmp_path, NOW) as demo:
        demo.start_deliveries()
        imap = client(demo)
    assert os.environ.get(SECRET) == before
    demo.server._thread.join(PATIENCE)
    assert not demo.server._thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        IMAPClient(demo.server.host, demo.server.port, ssl=False, timeout=PATIENCE)
    with pytest.raises((OSError, imap.Error, imap.AbortError)):
        imap.noop()


def test_without_pymap_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "crmmail.demo.server", None)
    with pytest.raises(CrmmailError, match="not installed") as refused, Demo(tmp_path):
        pass
    assert "pip install 'crmmail[demo]'" in refused.value.hint
