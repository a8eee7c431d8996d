"""Bytes -> Header and Body: what the rules and the store are told of a message."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bounded import bounded

from crmmail.sync.message import Body, Header, Unreadable, parse_body, parse_header

RECEIVED = 1_700_000_000
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def header(*lines: str | bytes) -> Header:
    """The header made of these lines."""
    raw = b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return parse_header(raw + b"\r\n\r\n", RECEIVED)


def people(found: Header, role: str) -> list[tuple[str, str]]:
    """(name, address) of one role."""
    return [(one.name, one.address) for one in found.participants if one.role == role]


def body(content: str | bytes, *lines: str) -> Body:
    """The body of a message with these header lines."""
    content = content.encode() if isinstance(content, str) else content
    return parse_body("\r\n".join(("From: ann@a.example", *lines, "", "")).encode() + content)


def strings(found: Header | Body) -> list[str]:
    """Every string that goes on to the store."""
    if isinstance(found, Header):
        texts = [found.message_id, found.subject, found.sign, *found.refs]
        return texts + [text for one in found.participants for text in (one.name, one.address)]
    return [found.text.replace("\n", ""), found.preview] + [
        text for part in found.attachments for text in (part.name, part.mime)
    ]


def is_safe(text: str) -> bool:
    """Whether a terminal shows it and nothing else."""
    return not any(unicodedata.category(one) in ("Cc", "Cs") or one in _BIDI for one in text)


class TestSubject:
    @pytest.mark.parametrize(
        ("raw", "read"),
        [
            (b"=?utf-8?Q?caf=C3=A9?=  and =?iso-8859-1?q?th=E9?=", "café and thé"),
            (b"=?utf-8?B?4oI=?= =?utf-8?B?rDU=?=", "€5"),
            (b"=?gb2312?B?1tDOxA==?=", "中文"),
            (b"=?none?Q?caf=E9?=", "café"),
            (b"=?utf8mb4?Q?caf=C3=A9?=", "café"),
            (b"caf\xc3\xa9", "café"),
            (b"caf\xe9 \xfcber", "café über"),
            (b"=?iso-2022-jp?B?GyRCJCIkJCQmGyhC?=", "あいう"),
            (b"one\r\n two\r\n\tthree", "one two three"),
            (b"=?utf-8?B?Zm9v", "=?utf-8?B?Zm9v"),
            (b"a\x1b]52;c;x\x07b \xe2\x80\xaec", "a]52;c;xb c"),
        ],
    )
    def test_decoding(self, raw: bytes, read: str) -> None:
        assert header(b"Subject: " + raw).subject == read

    def test_raw_bytes_in_the_charset_of_the_message(self) -> None:
        found = header(b"Subject: \xb1\xa4\xb0\xed", b"Content-Type: text/plain; charset=euc-kr")
        assert found.subject == "광고"

    def test_raw_bytes_in_the_charset_of_encoded_words_beside_them(self) -> None:
        found = header(
            b"From: \xa4p\xa7d <a@b.example>", b"Subject: =?big5?Q?=A7A=B7=C7=B3=C6=A6n=A4F=B6=DC?="
        )
        assert people(found, "from") == [("小吳", "a@b.example")]


class TestParticipants:
    @pytest.mark.parametrize(
        ("raw", "read"),
        [
            ('"Lee, Ann" <Ann@A.Example>', [("Lee, Ann", "ann@a.example")]),
            ("'Bob' <b@b.example>", [("Bob", "b@b.example")]),
            ("=?utf-8?Q?Lee=2C_Ann?= <a@a.example>", [("Lee, Ann", "a@a.example")]),
            ("=?utf-8?Q?Lee,_Ann?= <a@a.example>", [("Lee, Ann", "a@a.example")]),
            ('"a@a.example" <a@a.example>', [("", "a@a.example")]),
            ("team: a@a.example, B <b@b.example>;, c@c.example",
             [("", "a@a.example"), ("B", "b@b.example"), ("", "c@c.example")]),
            ("a@a.example; b@b.example", [("", "a@a.example"), ("", "b@b.example")]),
            ("a@a.example (Ann (the) Lee)", [("Ann (the) Lee", "a@a.example")]),
            ("c@c.example (nested (twice)), A <a@a.example>",
             [("nested (twice)", "c@c.example"), ("A", "a@a.example")]),
            ('"sad :(" <s@a.example>, b@b.example (Bob), (c@c.example',
             [("sad :(", "s@a.example"), ("Bob", "b@b.example"), ("", "c@c.example")]),
            ("A <a@a.example> B <b@b.example>", [("A", "a@a.example"), ("B", "b@b.example")]),
            ("ann lee a@a.example", [("ann lee", "a@a.example")]),
            ("<@relay.example:a@a.example>", [("", "a@a.example")]),
            ('"odd..one"@docomo.example', [("", "odd..one@docomo.example")]),
            ("a@a.example, ,,b@b.example", [("", "a@a.example"), ("", "b@b.example")]),
            ("a@b\u00fccher.example", [("", "a@xn--bcher-kva.example")]),
            ('"', []),
            ("undisclosed-recipients: ;", []),
            ("MAILER-DAEMON", []),
        ],
    )  # fmt: skip
    def test_reading(self, raw: str, read: list[tuple[str, str]]) -> None:
        assert people(header(f"To: {raw}"), "to") == read

    @pytest.mark.parametrize(
        "raw",
        [
            "alice@example.org)bob@evil.example",  # CVE-2023-27043
            '"alice@example.org"@evil.example',
            "alice@example.org@evil.example",
            "alice@example.org bob@evil.example",
        ],
    )
    def test_no_address_is_made_of_what_is_in_doubt(self, raw: str) -> None:
        assert people(header(f"From: {raw}"), "from") == []

    def test_a_line_break_in_a_name_stays_harmless(self) -> None:
        found = header("From: =?utf-8?Q?potus=40whitehouse.gov=0A=00?= <evil@x.example>")
        assert people(found, "from") == [("potus@whitehouse.gov", "evil@x.example")]

    def test_roles_in_order_and_nobody_twice(self) -> None:
        found = header(
            "Cc: c@x.example, C <c@x.example>",
            "To: t@x.example, c@x.example",
            "From: f@x.example",
            "Reply-To: F@x.example, r@x.example",
            "Bcc: b@x.example",
        )
        assert [(one.role, one.address) for one in found.participants] == [
            ("from", "f@x.example"),
            ("to", "t@x.example"),
            ("to", "c@x.example"),
            ("cc", "c@x.example"),
            ("bcc", "b@x.example"),
            ("reply_to", "r@x.example"),
        ]

    def test_at_most_500(self) -> None:
        with bounded():
            found = header("To: " + ", ".join(f"u{n}@x.example" for n in range(20_000)))
        assert len(found.participants) == 500

    def test_two_headers_of_one_name(self) -> None:
        assert len(header("To: a@x.example", "To: b@x.example").participants) == 2


class TestIds:
    def test_without_brackets_and_white_space(self) -> None:
        assert header("Message-ID: <a\r\n b@x.example> (added by mx)").message_id == "ab@x.example"

    def test_bare(self) -> None:
        assert header("Message-Id:   a@x.example ").message_id == "a@x.example"

    def test_of_odd_form(self) -> None:
        assert header("Message-ID: <[b378@x.example]>").message_id == "[b378@x.example]"

    def test_huge(self) -> None:
        assert len(header(f"Message-ID: <{'a' * 5_000}@x.example>").message_id) <= 500

    def test_made_up_from_date_people_subject(self) -> None:
        """M11: copies agree, whatever else differs; other messages do not."""
        lines = ("Date: Mon, 1 Jan 2024 10:00:00 +0000", "From: A <a@x.example>", "To: b@x.example")
        one = header(*lines, "Subject: s").message_id
        copy = header(*reversed(lines), "Subject: s", "Message-ID: ", "Bcc: z@x.example")
        assert one.endswith("@crmmail.invalid")
        assert copy.message_id == one
        assert header(*lines, "Subject: t").message_id != one

    def test_made_up_without_date_depends_on_arrival(self) -> None:
        raw = b"From: a@x.example\r\n\r\n"
        ids = {parse_header(raw, when).message_id for when in (RECEIVED, RECEIVED, RECEIVED + 9)}
        assert len(ids) == 2


class TestReferences:
    """T1."""

    def test_order_no_self_no_duplicates(self) -> None:
        found = header(
            "Message-ID: <me@x>",
            "References: <1@x> <2@x>\r\n <1@x> <me@x>",
            "In-Reply-To: <3@x>",
        )
        assert found.refs == ("1@x", "2@x", "3@x")

    def test_at_most_the_last_50(self) -> None:
        refs = header("References: " + " ".join(f"<{n}@x>" for n in range(200))).refs
        assert refs == tuple(f"{n}@x" for n in range(150, 200))

    @pytest.mark.parametrize(
        ("raw", "refs"),
        [
            ("1@x 2@x", ("1@x", "2@x")),
            ("<a\r\n b@x>", ("ab@x",)),
            ('Your message of "Mon" <7@x>', ("7@x",)),
            ("Message from Bob <bob@x.example> of Monday <id1@x>", ("id1@x",)),
            ("Message from Bob <bob@x.example> of Monday", ()),
            ("<ann@x.example>", ()),
            ("Message of bob@x.example on Monday", ()),
            ("none", ()),
        ],
    )
    def test_in_reply_to(self, raw: str, refs: tuple[str, ...]) -> None:
        """Sentences of old mail programs do not make an address a reference."""
        assert header(f"In-Reply-To: {raw}", "To: ann@x.example").refs == refs


class TestDate:
    @pytest.mark.parametrize(
        ("raw", "moment"),
        [
            ("Tue, 14 Nov 2023 12:00:00 +0100", 1_699_959_600),
            ("Tue, 27 Aug 2002 15:53 -0400", 1_030_477_980),
            ("Sat Sep 21 08:18:08 2002", 1_032_596_288),
            ("2002/09/14 Sat", RECEIVED),
            ("Thu, 22 Aug 0102 12:07:35 +0800", RECEIVED),
            ("Thu, 1 Jan 1970 00:00:00 +0000", RECEIVED),
            ("Fri, 1 Dec 2023 00:00:00 +0000", RECEIVED),  # in the future
            ("", RECEIVED),
            ("Mon, 1 Jan 2002002 10:00:00 +0000", RECEIVED),
            ("Mon, 99 Foo 99999999999 99:99:99", RECEIVED),
        ],
    )
    def test_believable_or_received(self, raw: str, moment: int) -> None:
        assert header(f"Date: {raw}").sent_at == moment


class TestSigns:
    """M5 and M6, as far as the header tells."""

    @pytest.mark.parametrize(
        ("line", "sign"),
        [
            ("List-ID: <l.x>", "List-Id"),
            ("list-unsubscribe: <mailto:x>", "List-Unsubscribe"),
            ("List-Post: NO", "List-Post"),
            ("Precedence: Bulk", "Precedence: bulk"),
            ("Precedence: list (x)", "Precedence: list"),
            ("Precedence: first-class", ""),
            ("Auto-Submitted: auto-generated; x=y", "Auto-Submitted: auto-generated"),
            ("Auto-Submitted: No", ""),
            ("X-Loop: x", ""),
        ],
    )
    def test_sign(self, line: str, sign: str) -> None:
        assert header("From: a@x.example", line).sign == sign

    @pytest.mark.parametrize(
        ("value", "invitation"),
        [
            ("text/calendar; method=REQUEST; charset=utf-8", True),
            ('TEXT/CALENDAR;\r\n charset="utf-8"; METHOD="CANCEL"', True),
            ("text/calendar", False),
            ("text/plain; method=REQUEST", False),
        ],
    )
    def test_invitation(self, value: str, invitation: bool) -> None:
        assert header(f"Content-Type: {value}").invitation is invitation


class TestDamage:
    def test_what_stands_before_the_header(self) -> None:
        for before in (b"From a@x Mon Jan  1 2024\n", b">From a@x Mon\n", b"\n\n", b"\xef\xbb\xbf"):
            raw = before + b"From: a@x.example\nSubject: s\n\nSubject: body\n"
            assert parse_header(raw, RECEIVED).subject == "s"

    def test_a_line_that_is_no_field(self) -> None:
        found = header("From: a@x.example", "no colon here", "Subject: s")
        assert (found.subject, len(found.participants)) == ("s", 1)

    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
    def test_line_ends(self, end: bytes) -> None:
        raw = end.join([b"From: a@x.example", b"Subject: s", b"", b"hello"])
        assert parse_header(raw, RECEIVED).subject == "s"
        assert parse_body(raw).text == "hello"

    def test_nothing_but_the_size(self) -> None:
        found = parse_header(b"\r\n", RECEIVED, 7)
        assert (found.sent_at, found.size, found.participants) == (RECEIVED, 7, ())

    def test_an_empty_message_is_unreadable(self) -> None:
        with pytest.raises(Unreadable, match="empty"):
            parse_body(b"\r\n")


class TestPlainText:
    def test_preview_is_ones_own_words(self) -> None:
        found = body("Yes.\n\nOn Mon, 1 Jan 2024, Ann <a@x> wrote:\n> Well?\n\n-- \nBob\n")
        assert found.preview == "Yes."
        assert found.quotes == ((2, 4),)
        assert found.text.split("\n")[3] == "> Well?"

    def test_flowed(self) -> None:
        text = body("a \nb\n> c \n> d\n", "Content-Type: text/plain; format=flowed").text
        assert text == "a b\n> c d"

    def test_flowed_with_delsp(self) -> None:
        kind = 'Content-Type: text/plain; charset=utf-8; format=flowed; delsp="yes"'
        assert body("日本 \n語\n", kind).text == "日本語"

    @pytest.mark.parametrize(
        ("raw", "charset", "text"),
        [
            ("Größe".encode("latin-1"), "us-ascii", "Größe"),
            ("Größe".encode(), "iso-8859-1", "Größe"),
            ("„Größe“".encode("cp1252"), "iso-8859-1", "„Größe“"),
            ("Привет, как дела".encode("koi8-r"), "x-unknown", "Привет, как дела"),
            ("中文的邮件正文".encode("gb18030"), "gb2312", "中文的邮件正文"),
            ("한글 본문입니다".encode("cp949"), "ks_c_5601-1987", "한글 본문입니다"),
            ("日本語".encode("iso-2022-jp"), "ISO-2022-JP", "日本語"),
            ("Hi \u20ac".encode("utf-7"), "unicode-1-1-utf-7", "Hi €"),
        ],
    )
    def test_charsets(self, raw: bytes, charset: str, text: str) -> None:
        assert body(raw, f"Content-Type: text/plain; charset={charset}").text == text

    def test_limit(self) -> None:
        text = body("é" * 400_000).text
        assert len(text.encode()) <= 262_144
        assert text.endswith("it is too long.]")

    def test_control_characters_go(self) -> None:
        assert body("a\x1b[2Jb\x9b\u202ec\x07d").text == "a[2Jbcd"

    @pytest.mark.parametrize("encoding", ["base64", "BASE64 ", "x-unknown"])
    def test_damaged_base64(self, encoding: str) -> None:
        content = "SGVs!bG8" if encoding != "x-unknown" else "Hello"
        assert body(content, f"Content-Transfer-Encoding: {encoding}").text == "Hello"


@settings(max_examples=400)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(
                [
                    *(b"From: ", b"To: ", b"Subject: ", b"Content-Type: ", b"multipart/mixed"),
                    *(b"text/html", b"; boundary=", b"a", b"--a", b"--a--", b"\r\n", b"\n", b" "),
                    *(b"message/rfc822", b"base64", b"=?utf-8?B?", b"?=", b"\xff", b"\x1b", b"<"),
                    *(b"Content-Transfer-Encoding: ", b"\x00", b"@", b"(", b'"', b",", b"\r\n\r\n"),
                    *(b"text/calendar; method=REQUEST", b"; charset=utf-16", b"; format=flowed"),
                    *(b"\xe2\x80\xae", b">", b"References: ", b"Message-ID: ", b"Date: "),
                ]
            ),
            max_size=60,
        ).map(b"".join),
    )
)
def test_any_bytes_are_read_or_unreadable(raw: bytes) -> None:
    assert all(map(is_safe, strings(parse_header(raw, RECEIVED))))
    try:
        found = parse_body(raw)
    except Unreadable:
        return
    assert all(map(is_safe, strings(found)))
    lines = found.text.count("\n") + 1
    assert all(0 <= start < end <= lines for start, end in found.quotes)
