"""Folders are decoded for the eye only, and known by what the server calls them (M15)."""

from __future__ import annotations

import pytest
from tests.conftest import Mailbox as Mail
from tests.fake_imap import Call, FakeImap
from tests.sync.conftest import connect

from crmmail.store.database import Store
from crmmail.sync import folder_names
from crmmail.sync.answers import FolderInfo
from crmmail.sync.folder_names import Entry
from crmmail.sync.loop import sync_once
from crmmail.sync.mailbox import Login, Mailbox
from crmmail.sync.respelling import respell


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        (b"Entw&APw-rfe", "Entwürfe"),
        (b"a&AOQ-&APY-b", "aäöb"),
        (b"&BBAEMQQyACYEMwQ0BDU-", "Абв&где"),
        (b"&2D3eAA-", "😀"),
        (b"R&D", "R&D"),
        (b"R&D-Team", "R&D-Team"),
        (b"R&-D", "R&D"),
        (b"A & B - C", "A & B - C"),
        (b"&AOQ", "&AOQ"),  # it never ends
        (b"&2D0-", "&2D0-"),  # half a character
        ("Entwürfe".encode(), "Entwürfe"),
        ("Entwürfe".encode("latin-1"), "Entwürfe"),
        ("Größe & Maß-Kunden".encode(), "Größe & Maß-Kunden"),
        (b"inbox", "INBOX"),
    ],
)
def test_a_name_is_read_as_its_server_means_it(wire: bytes, read: str) -> None:
    assert folder_names.decoded(wire) == read


def lines(*pieces: bytes | tuple[bytes, bytes]) -> tuple[list[tuple[bytes, bytes]], int]:
    entries, unread = folder_names.listed(pieces)
    return [(one.wire, one.delimiter) for one in entries], len(unread)


@pytest.mark.parametrize(
    ("line", "wire"),
    [
        (b'(\\HasNoChildren) "/" "A"', b"A"),
        (b'() "/" A', b"A"),
        (b'(\\Marked) nil "A"', b"A"),
        (b'(\\HasChildren) "/" "A" ("CHILDINFO" ("SUBSCRIBED"))', b"A"),
        (b'(\\HasChildren) "/" A ("OLDNAME" ("B"))', b"A"),
        (b'() "\\\\" "a \\"b\\" \\\\ c"', b'a "b" \\ c'),
        (b'() "/" My folder', b"My folder"),  # no atom, but what it means is clear
        (b'() "/" 2024', b"2024"),
        (b'() "/" "A" ', b"A"),
        (b'(\\Sent)  "/"  "two  spaces"', b"two  spaces"),
    ],
)
def test_a_list_line_is_read_in_every_form(line: bytes, wire: bytes) -> None:
    assert lines(line)[0][0][0] == wire
    assert lines(line)[1] == 0


def test_a_name_in_a_literal_may_hold_anything() -> None:
    found, unread = lines(
        (b'(\\Marked) "/" {9}', b'a "b" \\ c'),
        b"",
        (b'() "/" {4}', b"d\r\ne"),
        b' ("CHILDINFO" ("SUBSCRIBED"))',
        b'() "/" "f"',
    )
    assert [wire for wire, _ in found] == [b'a "b" \\ c', b"d\r\ne", b"f"]
    assert unread == 0


@pytest.mark.parametrize(
    "broken", [b'(\\HasNoChildren "/" "A"', b'() "/" "A', b"()", b"nonsense", b'() "/"', b"()) x"]
)
def test_a_line_that_cannot_be_read_is_counted_and_the_others_are_read(broken: bytes) -> None:
    found, unread = lines(b'() "/" INBOX', broken, b'() "/" "B"')
    assert ([wire for wire, _ in found], unread) == ([b"INBOX", b"B"], 1)


def test_a_folder_that_is_listed_twice_is_one() -> None:
    assert lines(b'() "/" INBOX', b'() "/" "Inbox"', b'() "/" "A"', b'() "/" A')[0] == [
        (b"INBOX", b"/"),
        (b"A", b"/"),
    ]


def test_counts_are_found_however_the_name_is_spelled() -> None:
    found = folder_names.counted(
        [
            b'"R&D" (MESSAGES 3 UIDNEXT 4)',
            b"inbox (MESSAGES 1 UIDNEXT NIL)",
            (b"{3}", b"a b"),
            b" (MESSAGES 2 MAILBOXID (F1))",
            b"two words (messages 7)",
            b"broken",
        ]
    )
    assert found == {
        b"R&D": {b"MESSAGES": 3, b"UIDNEXT": 4},
        b"INBOX": {b"MESSAGES": 1},
        b"a b": {b"MESSAGES": 2},
        b"two words": {b"MESSAGES": 7},
    }


def names(*wires: bytes) -> list[str]:
    found = folder_names.shown([Entry(wire, (), b"/") for wire in wires])
    return [found[wire] for wire in wires]


def test_no_two_folders_of_an_account_look_alike() -> None:
    raw, canonical = "Entwürfe".encode(), b"Entw&APw-rfe"
    assert names(raw, canonical) == ["Entwürfe (Entw\\xc3\\xbcrfe)", "Entwürfe"]
    assert names(raw) == ["Entwürfe"]
    assert names(b"a  b", b"a b") == ["a b (a  b)", "a b"]


def test_a_name_cannot_speak_to_a_terminal() -> None:
    hostile = b"\x1b]52;c;QQ==\x07x", "\x9b2Jy\u202ez".encode(), b"\x1b\x07", b"&IC4-a"
    assert names(*hostile) == ["]52;c;QQ==x", "2Jyz", "\\x1b\\x07", "a"]


def made(store: Store, *rows: tuple[str, bytes]) -> dict[int, int]:
    """Folders of an account, and a message count by row to know them by."""
    from crmmail.store import accounts

    accounts.add(store, "me@home.example", host="h", port=1, security="none", username="me")
    with store.write() as (db, _):
        for count, (name, wire) in enumerate(rows, 1):
            db.execute(
                "INSERT INTO folder (account_id, name, wire, messages) VALUES (1, ?, ?, ?)",
                [name, wire, count],
            )
    return {}


def after(store: Store, *wires: bytes) -> dict[str, tuple[int, bytes]]:
    """The folders by name, once a server has listed these."""
    shown = folder_names.shown([Entry(wire, (), b"/") for wire in wires])
    infos = [FolderInfo(shown[wire], "", True, wire=wire) for wire in wires]
    with store.write() as (db, _):
        respell(db, 1, infos)
    rows = store.read().execute("SELECT name, messages, wire FROM folder")
    return {name: (count, wire) for name, count, wire in rows}


def test_a_store_from_before_learns_how_its_folders_are_spelled(store: Store) -> None:
    made(store, ("INBOX", b""), ("Entwürfe", b""), ("Gr\u00c3\u00bcn", b""), ("a  b", b""))
    assert after(store, b"Inbox", b"Entw&APw-rfe", "Grün".encode(), b"a  b") == {
        "INBOX": (1, b"Inbox"),
        "Entwürfe": (2, b"Entw&APw-rfe"),
        "Grün": (3, "Grün".encode()),
        "a b": (4, b"a  b"),
    }


def test_names_that_change_places_stay_with_their_folders(store: Store) -> None:
    raw, canonical = "ü".encode(), b"&APw-"
    made(store, ("ü", raw))
    assert after(store, raw, canonical) == {"ü (\\xc3\\xbc)": (1, raw)}
    assert after(store, raw) == {"ü": (1, raw)}


def test_a_folder_that_is_not_listed_now_gives_its_name_away_and_stays(store: Store) -> None:
    raw, canonical = "ü".encode(), b"&APw-"
    made(store, ("ü", raw))
    assert after(store, canonical) == {"ü (\\xc3\\xbc)": (1, raw)}


FOLDERS = (
    '* LIST () "/" INBOX|* LIST () "/" "R&D"|* LIST () "/" "Grün"|* LIST () "/" a&AOQ-&APY-b|OK'
)


@pytest.mark.parametrize(
    ("literal", "capability"), [("{5}", "IMAP4rev1"), ("{5+}", "IMAP4rev1 LITERAL+")]
)
def test_the_very_bytes_go_back_to_the_server(
    store: Store, monkeypatch: pytest.MonkeyPatch, literal: str, capability: str
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "secret")
    opened = "* 0 EXISTS|* OK [UIDVALIDITY 5] x|* OK [UIDNEXT 9] x|OK [READ-ONLY] done"

    def status(call: Call) -> str:
        name, _, _ = call.arguments.rpartition(" (")
        if call.arguments.startswith("{"):
            return '* STATUS "Grün" (MESSAGES 0 UIDNEXT 9 UIDVALIDITY 5)|OK done'
        return f"* STATUS {name} (MESSAGES 0 UIDNEXT 9 UIDVALIDITY 5)|OK done"

    script = {
        "CAPABILITY": f"* CAPABILITY {capability}|OK done",
        "LIST": FOLDERS,
        "STATUS": status,
        "EXAMINE": opened,
    }
    with FakeImap(script) as fake:
        connect(store, Mail(fake, "me"))  # type: ignore[arg-type]
        report = sync_once(store)[0]
    assert report.errors == []
    asked = {call.arguments for call in fake.calls if call.name in ("STATUS", "EXAMINE")}
    spelled = {one.partition(" (MESS")[0] for one in asked if not one.startswith("{")}
    assert spelled == {'"INBOX"', '"R&D"', '"a&AOQ-&APY-b"'}
    assert {one for one in asked if one.startswith("{")} == {literal}
    rows = store.read().execute("SELECT name, wire FROM folder ORDER BY id").fetchall()
    assert rows == [
        ("INBOX", b"INBOX"),
        ("R&D", b"R&D"),
        ("Grün", "Grün".encode()),
        ("aäöb", b"a&AOQ-&APY-b"),
    ]


def test_one_line_that_cannot_be_read_is_told_and_the_mail_of_the_others_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "secret")
    with FakeImap({"LIST": '* LIST (\\Marked "/" "A"|* LIST () "/" INBOX|OK done'}) as fake:
        connect(store, Mail(fake, "me"))  # type: ignore[arg-type]
        report = sync_once(store)[0]
    assert report.errors == ["The server's list of folders cannot be read in 1 of its lines."]
    assert store.read().execute("SELECT name FROM folder").fetchall() == [("INBOX",)]


def test_status_answers_are_matched_by_the_name_on_the_wire() -> None:
    script = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 LIST-STATUS|OK done",
        "LIST": '* LIST () "/" "R&D"|* STATUS "R&D" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 5)'
        '|* LIST (\\Sent) "/" inbox|* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 4)|OK done',
    }
    with FakeImap(script) as fake:
        mailbox = Mailbox(Login("127.0.0.1", fake.port, "none", "me", "secret"))
        found = {one.name: (one.messages, one.uidnext, one.role) for one in mailbox.folders()}
        mailbox.close()
    assert found == {"R&D": (3, 4, ""), "INBOX": (2, 3, "inbox")}


def test_a_folder_whose_line_cannot_be_read_does_not_count_as_not_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRMMAIL_PASSWORD", "secret")
    good, broken = '* LIST () "/" "A"|', '* LIST (\\Marked "/" "A"|'

    def listed(call: Call) -> str:
        return f'{good if call.count == 1 else broken}* LIST () "/" INBOX|OK done'

    with FakeImap({"LIST": listed, "STATUS": a_message}) as fake:
        connect(store, Mail(fake, "me"))  # type: ignore[arg-type]
        for _ in range(6):
            sync_once(store)
    found = store.read().execute(
        """SELECT name, runs FROM folder LEFT JOIN unconfirmed ON folder_id = id AND kind = 'folder'
           ORDER BY name"""
    )
    assert found.fetchall() == [("A", 0), ("INBOX", None)]


def a_message(call: Call) -> str:
    """Each folder has one."""
    name, _, _ = call.arguments.rpartition(" (")
    return f"* STATUS {name} (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 5)|OK done"
