"""The store follows the server: mail that is new, moved, deleted, re-flagged; folders (M12, S4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import ME, START, letter

from crmmail.store import accounts, leaving
from crmmail.store.database import Store
from crmmail.store.kinds import Flag
from crmmail.sync.loop import Report, sync_once

Sync = Callable[[], Report]


def messages(store: Store) -> dict[str, list[str]]:
    """Message-ID -> the folders it lies in."""
    rows = store.read().execute(
        """SELECT message.message_id, json_group_array(folder.name) FROM message
           LEFT JOIN placement ON placement.message_id = message.id
           LEFT JOIN folder ON folder.id = placement.folder_id GROUP BY 1 ORDER BY 1"""
    )
    return {mid: sorted(json.loads(folders)) for mid, folders in rows}


def test_new_mail_is_taken_up(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", letter(1))
    first = account()
    mailbox.append("INBOX", letter(2, refs="<1@test>"))
    second = account()
    assert (first.stored, first.threads) == (1, 1)
    assert (second.stored, second.threads) == (2, 1)


def test_a_pass_without_news_reads_no_message(mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", *[letter(number) for number in range(20)])
    account()
    assert account().bytes_received < 4_000


def test_a_moved_message_moves(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", letter(1), letter(2))
    account()
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.move([1], "Archive")
    account()
    assert messages(store) == {"1@test": ["Archive"], "2@test": ["INBOX"]}


def test_a_deleted_message_leaves_and_its_people_stay(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("INBOX", letter(1), letter(2, sender="Bo <bo@other.com>"))
    account()
    with store.write() as (db, _):
        db.execute(
            "INSERT INTO note (kind, record_id, text, created_at, changed_at) "
            "VALUES (1, 1, 'x', 0, 0)"
        )
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([1])
        client.expunge()
    account()
    assert messages(store) == {"2@test": ["INBOX"]}
    db = store.read()
    assert db.execute("SELECT count(*) FROM thread").fetchone() == (1,)
    assert db.execute("SELECT count(*) FROM thread_ref").fetchone() == (1,)
    assert db.execute("SELECT name, threads FROM person ORDER BY name").fetchall() == [
        ("Ann Lee", 0),
        ("Bo", 1),
    ]
    assert db.execute("SELECT count(*) FROM note").fetchone() == (1,)
    assert db.execute("SELECT rowid FROM search('ann')").fetchall() == []


def test_flags_follow(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", letter(1), letter(2))
    account()
    assert store.read().execute("SELECT sum(unread) FROM thread").fetchone() == (2,)
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.add_flags([1], [b"\\Seen", b"\\Flagged"])
    account()
    rows = store.read().execute("SELECT message_id, flags FROM message ORDER BY 1").fetchall()
    assert rows == [("1@test", Flag.SEEN | Flag.FLAGGED), ("2@test", 0)]
    assert store.read().execute("SELECT sum(unread) FROM thread").fetchone() == (1,)


def test_a_draft_that_was_sent_enters(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", (letter(1), [b"\\Draft"], None))
    assert account().skipped["draft"] == 1
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.remove_flags([1], [b"\\Draft"])
    assert account().skipped.get("draft", 0) == 0
    assert messages(store) == {"1@test": ["INBOX"]}


def test_what_became_a_draft_leaves(store: Store, mailbox: Mailbox, account: Sync) -> None:
    mailbox.append("INBOX", letter(1), letter(2))
    account()
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.add_flags([1], [b"\\Draft"])
    account()
    assert account().skipped == {"draft": 1}
    assert messages(store) == {"2@test": ["INBOX"]}


def test_a_renamed_folder_keeps_its_mail_without_a_download(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("Deals", *[letter(number, text="word " * 2000) for number in range(10)])
    account()
    before = dumped(store)
    with mailbox.client() as client:
        client.rename_folder("Deals", "Closed")
    assert account().bytes_received < 20_000
    assert [line.replace("Closed", "Deals") for line in dumped(store)] == before


def test_a_deleted_folder_takes_its_mail_along_when_the_third_run_says_so(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    mailbox.append("Deals", letter(1), letter(2))
    mailbox.append("INBOX", letter(2), letter(3))
    account()
    with mailbox.client() as client:
        client.delete_folder("Deals")
    for run in (1, 2):
        (told,) = sync_once(store)[0].errors
        assert told.startswith("Deals: the server does not list this folder any more; its 2 mess")
        assert told.endswith(f"({run} of 3).")
        assert messages(store)["1@test"] == ["Deals"]
    account()
    assert messages(store) == {"2@test": ["INBOX"], "3@test": ["INBOX"]}


def test_a_new_uidvalidity_maps_the_folder_again_without_a_download(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    def validity() -> int:
        found = store.read().execute("SELECT uidvalidity FROM folder WHERE name = 'Deals'")
        return int(found.fetchone()[0])

    letters = [letter(number, text="word " * 2000) for number in range(10)]
    letters.append(letter(10, more="List-Id: <l.example>"))
    mailbox.append("Deals", *[(one, (), START) for one in letters])
    account()
    before, old = dumped(store), validity()
    with mailbox.client() as client:
        client.delete_folder("Deals")
    mailbox.append("Deals", *[(one, (), START) for one in letters])
    assert account().bytes_received < 20_000
    assert validity() != old
    assert dumped(store) == before


def test_a_second_account_with_half_the_same_mail(
    store: Store, mailbox: Mailbox, dovecot, account: Sync
) -> None:
    letters = [letter(number) for number in range(20)]
    mailbox.append("INBOX", *letters[:15])
    account()
    other = Mailbox(dovecot, dovecot.add_user(f"second-{mailbox.user}"))
    other.append(
        "INBOX", *letters[10:], letter(30, sender="Me <me@home.example>", to="bo@other.com")
    )
    connect(store, other, "me@second.example")
    sync(store)
    assert len(messages(store)) == 21
    assert messages(store)["12@test"] == ["INBOX", "INBOX"]
    db = store.read()
    assert db.execute("SELECT outgoing FROM message WHERE message_id = '30@test'").fetchone() == (
        1,
    )
    assert db.execute("SELECT threads FROM person WHERE name = 'Ann Lee'").fetchone() == (20,)


def test_mail_to_a_role_lets_its_mail_in_whatever_came_first(
    store: Store, mailbox: Mailbox, account: Sync
) -> None:
    """M5: info@ is group mail until I write to it."""
    mailbox.append("INBOX", letter(1, sender="info@acme.com"), letter(2, sender="info@other.com"))
    assert account().skipped["group"] == 2
    mailbox.append("Sent", letter(3, sender=f"Me <{ME}>", to="info@acme.com"))
    assert account().skipped["group"] == 1
    assert set(messages(store)) == {"1@test", "3@test"}


@pytest.mark.parametrize("without", [("CONDSTORE", "QRESYNC"), ("LIST-STATUS", "IDLE", "ESEARCH")])
def test_servers_that_can_do_less(tmp_path: Path, monkeypatch, without: tuple[str, ...]) -> None:
    from tests.servers import Dovecot

    with Dovecot(without=without) as server:
        mailbox = Mailbox(server, server.add_user("poor@home.example"))
        monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
        store = Store(tmp_path / "poor.db")
        connect(store, mailbox)
        mailbox.append("INBOX", *[letter(number) for number in range(5)])
        sync(store)
        with mailbox.client() as client:
            client.select_folder("INBOX")
            client.add_flags([1], [b"\\Seen"])
            client.move([2], "Archive")
            client.delete_messages([3])
            client.expunge()
        mailbox.append("INBOX", letter(9))
        sync(store)
        assert messages(store) == {
            "0@test": ["INBOX"],
            "1@test": ["Archive"],
            "3@test": ["INBOX"],
            "4@test": ["INBOX"],
            "9@test": ["INBOX"],
        }
        assert store.read().execute("SELECT sum(unread) FROM thread").fetchone() == (4,)
        store.close()


def test_the_second_server_make(store: Store, pymap_server, monkeypatch) -> None:
    mailbox = Mailbox(pymap_server, pymap_server.user)
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    connect(store, mailbox)
    mailbox.append("INBOX", *[letter(number) for number in range(5)])
    sync(store)
    with mailbox.client() as client:
        client.select_folder("INBOX")
        client.delete_messages([client.search()[0]])
        client.expunge()
    mailbox.append("INBOX", letter(9))
    sync(store)
    assert set(messages(store)) == {"1@test", "2@test", "3@test", "4@test", "9@test"}


def test_a_large_invitation_is_known_by_the_text_of_its_calendar(
    mailbox: Mailbox, account: Sync
) -> None:
    """M6, where the calendar's own header does not say METHOD and the message is not read whole."""
    mailbox.append("INBOX", large("METHOD:REQUEST", 1), large("X-NOTHING:REQUEST", 2))
    report = account()
    assert report.skipped == {"invitation": 1}
    assert report.messages == 1


def large(line: str, number: int) -> bytes:
    """A message of 200 kB with a calendar that has this line."""
    message = EmailMessage()
    message["From"], message["To"] = "Ann Lee <ann@acme.com>", ME
    message["Message-ID"] = f"<large{number}@test>"
    message.set_content("See you there.")
    message.add_alternative(f"BEGIN:VCALENDAR\r\n{line}\r\nEND:VCALENDAR\r\n", "calendar")
    message.add_attachment(b"%PDF" * 40_000, "application", "pdf", filename="map.pdf")
    return message.as_bytes()


def test_a_removal_that_was_cut_short_goes_on_with_the_next_sync(
    store: Store, mailbox: Mailbox, account: Callable[[], Report]
) -> None:
    mailbox.append("INBOX", letter(1), letter(2))
    assert account().stored == 2
    with store.write() as (db, _):
        leaving.begin(db, 1)
    assert sync_once(store) == []
    assert accounts.all_accounts(store.read()) == []
    assert messages(store) == {}
