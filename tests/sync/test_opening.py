"""Attachments stay on the server until they are opened, and come back byte for byte."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest
from tests.conftest import Mailbox
from tests.sync.letters import ME

from crmmail.store.database import Store
from crmmail.sync import opening
from crmmail.sync.problems import Problem

PDF = bytes(range(256)) * 40
BIG = bytes(reversed(range(256))) * 1_000


def enclosing() -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Ann Lee <ann@acme.com>", ME
    message["Subject"], message["Message-ID"] = "Enclosed", "<enclosed@test>"
    message["Date"] = "Mon, 05 Jan 2026 09:00:00 +0000"
    message.set_content("See the two files.")
    message.add_alternative("<p>See the two files.</p>", subtype="html")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="../Größe.pdf")
    message.add_attachment(BIG, maintype="application", subtype="zip", filename="big.zip")
    return message.as_bytes().replace(b"\n", b"\r\n")


def message_id(store: Store) -> int:
    return int(store.read().execute("SELECT id FROM message").fetchone()[0])


def test_an_attachment_is_fetched_when_opened(store: Store, mailbox: Mailbox, account) -> None:
    raw = enclosing()
    mailbox.append("INBOX", raw)
    report = account()
    assert report.bytes_received < 20_000 < len(base64.b64encode(BIG))
    listed = store.read().execute("SELECT name, mime FROM attachment ORDER BY position").fetchall()
    assert listed == [("Größe.pdf", "application/pdf"), ("big.zip", "application/zip")]
    first = opening.attachment(store, message_id(store), 0)
    second = opening.attachment(store, message_id(store), 1)
    assert (first.name, first.mime, first.data) == ("Größe.pdf", "application/pdf", PDF)
    assert (second.name, second.data) == ("big.zip", BIG)
    with mailbox.client() as client:
        client.select_folder("INBOX", readonly=True)
        assert client.search("SEEN") == []


def test_the_source_is_the_message_as_sent(store: Store, mailbox: Mailbox, account) -> None:
    raw = enclosing()
    mailbox.append("INBOX", raw)
    account()
    assert opening.source(store, message_id(store)) == raw


def test_what_is_gone_is_told(store: Store, mailbox: Mailbox, account) -> None:
    mailbox.append("INBOX", enclosing())
    account()
    with pytest.raises(Problem, match="no such attachment"):
        opening.attachment(store, message_id(store), 7)
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
        client.expunge()
    with pytest.raises(Problem, match="any more"):
        opening.attachment(store, message_id(store), 0)
