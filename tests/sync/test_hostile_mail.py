"""Mail made to freeze the reader: every message takes less than a second."""

from __future__ import annotations

from contextlib import suppress

import pytest
from tests.bounded import bounded

from crmmail.sync.message import Unreadable, parse_body, parse_header

RECEIVED = 1_700_000_000


def nested(count: int, kind: str = "mixed", tail: bytes = b"") -> bytes:
    """Multiparts in each other; each boundary begins like the one before."""
    heads = "".join(
        f"Content-Type: multipart/{kind}; boundary=b{'x' * n}\n\n--b{'x' * n}\n"
        for n in range(count)
    )
    return heads.encode() + b"\n" + tail


@pytest.mark.parametrize(
    "raw",
    [
        nested(250, tail=b"x\n" * 500_000),
        nested(60, "alternative", tail=b"x\n" * 1_000_000),
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(1500)
        ),
        b"Content-Type: message/rfc822\n\n" * 5_000,
        b"Content-Type: multipart/mixed; boundary=X\n\n" + b"--X\n\nhi\n" * 100_000,
        b"Content-Type: multipart/mixed; boundary=zz\n\n" + b"--aa\nX: y\n" * 60_000,
        b"\n" + b"On On On " * 7_000,
        b"Subject: x\n\n" + b"x" * 400_000,
        b"To: " + b";" * 20_000 + b"\n\nx",
        b"To: " + b"(" * 200_000 + b"\n\nx",
        b"To: " + b"(c) a@x.example," * 15_000 + b"\n\nx",
        b"Subject: " + b"=?utf-8?Q?a?= " * 18_000 + b"\n\nx",
        b"References: " + b"<" * 250_000 + b"\n\nx",
        b"Subject: x\n" + b" y\n" * 80_000 + b"\nx",
        b"X: y\n" * 50_000 + b"\nx",
        b"Content-Type: text/plain; " + b"a=b; " * 50_000 + b"\n\nx",
        b"Content-Type: text/html\n\n" + b"<!--" * 100_000,
        b"Content-Type: text/html\n\n" + b"<div>" * 200_000,
        b"Content-Type: text/plain; format=flowed\n\n" + b">" * 100_000 + b" \n>" * 50_000,
        b"Content-Type: text/plain\n\n" + bytes(range(128, 256)) * 20_000,
        b"Content-Transfer-Encoding: base64\n\n" + b"=@!" * 1_000_000,
        b"Content-Transfer-Encoding: x-uuencode\n\n" + b"M" * 61 + b"\n" * 300_000,
        b"\x00" * 1_000_000,
    ],
    ids=lambda raw: ascii(raw[:30]),
)
def test_hostile_messages_take_bounded_time(raw: bytes) -> None:
    with bounded():
        found = parse_header(raw, RECEIVED)
        with suppress(Unreadable):
            assert len(parse_body(raw).attachments) <= 500
    assert len(found.participants) <= 500
