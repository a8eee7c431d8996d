"""Attachments of the sample mailbox: small, but what they claim to be."""

from __future__ import annotations

import struct
import zlib
from random import Random

MIME = {"pdf": "application/pdf", "csv": "text/csv", "png": "image/png"}


def content(name: str) -> bytes:
    """The bytes of an attachment, by the ending of its name; the same ones every time."""
    make = {"pdf": _pdf, "csv": _csv, "png": _png}[name.rpartition(".")[2]]
    return make(name, Random(name))  # noqa: S311 - not a secret


def _pdf(name: str, random: Random) -> bytes:
    """One page that says its title."""
    title = name.rpartition(".")[0].replace("_", " ").encode("ascii", "replace")
    title = title.replace(b"(", b"[").replace(b")", b"]")
    lines = b"".join(
        b"72 %d m %d %d l S\n" % (y, random.randrange(200, 520), y) for y in range(650, 200, -14)
    )
    drawing = b"BT /F1 22 Tf 72 720 Td (" + title + b") Tj ET\n0.7 G\n" + lines
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%bendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + (
        b"xref\n0 6\n0000000000 65535 f \n%btrailer\n<< /Size 6 /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (table, len(out))
    )


def _csv(_name: str, random: Random) -> bytes:
    """Levels in third-octave bands."""
    bands = [25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000]
    rows = [f"{band},{random.uniform(28, 79):.1f},{random.uniform(28, 79):.1f}" for band in bands]
    return "\r\n".join(["band_hz,before_db,after_db", *rows, ""]).encode()


def _png(_name: str, random: Random) -> bytes:
    """A picture of 96 by 64 soft stripes."""
    tone, step = random.randrange(256), random.randrange(3, 9)
    rows = b"".join(
        b"\0" + bytes(v % 256 for x in range(96) for v in (tone + x * step, y * 3, 160 - y))
        for y in range(64)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 96, 64, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )
