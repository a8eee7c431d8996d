"""Which parts become the text, which are listed, and what is said when there is no text."""

from __future__ import annotations

import base64

import pytest

from crmmail.sync.message import Body, Part, parse_body

PLAIN = "Content-Type: text/plain\n\nHello plain world, this is long enough to be no stub.\n"
HTML = "Content-Type: text/html\n\n<p>Hello <b>html</b> world</p>\n"
PDF = (
    'Content-Type: application/pdf; name="a.pdf"\nContent-Disposition: attachment\n'
    "Content-Transfer-Encoding: base64\n\nJVBERi0=\n"
)
IMAGE = "Content-Type: image/png\nContent-ID: <i@x>\nContent-Disposition: inline\n\nxx\n"


def multipart(kind: str, *parts: str, boundary: str = "b1") -> str:
    """A multipart of these parts."""
    lines = "".join(f"--{boundary}\n{part}" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{lines}--{boundary}--\n'


def read(text: str) -> Body:
    """A message with this content header and body."""
    return parse_body(("From: ann@a.example\nSubject: s\n" + text).encode())


def names(body: Body) -> list[str]:
    """The names of the attachments."""
    return [part.name for part in body.attachments]


class TestAlternatives:
    def test_plain_is_preferred(self) -> None:
        assert read(multipart("alternative", PLAIN, HTML)).text.startswith("Hello plain")

    @pytest.mark.parametrize(
        "stub",
        [
            "",
            " \n",
            "---\n",
            "Your mail program does not support HTML.\n",
            "To view this message, open it in a browser: https://x.example\n",
        ],
    )
    def test_html_instead_of_a_stub(self, stub: str) -> None:
        plain = f"Content-Type: text/plain\n\n{stub}"
        assert read(multipart("alternative", plain, HTML)).text == "Hello html world"

    def test_short_plain_text_is_no_stub(self) -> None:
        plain = "Content-Type: text/plain\n\nOK, see you.\n"
        assert read(multipart("alternative", plain, HTML)).text == "OK, see you."

    def test_related_html_and_its_picture(self) -> None:
        related = multipart("related", HTML, IMAGE, boundary="b2")
        found = read(multipart("alternative", related))
        assert found.text == "Hello html world"
        assert found.attachments == (Part("image.png", "image/png", 2, True),)

    def test_files_inside_an_alternative_are_listed(self) -> None:
        mixed = multipart("mixed", HTML, PDF, HTML, boundary="b2")
        found = read(multipart("alternative", PLAIN, mixed))
        assert found.text.startswith("Hello plain")
        assert names(found) == ["a.pdf"]

    def test_amp_is_neither_text_nor_file(self) -> None:
        amp = "Content-Type: text/x-amp-html\n\n<html amp4email></html>\n"
        found = read(multipart("alternative", PLAIN, amp, HTML))
        assert (found.text[:5], found.attachments) == ("Hello", ())


class TestMixed:
    def test_inline_texts_in_order(self) -> None:
        footer = "Content-Type: text/plain\n\n____\nThe list\n"
        found = read(multipart("mixed", PLAIN, PDF, HTML, footer))
        assert [line for line in found.text.split("\n") if line] == [
            "Hello plain world, this is long enough to be no stub.",
            "Hello html world",
            "____",
            "The list",
        ]
        assert found.attachments == (Part("a.pdf", "application/pdf", 8, False),)

    def test_a_text_file_is_a_file(self) -> None:
        log = 'Content-Type: text/plain; name="x.log"\n\nlines\n'
        csv = "Content-Type: text/csv\nContent-Disposition: attachment\n\na,b\n"
        found = read(multipart("mixed", PLAIN, log, csv))
        assert "lines" not in found.text
        assert names(found) == ["x.log", "attachment.csv"]

    def test_the_only_text_is_read_whatever_it_is_called(self) -> None:
        assert read('Content-Type: text/plain; name="x.txt"\n\nhello\n').text == "hello"
        found = read("Content-Type: text/csv\nContent-Disposition: attachment\n\na,b\n")
        assert (found.text, names(found)) == ("", ["attachment.csv"])

    def test_a_photo_that_was_attached_counts(self) -> None:
        photo = 'Content-Type: image/jpeg\nContent-Disposition: inline; filename="p.jpg"\n\nx\n'
        assert read(multipart("mixed", PLAIN, photo)).attachments[0].inline is False

    def test_signature_part_is_listed_as_inline(self) -> None:
        signature = "Content-Type: application/pgp-signature\n\n-----BEGIN\n"
        found = read(multipart("signed", PLAIN, signature))
        assert found.attachments == (Part("attachment.asc", "application/pgp-signature", 10, True),)


class TestNames:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ('filename="../../etc/passwd"', "passwd"),
            (r'filename="C:\\dir\\x.doc"', "x.doc"),
            ("filename*=utf-8''%e2%82%ac.txt", "€.txt"),
            ('filename*0="foo"; filename*1="bar.txt"', "foobar.txt"),
            ('filename="=?utf-8?B?4oKsLnR4dA==?="', "€.txt"),
            ('filename=".bashrc"', "bashrc"),
            ('filename="a\x1b[31m\u202egpj.exe"', "a[31mgpj.exe"),
            (f'filename="{"x" * 400}.pdf"', "x" * 196 + ".pdf"),
            ("", "attachment"),
        ],
    )
    def test_safe(self, written: str, name: str) -> None:
        part = f"Content-Type: application/x-y\nContent-Disposition: attachment; {written}\n\nx\n"
        assert names(read(multipart("mixed", PLAIN, part))) == [name]

    def test_an_embedded_message_is_called_by_its_subject(self) -> None:
        inner = "Content-Type: message/rfc822\n\nSubject: Re: a/b =?utf-8?Q?=C3=A4?=\n\nx\n"
        assert names(read(multipart("mixed", PLAIN, inner))) == ["Re: a-b ä.eml"]


class TestWithoutText:
    def test_a_forwarded_message_is_read(self) -> None:
        inner = f"From: Bob <b@b.example>\nSubject: Inner\n{PLAIN}"
        found = read(multipart("mixed", f"Content-Type: message/rfc822\n\n{inner}"))
        assert found.text.split("\n")[:2] == ["From: Bob <b@b.example>", "Subject: Inner"]
        assert "Hello plain world" in found.text
        assert names(found) == ["Inner.eml"]

    def test_its_files_are_not_listed_as_ones_own(self) -> None:
        inner = multipart("mixed", PLAIN, PDF, boundary="b2")
        found = read(multipart("mixed", PLAIN, f"Content-Type: message/rfc822\n\n{inner}"))
        assert names(found) == ["message.eml"]

    def test_a_delivery_status_is_read(self) -> None:
        status = "Content-Type: message/delivery-status\n\nAction: failed\n"
        found = read(multipart("report", status))
        assert (found.text, names(found)) == ("Action: failed", ["delivery-status"])

    def test_encrypted(self) -> None:
        control = "Content-Type: application/pgp-encrypted\n\nVersion: 1\n"
        data = "Content-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN\n"
        assert "encrypted" in read(multipart("encrypted", control, data)).text
        assert "encrypted" in read("Content-Type: application/pkcs7-mime\n\nxx\n").text
        opaque = read("Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nxx\n")
        assert "signed" in opaque.text

    def test_tnef_is_a_file(self) -> None:
        assert names(read("Content-Type: application/ms-tnef\n\nxx\n")) == ["winmail.dat"]


class TestInvitations:
    """M6."""

    CALENDAR = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n"

    def test_in_an_alternative(self) -> None:
        found = read(multipart("alternative", PLAIN, self.CALENDAR))
        assert found.invitation
        assert found.attachments == ()

    def test_as_a_part(self) -> None:
        assert read(multipart("mixed", PLAIN, self.CALENDAR)).invitation

    def test_by_what_it_contains(self) -> None:
        part = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\n"
        assert read(multipart("alternative", PLAIN, part)).invitation

    def test_not_without_a_method(self) -> None:
        part = "Content-Type: text/calendar; name=x.ics\n\nBEGIN:VCALENDAR\n"
        found = read(multipart("mixed", PLAIN, part))
        assert not found.invitation
        assert names(found) == ["x.ics"]

    def test_not_inside_an_embedded_message(self) -> None:
        inner = multipart("alternative", PLAIN, self.CALENDAR, boundary="b2")
        found = read(multipart("mixed", PLAIN, f"Content-Type: message/rfc822\n\n{inner}"))
        assert not found.invitation


class TestDamage:
    def test_another_boundary_than_announced(self) -> None:
        raw = multipart("mixed", PLAIN, PDF).replace('boundary="b1"', 'boundary="zz"')
        found = read(raw)
        assert found.text.startswith("Hello plain")
        assert names(found) == ["a.pdf"]

    def test_no_boundary_at_all(self) -> None:
        assert read("Content-Type: multipart/mixed\n\njust text\n").text == "just text"

    def test_cut_off(self) -> None:
        whole = multipart("mixed", PLAIN, PDF)
        assert read(whole[: whole.index("stub")]).text.endswith("to be no")

    def test_broken_base64_of_a_text_part(self) -> None:
        data = base64.b64encode(b"Hello, world").decode()
        part = f"Content-Transfer-Encoding: base64\n\n{data[:9]}*!{data[9:-2]}\n"
        assert read(multipart("mixed", part, PDF)).text.startswith("Hello, wor")

    def test_broken_embedded_message(self) -> None:
        inner = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n**=*\n"
        found = read(multipart("mixed", PLAIN, inner))
        assert found.text.startswith("Hello plain")
        assert len(found.attachments) == 1

    def test_raw_bytes_in_quoted_printable(self) -> None:
        part = "Content-Transfer-Encoding: quoted-printable\n\n=C3=BC \u00fc\n"
        assert read(part).text == "ü ü"
        assert read(multipart("mixed", part, PDF)).text == "ü ü"

    def test_a_boundary_that_begins_like_another(self) -> None:
        inner = multipart("alternative", PLAIN, HTML, boundary="b1_alt")
        found = read(multipart("mixed", inner, PDF))
        assert found.text.startswith("Hello plain")
        assert "html" not in found.text
        assert names(found) == ["a.pdf"]

    def test_a_multipart_inside_whose_boundary_is_wrong(self) -> None:
        inner = multipart("alternative", PLAIN, HTML, boundary="b2")
        found = read(multipart("mixed", inner.replace('boundary="b2"', "x=y"), PDF))
        assert found.text.startswith("Hello plain")
        assert "html" not in found.text
        assert names(found) == ["a.pdf"]
