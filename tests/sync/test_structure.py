"""BODYSTRUCTURE -> plan: the same choices as for a message that is there in full."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient.response_parser import parse_fetch_response

from crmmail.sync.message import Part, Unreadable, body_of, parse_body
from crmmail.sync.structure import TextPart, plan

WORDS = b"Hello there, this is the readable text of the message.\n"
LATIN = "Grüße, déjà vu, 20 €".encode("cp1252")


def structure(literal: str) -> Any:
    """A BODYSTRUCTURE as the server writes it, parsed by imapclient."""
    answer = parse_fetch_response([f"1 (UID 5 BODYSTRUCTURE {literal})".encode()])
    return answer[5][b"BODYSTRUCTURE"]


def text(subtype: str = "plain", size: int = 900, encoding: str = "7bit", more: str = "") -> str:
    """A text part without a name."""
    return (
        f'("text" "{subtype}" ("charset" "utf-8"{more}) NIL NIL "{encoding}" {size} 12 '
        "NIL NIL NIL NIL)"
    )


def file(mime: str, name: str, size: int, disposition: str = "attachment", cid: str = "NIL") -> str:
    """A part with a name."""
    kind, _, subtype = mime.partition("/")
    return (
        f'("{kind}" "{subtype}" ("name" "{name}") {cid} NIL "base64" {size} '
        f'NIL ("{disposition}" ("filename" "{name}")) NIL NIL)'
    )


def sections(literal: str) -> list[str]:
    """What would be fetched."""
    return [part.section for part in plan(structure(literal)).parts]


class TestSections:
    def test_single_part(self) -> None:
        found = plan(structure('("TEXT" "PLAIN" ("CHARSET" "ISO-8859-1") NIL NIL "8BIT" 42 3)'))
        assert found.parts == (TextPart("1", "text/plain", "ISO-8859-1", "8bit", size=42),)
        assert found.attachments == ()

    def test_alternative(self) -> None:
        assert sections(f'({text()}{text("html")} "alternative" ("boundary" "b") NIL NIL)') == ["1"]

    def test_alternative_with_a_short_plain_part(self) -> None:
        found = plan(structure(f'({text(size=80)}{text("html")} "alternative")'))
        assert [(part.section, part.instead_of) for part in found.parts] == [("1", ""), ("2", "1")]

    def test_outlook(self) -> None:
        picture = file("image/png", "i.png", 99, "inline", '"<i>"')
        related = f'({text("html")}{picture} "related")'
        literal = (
            f'((({text()}{related} "alternative"){file("application/pdf", "a.pdf", 77)} "mixed" '
            '("boundary" "b") NIL NIL)'
        )[1:]
        found = plan(structure(literal))
        assert [part.section for part in found.parts] == ["1.1"]
        assert found.attachments == (
            Part("i.png", "image/png", 99, True),
            Part("a.pdf", "application/pdf", 77, False),
        )

    def test_mixed_with_footer(self) -> None:
        literal = f'({text()}{file("image/jpeg", "p.jpg", 5)}{text(size=30)} "mixed")'
        assert sections(literal) == ["1", "3"]

    def test_flowed(self) -> None:
        more = ' "format" "flowed" "delsp" "yes"'
        (part,) = plan(structure(text(more=more))).parts
        assert (part.flowed, part.delsp) == (True, True)

    def test_embedded_message(self) -> None:
        envelope = '("d" "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" NIL NIL NIL NIL NIL NIL NIL "<i@x>")'
        inner = f'({text()}{text("html")} "alternative")'
        message = f'("message" "rfc822" NIL NIL NIL "7bit" 3000 {envelope} {inner} 60)'
        found = plan(structure(f'({message} "mixed")'))
        assert [part.section for part in found.parts] == ["1.HEADER", "1.1"]
        assert found.attachments == (Part("Grüße.eml", "message/rfc822", 3_000, False),)
        single = f'("message" "rfc822" NIL NIL NIL "7bit" 3000 {envelope} {text()} 60)'
        assert sections(f'({text()}{single} "mixed")') == ["1"]
        assert sections(single) == ["1.HEADER", "1.1"]

    def test_report(self) -> None:
        status = '("message" "delivery-status" NIL NIL NIL "7bit" 300)'
        assert sections(f'({text()}{status} "report" ("report-type" "delivery-status"))') == ["1"]
        assert sections(f'({status} "report")') == ["1"]

    def test_invitation(self) -> None:
        calendar = '("text" "calendar" ("method" "REQUEST") NIL NIL "base64" 900 12)'
        assert plan(structure(f'({text()}{calendar} "alternative")')).invitation
        assert not plan(
            structure(f'({text()}{calendar.replace("method", "x")} "mixed")')
        ).invitation

    @pytest.mark.parametrize("kind", ["alternative", "mixed"])
    def test_a_calendar_without_a_method_in_its_header_is_looked_into(self, kind: str) -> None:
        calendar = '("text" "calendar" NIL NIL NIL "base64" 900 12)'
        found = plan(structure(f'({text()}{calendar} "{kind}")'))
        assert [part.section for part in found.calendars] == ["2"]
        reply = base64.b64encode(b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n")
        assert body_of(found, {"1": b"Yes.", "2": reply}).invitation
        assert not body_of(found, {"1": b"Yes.", "2": base64.b64encode(b"X-METHOD:A")}).invitation
        assert not body_of(found, {"1": b"Yes."}).invitation

    def test_an_attached_calendar_is_not_looked_into(self) -> None:
        attached = file("text/calendar", "a.ics", 90)
        assert plan(structure(f'({text()}{attached} "mixed")')).calendars == ()


class TestNames:
    @pytest.mark.parametrize(
        ("params", "name"),
        [
            ('"filename" "2024"', "2024"),
            ('"filename" 2024', "2024"),
            ('"filename*" "utf-8\'\'%e2%82%ac%20x.txt"', "€ x.txt"),
            ('"filename*0" "foo" "filename*1" "bar.txt"', "foobar.txt"),
            ('"filename*0*" "iso-8859-1\'de\'%fcb" "filename*1*" "er%2e" "filename*2" "txt"',
             "über.txt"),
            ('"filename" "=?utf-8?B?4oKsLnR4dA==?="', "€.txt"),
            ('"filename" "../../x"', "x"),
            ("", "attachment.pdf"),
        ],
    )  # fmt: skip
    def test_of_files(self, params: str, name: str) -> None:
        listed = (params and f"({params})") or "NIL"
        literal = f'("application" "pdf" NIL NIL NIL "base64" 9 NIL ("attachment" {listed}) NIL)'
        assert plan(structure(literal)).attachments[0].name == name


class TestDisposition:
    @pytest.mark.parametrize(
        ("said", "name"),
        [
            (b"attachment; filename=Bill.pdf", "Bill.pdf"),
            (b"ATTACHMENT;filename*=utf-8''r%C3%A9sum%C3%A9.pdf", "résumé.pdf"),
            ('attachment; filename="Größe.pdf"'.encode(), "Größe.pdf"),  # as pymap does
            (b"attachment", "attachment.pdf"),
        ],
    )
    def test_given_as_one_string(self, said: bytes, name: str) -> None:
        readable = structure(text())
        pdf = (b"application", b"pdf", None, None, None, b"base64", 400, None, said, None, None)
        found = plan(([readable, pdf], b"mixed"))
        assert [one.name for one in found.attachments] == [name]
        assert [one.section for one in found.parts] == ["1"]


class TestDamage:
    @pytest.mark.parametrize(
        "data",
        [
            *(None, b"", (), [], (None,), 7, b"text", ((),), ([],), ([], b"mixed"), (None,) * 3),
            ([(b"text", b"plain", None, None, None, b"7bit", 0, 0)], b"mixed"),
        ],
    )
    def test_nothing_of_use(self, data: Any) -> None:
        with pytest.raises(Unreadable):
            plan(data)

    @pytest.mark.parametrize(
        "data",
        [
            (b"text", b"plain"),
            (b"TEXT", None, None, None, None, None, None),
            (b"text", b"plain", (b"charset",), 3, 4, 5, b"x", (), (), ()),
            (b"message", b"rfc822", None, None, None, b"7bit", 10),
            (b"message", b"rfc822", None, None, None, b"7bit", 10, (None,) * 10, None, 4),
            ((b"text", b"plain"), (b"image", b"png"), None, None),
            ([(b"image", b"png"), None, 5], b"mixed", b"NIL", 4),
            (b"text", b"plain", None, None, None, b"8bit", 10, 2, None, b"inline", None),
        ],
    )
    def test_missing_fields(self, data: Any) -> None:
        found = plan(data)
        assert len(found.parts) + len(found.attachments) > 0

    def test_depth_and_number_are_bounded(self) -> None:
        deep: Any = (b"text", b"plain")
        for _ in range(400):
            deep = ([deep, (b"image", b"png")], b"mixed")
        assert len(plan(deep).attachments) <= 60
        wide = ([(b"image", b"png")] * 10_000, b"mixed")
        assert len(plan(wide).attachments) <= 500


class TestBodies:
    """body_of(plan) says what parse_body says of the whole message."""

    @pytest.mark.parametrize(
        ("encoding", "raw"),
        [
            ("8bit", LATIN),
            ("base64", base64.encodebytes(LATIN)),
            ("QUOTED-PRINTABLE", b"Gr=FC=DFe, d=E9j=E0 vu, =\r\n20 =80"),
        ],
    )
    def test_encodings_and_charsets(self, encoding: str, raw: bytes) -> None:
        literal = f'("text" "plain" ("charset" "latin1") NIL NIL "{encoding}" 30 1)'
        assert body_of(plan(structure(literal)), {"1": raw}).text == "Grüße, déjà vu, 20 €"

    @pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
    def test_cut_off_by_the_limit(self, encoding: str) -> None:
        whole = ("Größe und Länge\n" * 40_000).encode()
        raw = base64.encodebytes(whole) if encoding == "base64" else whole
        literal = f'("text" "plain" ("charset" "utf-8") NIL NIL "{encoding}" {len(raw)} 1)'
        text = body_of(plan(structure(literal)), {"1": raw[:262_144]}).text
        assert text.startswith("Größe und Länge\nGröße")
        assert "\ufffd" not in text
        assert text.endswith("it is too long.]")

    def test_html_stands_in_for_a_stub(self) -> None:
        found = plan(structure(f'({text(size=80)}{text("html")} "alternative")'))
        stub = b"Please view this in a browser that shows HTML."
        html = b"<p>The real <b>text</b></p>"
        assert body_of(found, {"1": stub, "2": html}).text == "The real text"
        assert body_of(found, {"1": b"Short, but real.", "2": html}).text == "Short, but real."
        assert body_of(found, {"1": stub}).text == stub.decode()

    def test_parts_that_did_not_come(self) -> None:
        assert body_of(plan(structure(f'({text()}{text()} "mixed")')), {"2": b"two"}).text == "two"
        assert body_of(plan(structure(text())), {}).text == ""

    def test_agrees_with_the_whole_message(self) -> None:
        raw = (
            b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n'
            b'--m\r\nContent-Type: multipart/alternative; boundary="a"\r\n\r\n'
            b"--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + WORDS * 20 + b"\r\n"
            b"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>x</p>\r\n--a--\r\n"
            b'--m\r\nContent-Type: image/png; name="p.png"\r\nContent-ID: <i>\r\n\r\nxx\r\n'
            b"--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nyy\r\n"
            b"--m\r\nContent-Disposition: attachment; filename=n.txt\r\n\r\nzz\r\n--m--\r\n"
        )
        envelope = '(NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL)'
        plain = text(size=len(WORDS) * 20)
        literal = (
            f'(({plain}{text("html", 8)} "alternative" ("boundary" "a") NIL NIL)'
            '("image" "png" ("name" "p.png") "<i>" NIL "7bit" 2 NIL NIL NIL NIL)'
            f'("message" "rfc822" NIL NIL NIL "7bit" 20 {envelope} {text(size=2)} 3 NIL NIL NIL)'
            '("text" "plain" NIL NIL NIL "7bit" 2 0 NIL ("attachment" ("filename" "n.txt")) NIL)'
            ' "mixed" ("boundary" "m") NIL NIL NIL)'
        )
        whole = parse_body(raw)
        planned = plan(structure(literal))
        assert planned.attachments == whole.attachments
        assert [part.name for part in whole.attachments] == ["p.png", "inner.eml", "n.txt"]
        assert body_of(planned, {"1.1": WORDS * 20}) == whole


_ATOMS = st.one_of(
    st.none(),
    st.integers(0, 99),
    st.binary(max_size=8),
    st.sampled_from([b"text", b"plain", b"html", b"message", b"rfc822", b"mixed", b"alternative"]),
)


@given(st.recursive(_ATOMS, lambda inner: st.one_of(st.lists(inner), st.lists(inner).map(tuple))))
def test_any_structure_is_planned_or_unreadable(data: Any) -> None:
    try:
        found = plan(data)
    except Unreadable:
        return
    body = body_of(found, {part.section: b"=?\xff<b>=41" for part in found.parts})
    assert body.attachments == found.attachments
