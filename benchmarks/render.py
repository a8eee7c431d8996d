"""A letter as bytes: headers as mail clients write them, MIME structure, charsets, transport."""

from __future__ import annotations

import base64
import binascii
import functools
import random
import time
from collections import OrderedDict
from email.header import Header

from benchmarks.letters import Attached, Letter, Name, Who
from benchmarks.markup import MARKUP, newsletter, office
from benchmarks.words import prose

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_HEADERS = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "reply_to": "Reply-To"}
_QUOTE_LIMIT, _QUOTE_DEPTH = 9_000, 3
_LIGHT_FILE, _LIGHT_LOGO = 300, 200
_ATOM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_")
_CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//planner//EN\r\n{method}BEGIN:VEVENT\r\n"
    "UID:{uid}\r\nDTSTAMP:20240101T080000Z\r\nDTSTART:20240110T090000Z\r\n"
    "DTEND:20240110T100000Z\r\nSUMMARY:Planning\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


class Renderer:
    """Turns letters into bytes; the same letter gives the same bytes, in whatever order."""

    def __init__(self, seed: int, heavy: bool) -> None:
        self.seed, self.heavy = seed, heavy
        self._texts = OrderedDict[int, str]()
        self._pool = _noise(4_000_000 if heavy else 4_000)

    def render(self, letter: Letter) -> bytes:
        """The whole message, with CRLF line ends."""
        rng = random.Random(self.seed << 24 | letter.number)
        head = self._head(letter, rng)
        body = self._body(letter, rng)
        return head.encode("utf-8", "surrogateescape") + b"MIME-Version: 1.0\r\n" + body

    def _head(self, letter: Letter, rng: random.Random) -> str:
        incoming = not any(p.folder in ("Sent", "Drafts") for p in letter.placed)
        lines = [_transport(letter, rng, self.heavy)] if incoming else []
        if date := _date(letter):
            lines.append(f"Date: {date}")
        lines += [f"{name}: {value}" for name, value in letter.loose_headers]
        for role, header in _HEADERS.items():
            entries = [_entry(who, letter.charset) for who in letter.who if who.role == role]
            if entries:
                lines.append(f"{header}: " + ",\r\n ".join(entries))
        lines.append(f"Subject: {_words(letter.subject, letter.charset)}")
        if letter.message_id:
            lines.append(f"Message-ID: <{letter.message_id}>")
        if letter.in_reply_to:
            lines.append(f"In-Reply-To: <{letter.in_reply_to}>")
        if letter.references:
            lines.append("References: " + "\r\n ".join(f"<{i}>" for i in letter.references))
        lines += [f"{name}: {value}" for name, value in letter.marks]
        return "".join(f"{line}\r\n" for line in lines)

    def _body(self, letter: Letter, rng: random.Random) -> bytes:
        if letter.shape == "newsletter":
            return self._newsletter(letter, rng)
        text = self._text(letter)
        plain = _text_part("plain", text, letter.charset, rng)
        if letter.invitation:
            return self._invitation(letter, plain)
        part = plain
        if letter.shape != "plain":
            page = _text_part("html", office(text), letter.charset, rng)
            if letter.logo:
                logo = self._file(Attached("logo.png", "image/png", letter.logo), rng, inline=True)
                page = _multipart("related", [page, logo], letter.number * 4)
            alternative = letter.shape == "alternative"
            both = _multipart("alternative", [plain, page], letter.number * 4 + 1)
            part = both if alternative else page
        if letter.attached:
            files = [self._file(attached, rng) for attached in letter.attached]
            part = _multipart("mixed", [part, *files], letter.number * 4 + 2)
        return part

    def _text(self, letter: Letter, depth: int = 0) -> str:
        """Own words, then the quoted text of the letter that is answered."""
        if depth == 0 and letter.number in self._texts:
            return self._texts[letter.number]
        rng = random.Random(self.seed << 25 | letter.number)
        text = prose(letter.language).write(rng, letter.length)
        if letter.parent is not None and depth < _QUOTE_DEPTH:
            quoted = self._text(letter.parent, depth + 1)[:_QUOTE_LIMIT]
            sender = letter.parent.sender
            lines = "\n".join(f"> {line}" for line in quoted.split("\n"))
            text += f"\n\nOn {_date(letter.parent) or 'Monday'}, {sender} wrote:\n\n{lines}"
        if depth == 0:
            self._texts[letter.number] = text
            if len(self._texts) > 500:
                self._texts.popitem(last=False)
        return text

    def _newsletter(self, letter: Letter, rng: random.Random) -> bytes:
        page = newsletter(rng, letter.length if self.heavy else 1_500, letter.base)
        html = _encoded(
            "html", page.replace("\n", "\r\n").encode("utf-8"), "utf-8", "quoted-printable"
        )
        if rng.random() < 0.4:
            return html
        plain = prose("en").write(rng, min(letter.length // 8, 3_000))
        return _multipart(
            "alternative", [_text_part("plain", plain, "utf-8", rng), html], letter.number * 4
        )

    def _invitation(self, letter: Letter, plain: bytes) -> bytes:
        uid = f"{letter.number:x}.{self.seed:x}@planner.example"
        calendar = _CALENDAR.format(method="METHOD:REQUEST\r\n", uid=uid).encode()
        bare = letter.invitation == "nested-bare"
        kind = b"text/calendar; charset=utf-8" + (b"" if bare else b"; method=REQUEST")
        part = b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + calendar
        if letter.invitation == "top":
            return part
        inner = _multipart("alternative", [plain, part], letter.number * 4)
        return _multipart("mixed", [inner], letter.number * 4 + 1) if letter.number % 2 else inner

    def _file(self, file: Attached, rng: random.Random, *, inline: bool = False) -> bytes:
        if file.kind == "ics":
            data = _CALENDAR.format(method="", uid=f"{rng.getrandbits(64):x}@planner.example")
            return b"Content-Type: text/calendar; name=dates.ics\r\n\r\n" + data.encode()
        if file.kind == "message":
            inner = b"From: Planner <plan@inner.example>\r\nSubject: Inner\r\n"
            inner += b"Content-Type: text/calendar; method=REQUEST\r\n\r\n"
            inner += _CALENDAR.format(method="METHOD:REQUEST\r\n", uid="inner").encode()
            return b"Content-Type: message/rfc822\r\n\r\n" + inner
        size = file.size
        if not self.heavy:
            size = min(size, _LIGHT_LOGO if inline else _LIGHT_FILE)
        name = _words(file.name, "utf-8")
        kind = "inline" if inline else "attachment"
        head = f'Content-Type: {file.mime}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
        head += f'Content-Disposition: {kind}; filename="{name}"\r\n'
        head += "Content-ID: <logo@brand.example>\r\n" if inline else ""
        lines = size // 57 + 1
        start = rng.randrange(max(1, len(self._pool) // 78 - lines)) * 78
        return head.encode() + b"\r\n" + self._pool[start : start + lines * 78]


@functools.lru_cache(maxsize=2)
def _noise(size: int) -> bytes:
    """Base64 lines of random bytes to cut attachments from."""
    data = base64.encodebytes(random.Random(7).randbytes(size))
    return data.replace(b"\n", b"\r\n")


def _date(letter: Letter) -> str:
    """The Date header as the letter should have it; "" for none."""
    match letter.date:
        case "missing":
            return ""
        case "garbage":
            return "sometime last Tuesday"
        case "future":
            return "Fri, 01 Jan 2100 12:00:00 +0000"
        case "ancient":
            return "Thu, 01 Jan 1970 00:00:00 +0000"
    moment = time.gmtime(letter.sent_at + letter.zone * 60)
    sign, minutes = "+-"[letter.zone < 0], abs(letter.zone)
    zone = f"{sign}{minutes // 60:02}{minutes % 60:02}"
    if letter.zone == 0 and letter.sent_at % 3 == 0:
        zone = "GMT"
    elif letter.zone == 60 and letter.sent_at % 3 == 0:
        zone += " (CET)"
    clock = f"{moment.tm_hour:02}:{moment.tm_min:02}:{moment.tm_sec:02}"
    day = f"{moment.tm_mday:02} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year}"
    return f"{_DAYS[moment.tm_wday]}, {day} {clock} {zone}"


def _entry(who: Who, charset: str) -> str:
    name = _display(who.name, charset)
    return f"{name} <{who.written}>" if name else who.written


@functools.lru_cache(maxsize=20_000)
def _display(name: Name, charset: str) -> str:
    shown = name.shown
    if not shown.isascii():
        return _words(shown, charset)
    if set(shown) <= _ATOM:
        return shown
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"') + '"'


@functools.lru_cache(maxsize=5_000)
def _words(text: str, charset: str) -> str:
    """Text as a header value: encoded words in the letter's charset where it must be."""
    if text.isascii():
        return text
    return Header(text, _fitting(text, charset), maxlinelen=74).encode(linesep="\r\n")


def _fitting(text: str, charset: str) -> str:
    """The charset, or utf-8 when the text does not fit into it."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "utf-8"
    return charset


def _text_part(kind: str, text: str, charset: str, rng: random.Random) -> bytes:
    charset = _fitting(text, charset)
    data = text.replace("\n", "\r\n").encode(charset)
    if charset in ("us-ascii", "iso-2022-jp"):
        return _encoded(kind, data, charset, "7bit")
    encoding = rng.choice(("quoted-printable", "quoted-printable", "8bit", "base64"))
    return _encoded(kind, data, charset, encoding)


def _encoded(kind: str, data: bytes, charset: str, encoding: str) -> bytes:
    head = f"Content-Type: text/{kind}; charset={charset}\r\n"
    head += f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    if encoding == "quoted-printable":
        data = binascii.b2a_qp(data)
    elif encoding == "base64":
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return head.encode() + data + b"\r\n"


def _multipart(kind: str, parts: list[bytes], number: int) -> bytes:
    boundary = f"=_part_{number:08x}"
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    opening = f"--{boundary}\r\n".encode()
    body = b"".join(opening + part + b"\r\n" for part in parts)
    return head.encode() + body + f"--{boundary}--\r\n".encode()


def _transport(letter: Letter, rng: random.Random, heavy: bool) -> str:
    """What the servers on the way wrote: 2 to 5 kB in real mail, little in light mailboxes."""
    host = letter.sender.rpartition("@")[2] or "mx.example"
    date = _date(letter) or "Mon, 02 Jan 2017 00:00:00 +0000"
    hops = rng.randint(2, 4) if heavy else 1
    lines = [f"Return-Path: <bounce-{rng.getrandbits(64):016x}@{host}>"]
    lines += [
        f"Received: from mx{hop}.{host} (mx{hop}.{host} [192.0.2.{rng.randrange(255)}])\r\n"
        f"\tby in{hop}.brightlane.example (Postfix) with ESMTPS id {rng.getrandbits(60):x}\r\n"
        f"\t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n\t{date}"
        for hop in range(hops)
    ]
    if not heavy:
        return "\r\n".join(lines)
    lines.append(
        f"Authentication-Results: in1.brightlane.example;\r\n\tdkim=pass header.d={host};\r\n"
        f"\tspf=pass smtp.mailfrom={host};\r\n\tdmarc=pass (p=reject) header.from={host}"
    )
    signature = base64.b64encode(rng.randbytes(256)).decode()
    folded = "\r\n\t ".join(signature[i : i + 70] for i in range(0, len(signature), 70))
    lines.append(
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={host};\r\n"
        f"\ts=s{rng.randrange(9)}; h=from:to:cc:subject:date:message-id;\r\n\tb={folded}"
    )
    lines += [
        f"X-{rng.choice(MARKUP)}-Trace: {base64.b64encode(rng.randbytes(45)).decode()}"
        for _ in range(rng.randint(2, 14))
    ]
    return "\r\n".join(lines)
