"""What real servers will not do on demand: garbage, throttling, cuts, missing answers (S5, M8)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.conftest import Mailbox
from tests.fake_imap import CLOSE, Call, FakeImap
from tests.sync.conftest import connect, dumped, sync
from tests.sync.letters import letter

from crmmail.store.database import Store
from crmmail.sync.loop import Report, sync_once
from crmmail.sync.mailbox import Login, check
from crmmail.sync.problems import Denied, Problem, Unsafe

LETTERS = [
    letter(number, refs=f"<{number - 1}@test>" if number % 5 else "") for number in range(60)
]


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> str:
    monkeypatch.setenv("CRMMAIL_PASSWORD", mailbox.password)
    mailbox.append("INBOX", *LETTERS)
    return mailbox.password


def through(store: Store, mailbox: Mailbox, fake: FakeImap) -> list[Report]:
    """Sync the mailbox through the fake before it."""
    connect(store, Mailbox(fake, mailbox.user))  # type: ignore[arg-type]
    return sync_once(store)


def whole(tmp_path: Path, mailbox: Mailbox) -> list[str]:
    """What a sync without trouble makes of the mailbox."""
    fresh = Store(tmp_path / "whole.db")
    connect(fresh, mailbox)
    sync(fresh)
    lines = dumped(fresh)
    fresh.close()
    return lines


def test_nothing_on_the_server_is_changed(store: Store, mailbox: Mailbox, password: str) -> None:
    with FakeImap(before=mailbox.server) as fake:
        through(store, mailbox, fake)
        assert {name for name in fake.names() if name} <= {
            "CAPABILITY",
            "AUTHENTICATE",
            "ID",
            "ENABLE",
            "LIST",
            "NOOP",
            "EXAMINE",
            "UID SEARCH",
            "UID FETCH",
            "LOGOUT",
            "STATUS",
        }
        assert not [call for call in fake.calls if re.search(r"BODY\[", call.arguments)]
    with mailbox.client() as client:
        client.select_folder("INBOX", readonly=True)
        assert client.search("SEEN") == []


def test_a_batch_is_a_handful_of_commands(store: Store, mailbox: Mailbox, password: str) -> None:
    with FakeImap(before=mailbox.server) as fake:
        through(store, mailbox, fake)
        assert fake.names().count("UID FETCH") <= 4


def test_one_message_that_cannot_be_listed_is_set_aside(
    store: Store, mailbox: Mailbox, password: str
) -> None:
    def tamper(answer: bytes) -> bytes:
        if b"UID 7 " in answer and b"BODY[HEADER" in answer:
            return re.sub(rb"FLAGS \([^)]*\)", b"FLAGS (\\\\Seen", answer)
        return answer

    with FakeImap(before=mailbox.server, tamper=tamper) as fake:
        report = through(store, mailbox, fake)[0]
    assert (report.stored, report.skipped) == (59, {"unreadable": 1})
    row = store.read().execute("SELECT uid, detail FROM skipped").fetchone()
    assert row[0] == 7
    assert "cannot be read" in row[1]


def test_what_was_unreadable_is_tried_again_by_a_newer_crmmail(
    store: Store, mailbox: Mailbox, password: str
) -> None:
    def tamper(answer: bytes) -> bytes:
        return answer.replace(b"BODY[]", b"BODY[TEXT]") if b"UID 7 " in answer else answer

    with FakeImap(before=mailbox.server, tamper=tamper) as fake:
        report = through(store, mailbox, fake)[0]
    assert report.skipped == {"unreadable": 1}
    with store.write() as (db, _):
        db.execute("UPDATE account SET port = ?", [mailbox.port])
        db.execute("UPDATE skipped SET detail = replace(detail, '[', '[old ')")
    assert sync(store)[0].skipped == {}


def test_a_connection_that_breaks_on_the_way_is_taken_up_again(
    tmp_path: Path, store: Store, mailbox: Mailbox, password: str
) -> None:
    def cut(call: Call) -> str | None:
        return CLOSE if call.count == 2 else None

    with FakeImap({"UID FETCH": cut}, before=mailbox.server) as fake:
        report = through(store, mailbox, fake)[0]
    assert report.errors == []
    assert dumped(store) == whole(tmp_path, mailbox)


def test_throttling_is_told_and_loses_nothing(
    tmp_path: Path, store: Store, mailbox: Mailbox, password: str
) -> None:
    def slow_down(call: Call) -> str | None:
        return (
            "NO Request is throttled. Suggested Backoff Time: 20 milliseconds"
            if (call.count == 1)
            else None
        )

    with FakeImap({"UID FETCH": slow_down}, before=mailbox.server) as fake:
        report = through(store, mailbox, fake)[0]
    assert report.errors == []
    assert dumped(store) == whole(tmp_path, mailbox)


def test_a_list_without_inbox_is_not_obeyed(store: Store, mailbox: Mailbox, password: str) -> None:
    connect(store, mailbox)
    sync(store)
    before = dumped(store)
    with FakeImap({"LIST": '* LIST () "/" Other|OK done'}, before=mailbox.server) as fake:
        with store.write() as (db, _):
            db.execute("UPDATE account SET port = ?", [fake.port])
        report = sync_once(store)[0]
    assert "no INBOX" in report.errors[0]
    assert dumped(store) == before


def test_a_server_that_refuses_what_it_advertised(
    tmp_path: Path, store: Store, mailbox: Mailbox, password: str
) -> None:
    def refuse(call: Call) -> str | None:
        return "BAD unknown option" if "RETURN" in call.arguments else None

    with FakeImap({"LIST": refuse}, before=mailbox.server) as fake:
        assert through(store, mailbox, fake)[0].errors == []
    assert dumped(store) == whole(tmp_path, mailbox)


def test_a_server_that_does_not_tell_uidnext(
    tmp_path: Path, store: Store, mailbox: Mailbox, password: str
) -> None:
    def forget(answer: bytes) -> bytes:
        return re.sub(rb" UIDNEXT \d+|\* OK \[UIDNEXT[^\n]*\n", b"", answer)

    with FakeImap(before=mailbox.server, tamper=forget) as fake:
        assert through(store, mailbox, fake)[0].errors == []
        mailbox.append("INBOX", letter(99))
        assert sync_once(store)[0].errors == []
    assert dumped(store) == whole(tmp_path, mailbox)


def test_a_server_that_tells_no_uidnext_and_finds_no_last_message(
    tmp_path: Path, store: Store, mailbox: Mailbox, password: str
) -> None:
    """Courier: EXAMINE has no UIDNEXT, and `UID SEARCH UID *` is answered with an empty list."""

    def forget(answer: bytes) -> bytes:
        return re.sub(rb"\* OK \[UIDNEXT[^\n]*\n", b"", answer)

    def find_nothing(call: Call) -> str | None:
        return "* SEARCH|OK done" if call.arguments.endswith("UID *") else None

    with FakeImap({"UID SEARCH": find_nothing}, before=mailbox.server, tamper=forget) as fake:
        assert through(store, mailbox, fake)[0].errors == []
        mailbox.append("INBOX", letter(99))
        mailbox.append("Archive", letter(100))
        assert sync_once(store)[0].errors == []
    assert dumped(store) == whole(tmp_path, mailbox)


@pytest.mark.parametrize(
    ("greeting", "security"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "none"),
        (b"* BYE too many connections\r\n", "none"),
        (b"* PREAUTH welcome\r\n", "starttls"),
        (b"* OK no STARTTLS here\r\n", "starttls"),
    ],
)
def test_no_password_is_sent_where_it_is_not_safe(greeting: bytes, security: str) -> None:
    with FakeImap(greeting=greeting) as fake:
        with pytest.raises(Problem):
            check(Login(fake.host, fake.port, security, "me", "secret"))
        fake.ended()
        assert "LOGIN" not in fake.names()
        assert not [call for call in fake.calls if "secret" in call.arguments]


def test_sign_in_problems_are_told_apart() -> None:
    answers: dict[str, type[Problem]] = {
        "NO [AUTHENTICATIONFAILED] Invalid credentials": Denied,
        "NO [AUTHENTICATIONFAILED] Invalid credentials, please try again": Denied,
        "NO [AUTHENTICATIONFAILED] Too many simultaneous connections": Problem,
        "NO [UNAVAILABLE] Temporary authentication failure": Problem,
        "NO [ALERT] Too many simultaneous connections": Problem,
    }
    for answer, kind in answers.items():
        with FakeImap({"LOGIN": answer}) as fake, pytest.raises(Problem) as raised:
            check(Login(fake.host, fake.port, "none", "me", "secret"))
        assert type(raised.value) is kind
        assert "secret" not in str(raised.value)


def test_a_wrong_certificate_is_never_accepted() -> None:
    from tests.servers import Dovecot

    with Dovecot(tls="tls") as server, pytest.raises(Unsafe) as raised:
        check(Login(server.host, server.port, "tls", "me", "secret"))
    assert "did not prove who it is" in str(raised.value)


def test_starttls_with_a_known_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.servers import Dovecot

    for kind in ("starttls", "tls"):
        with Dovecot(tls=kind) as server:
            monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))
            server.add_user("me@home.example")
            found = check(Login("localhost", server.port, kind, "me@home.example", server.password))
            assert "INBOX" in [info.name for info in found]


def test_a_distant_server_costs_round_trips_by_the_batch(
    store: Store, mailbox: Mailbox, password: str
) -> None:
    with FakeImap(before=mailbox.server, delay=0.05) as fake:
        report = through(store, mailbox, fake)[0]
    assert report.stored == 60
    assert len(fake.calls) < 30
