"""How crmmail signs in, and that no secret comes back in what a server says (S8, S9)."""

from __future__ import annotations

import base64
import re
from collections import UserDict
from collections.abc import Callable
from typing import Any

import pytest
from tests.fake_imap import Call, FakeImap

from crmmail import secrecy
from crmmail.sync.mailbox import Login, Mailbox
from crmmail.sync.problems import Problem, Refused, Unsafe

PASSWORDS = [
    "plain",
    "réception€",
    'a"b\\c d7',
    "brace{5}",
    "{5}",
    "{5+}",
    " leading and trailing ",
    "日本語パスワード",
    "emoji 🔑",
    "100%",
    "tab\there",
    "café\udce9",  # from an environment that is not UTF-8
]


class Script(UserDict[str, Any]):
    """Answers by command; a line that is no command is the answer to a challenge."""

    def get(self, name: str, default: Any = None) -> Any:
        known = name in self.data or (re.fullmatch(r"[A-Z]+( [A-Z]+)?", name) and len(name) < 13)
        return self.data.get(name, default) if known else self.data.get("challenged", default)


def signed_in(caps: str, user: str, password: str, **more: Any) -> tuple[list[Call], Exception]:
    """Sign in to a server with these capabilities: what it was told, and what was raised."""
    script = {"CAPABILITY": f"* CAPABILITY IMAP4rev1 {caps}|OK done", **more}
    problem: Exception = Exception()
    with FakeImap(Script(script)) as fake:  # type: ignore[arg-type]
        login = Login(
            "127.0.0.1", fake.port, "none", user, password, oauth=more.get("oauth", False)
        )
        try:
            Mailbox(login).close()
        except Problem as raised:
            problem = raised
        fake.hang_up()
        fake.ended()
        return fake.calls, problem


def plain(user: str, password: str) -> str:
    raw = f"\0{user}\0{password}".encode("utf-8", "surrogateescape")
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("password", PASSWORDS)
def test_plain_carries_any_password_in_one_round_trip(password: str) -> None:
    calls, _ = signed_in("AUTH=PLAIN SASL-IR", "Max Ämsel", password)
    asked = [call.arguments for call in calls if call.name == "AUTHENTICATE"]
    assert asked == [f"PLAIN {plain('Max Ämsel', password)}"]
    assert "LOGIN" not in [call.name for call in calls]


def test_without_an_initial_response_the_server_asks_first() -> None:
    calls, problem = signed_in("AUTH=PLAIN", "me", "réception€", AUTHENTICATE="IDLING")
    assert [call.arguments for call in calls if call.name == "AUTHENTICATE"] == ["PLAIN"]
    assert plain("me", "réception€").upper() in [call.name for call in calls]
    assert str(problem) == ""


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("me", '"me"'),
        ("Max Amsel", '"Max Amsel"'),
        ("MYFIRM\\amsel", '"MYFIRM\\\\amsel"'),
        ('max"a', '"max\\"a"'),
        ("amsel{5}", '"amsel{5}"'),
        ("", '""'),
        ("(a*%)", '"(a*%)"'),
    ],
)
def test_login_puts_everything_in_quotes(user: str, sent: str) -> None:
    calls, _ = signed_in("IDLE", user, user or "x")
    said = [call.arguments for call in calls if call.name == "LOGIN"]
    assert said == [f"{sent} {sent if user else chr(34) + 'x' + chr(34)}"]


@pytest.mark.parametrize(
    ("caps", "how"), [("", "{13}"), ("LITERAL+", "{13+}"), ("LITERAL-", "{13+}")]
)
def test_login_sends_what_is_not_ascii_as_a_literal(caps: str, how: str) -> None:
    calls, _ = signed_in(caps, "me", "réception€")
    assert [call.arguments for call in calls if call.name == "LOGIN"] == [f'"me" {how}']


@pytest.mark.parametrize("said", ["NO [CANNOT] no such mechanism", "BAD what"])
def test_a_mechanism_that_the_server_does_not_do_after_all_is_followed_by_login(said: str) -> None:
    calls, problem = signed_in("AUTH=PLAIN SASL-IR", "me", "secret-7Q", AUTHENTICATE=said)
    assert [c.name for c in calls if c.name in ("AUTHENTICATE", "LOGIN")] == [
        "AUTHENTICATE",
        "LOGIN",
    ]
    assert str(problem) == ""


@pytest.mark.parametrize("words", ["Wrong.", "Unknown user or bad password."])
def test_a_wrong_password_is_not_sent_twice(words: str) -> None:
    refusal = f"NO [AUTHENTICATIONFAILED] {words}"
    calls, problem = signed_in("AUTH=PLAIN SASL-IR", "me", "secret-7Q", AUTHENTICATE=refusal)
    assert [c.name for c in calls if c.name in ("AUTHENTICATE", "LOGIN")] == ["AUTHENTICATE"]
    assert isinstance(problem, Refused)
    assert str(problem) == f"127.0.0.1 refused the sign-in of me: [AUTHENTICATIONFAILED] {words}"


def test_the_old_mechanism_login_is_used_where_there_is_no_other() -> None:
    caps = "AUTH=LOGIN LOGINDISABLED SASL-IR"
    script = {"AUTHENTICATE": "IDLING", "challenged": next_challenge}
    calls, problem = signed_in(caps, "me", "secret-7Q", **script)
    assert [call.arguments for call in calls if call.name == "AUTHENTICATE"] == ["LOGIN"]
    coded = [base64.b64encode(one).decode().upper() for one in (b"me", b"secret-7Q")]
    assert [call.name for call in calls if call.name in coded] == coded
    assert str(problem) == ""


def next_challenge(call: Call) -> str:
    return "IDLING" if call.name == base64.b64encode(b"me").decode().upper() else "OK done"


def test_a_server_that_takes_no_password_is_sent_none() -> None:
    calls, problem = signed_in("LOGINDISABLED", "me", "secret-7Q")
    assert {call.name for call in calls} <= {"CAPABILITY", "LOGOUT"}
    assert isinstance(problem, Unsafe)
    assert "LOGINDISABLED" in str(problem)


@pytest.mark.parametrize("field", ["user", "password"])
@pytest.mark.parametrize("character", "\0\r\n")
def test_a_line_break_cannot_become_a_command(field: str, character: str) -> None:
    values = {"user": "me", "password": "secret-7Q"} | {field: f"a{character}A1 DELETE x"}
    calls, problem = signed_in("", values["user"], values["password"])
    assert {call.name for call in calls} <= {"CAPABILITY", "LOGOUT"}
    assert "line break" in str(problem)


def test_what_the_server_can_do_is_asked_anew_after_the_sign_in() -> None:
    told = "* CAPABILITY IMAP4rev1 CONDSTORE IDLE|OK done"
    script = {"CAPABILITY": told, "AUTHENTICATE": "IDLING"}
    with FakeImap(
        Script(script), greeting=b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"
    ) as fake:  # type: ignore[arg-type]
        mailbox = Mailbox(Login("127.0.0.1", fake.port, "none", "me", "secret-7Q"))
        assert (mailbox.has_idle, mailbox.has_modseq) == (True, True)
        mailbox.close()
        assert fake.names().count("CAPABILITY") == 1  # the greeting told what held before


_BEFORE = "* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE"
_TWO_LINES = "* CAPABILITY IMAP4rev1 IDLE|* CAPABILITY AUTH=PLAIN CONDSTORE|OK done"


@pytest.mark.parametrize(
    ("answer", "signs_in", "can"),
    [
        ("NO not now", "LOGIN", (False, False)),
        ("BAD unknown", "LOGIN", (False, False)),
        ("OK done", "LOGIN", (False, False)),
        ("* CAPABILITY IMAP4rev2 AUTH=PLAIN|OK done", "AUTHENTICATE", (False, False)),
        (_TWO_LINES, "AUTHENTICATE", (True, True)),
        (f"{_BEFORE}|{_BEFORE}|OK done", "AUTHENTICATE", (True, False)),
    ],
)
def test_whatever_the_answer_to_capability_it_is_signed_in(
    answer: str, signs_in: str, can: tuple[bool, bool]
) -> None:
    with FakeImap({"CAPABILITY": answer, "AUTHENTICATE": "IDLING", "": "OK done"}) as fake:
        mailbox = Mailbox(Login("127.0.0.1", fake.port, "none", "me", "secret-7Q"))
        assert (mailbox.has_idle, mailbox.has_modseq) == can
        assert [one.name for one in mailbox.folders()] == ["INBOX"]
        mailbox.close()
        assert {"LOGIN", "AUTHENTICATE"} & set(fake.names()) == {signs_in}


SECRET = 'h7k-Grün&käse "zu\\'
ENCODED: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in quotes": lambda s: '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"',
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 of the answer": lambda s: plain("me", s),
    "base64 for addresses": lambda s: base64.urlsafe_b64encode(b"x" + s.encode()).decode(),
    "hexadecimal": lambda s: s.encode().hex(),
    "percent": lambda s: "".join(f"%{byte:02X}" for byte in s.encode()),
    "in part": lambda s: s[:9],
    "its end": lambda s: s[-8:],
    "with invisible characters": "\u200b".join,
    "wrongly decoded": lambda s: s.encode().decode("latin-1"),
}


@pytest.mark.parametrize("form", ENCODED)
@pytest.mark.parametrize("command", ["AUTHENTICATE", "LOGIN", "ENABLE", "LIST", "BYE"])
def test_no_error_repeats_the_password(form: str, command: str) -> None:
    echo = f"user me, password {ENCODED[form](SECRET)} is wrong".replace("|", "!")
    said = f"NO [AUTHENTICATIONFAILED] {echo}"
    caps = "SASL-IR CONDSTORE ENABLE" + (" AUTH=PLAIN" if command == "AUTHENTICATE" else "")
    script = {"CAPABILITY": f"* CAPABILITY IMAP4rev1 {caps}|OK done", command: said}
    if command == "BYE":
        script["LOGIN"] = f"* BYE {echo}|NO x"
    with FakeImap(Script(script)) as fake:  # type: ignore[arg-type]
        words = ""
        try:
            mailbox = Mailbox(Login("127.0.0.1", fake.port, "none", "me", SECRET))
            mailbox.folders()
            mailbox.close()
        except Problem as problem:
            words = f"{problem} {problem.hint} {problem!r}"
    assert not secrecy.tells(words)
    assert ENCODED[form](SECRET).casefold() not in words.casefold()
    assert (words == "") == (command == "ENABLE")
    assert words == "" or secrecy.LEFT_OUT in words


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize("caps", ["", "SASL-IR"])
def test_no_error_repeats_a_token(mechanism: str, caps: str) -> None:
    token = "ya29.a0AfH6SMBx-token_of_some_length.QqQq"
    why = base64.b64encode(f'{{"status":"401","token":"{token}"}}'.encode()).decode()

    def challenged(call: Call) -> str | None:
        return f"NO [AUTHENTICATIONFAILED] Bearer {token}"

    script = {"AUTHENTICATE": f"+ {why}|NO Bearer {token}" if caps else "IDLING"}
    script["challenged"] = challenged  # type: ignore[assignment]
    _, problem = signed_in(f"AUTH={mechanism} {caps}", "me", token, oauth=True, **script)
    assert isinstance(problem, Refused)
    assert token not in str(problem)
    assert secrecy.LEFT_OUT in str(problem)


def test_what_repeats_nothing_is_told_as_it_was_said() -> None:
    secrecy.remember("w0nderful-Tuesday")
    said = "[ALERT] Application-specific password required: https://example.org/help"
    assert secrecy.redacted(said) == said


@pytest.mark.parametrize("secret", ["x", "pw", "ab1"])
def test_a_short_secret_is_hidden_where_it_is_a_word(secret: str) -> None:
    secrecy.remember(secret)
    assert secrecy.tells(f"password {secret} wrong")
    assert not secrecy.tells(f"a word{secret}and more")


def test_a_letter_that_cannot_be_encoded_is_not_told() -> None:
    from crmmail.sync import problems

    with pytest.raises(UnicodeEncodeError) as raised:
        "réception".encode("ascii")
    assert problems.said(raised.value) == "UnicodeEncodeError."
    assert "xe9" not in " ".join(problems.told(raised.value))
