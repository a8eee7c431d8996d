"""Bytes -> text: transfer encodings, charsets, encoded words, and their repair.

Mail declares its charset wrongly often enough that the declaration is only the first guess. Nothing
here raises for any input; what cannot be read becomes U+FFFD.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

# Names that codecs does not know, or knows in a narrower reading than senders mean.
_ALIASES = {
    "ansi": "cp1252", "ansi_x3.4-1968": "", "ascii": "", "us-ascii": "",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "latin1": "cp1252",
    "latin-1": "cp1252", "l1": "cp1252", "8859_1": "cp1252", "default_charset": "",
    "x-user-defined": "cp1252", "windows-1252": "cp1252", "unknown-8bit": "", "x-unknown": "",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "iso-8859-6-i": "iso8859-6",
    "gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "x-gbk": "gb18030",
    "chinesesimplified": "gb18030", "gb_2312-80": "gb18030", "hz-gb-2312": "hz",
    "big5": "cp950", "x-x-big5": "cp950", "chinesetrad": "cp950", "chinesebig5": "cp950",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "euc-kr": "cp949", "euckr": "cp949",
    "ksc5601": "cp949", "ks_c_5601-1989": "cp949", "windows-949": "cp949", "korean": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932",
    "windows-31j": "cp932", "ms_kanji": "cp932", "x-euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext", "iso2022-jp": "iso2022_jp_ext", "jis": "iso2022_jp_ext",
    "utf8mb4": "utf-8", "unicode": "utf-8", "utf": "utf-8", "x-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7", "unicode-1-1-utf-8": "utf-8", "unicode-2-0-utf-8": "utf-8",
    "macintosh": "mac_roman", "x-mac-roman": "mac_roman", "x-mac-ce": "mac_latin2",
    "x-mac-cyrillic": "mac_cyrillic", "cp-850": "cp850", "koi8-ru": "koi8_u", "koi": "koi8_r",
}  # fmt: skip
# Codecs that are no charset of mail, or not of linear time.
_REFUSED = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
# What undeclared mail is written in; a longer list only makes the guesses worse.
_LIKELY = ("cp1252 cp1250 cp1251 koi8_r gb18030 big5 cp949 cp932 euc_jp cp1253").split()
_SAMPLE = 4_096
_HIGH_RUN = re.compile(rb"[\x80-\xff]{2,}")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_META = re.compile(rb"<meta[^<>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@lru_cache(maxsize=500)
def codec(declared: str) -> str:
    """The Python codec for a charset that a mail names; "" for none."""
    name = declared.strip().strip("\"'").lower().replace(" ", "")[:60]
    name = _ALIASES.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _REFUSED else ""


def decode(data: bytes, declared: str = "") -> str:
    """Text of a body: the declared charset where it holds, else the most likely one."""
    if data.isascii() and b"\x1b" not in data and b"~{" not in data and b"+" not in data:
        return _without_mark(data, declared) or data.decode("ascii")
    name = codec(declared) or ("iso2022_jp_ext" if b"\x1b$" in data else "")
    if name in ("", "cp1252") and (text := _strict(data, "utf-8")) is not None:
        return text
    if name and (text := _strict(data, name)) is not None:
        return text
    for other in ("utf-8", name):
        if other and (text := _nearly(data, other)) is not None:
            return text
    return _by_likelihood(data)


def decode_html(data: bytes, declared: str = "") -> str:
    """Text of an HTML part, which may name its charset itself."""
    if not declared and not data.isascii() and (found := _META.search(data[:_SAMPLE])):
        declared = found[1].decode("ascii")
    return decode(data, declared)


def decode_header(data: bytes, hint: str = "") -> str:
    """Text of a raw header that may hold 8-bit bytes; `hint` is the charset of the message."""
    if data.isascii():
        return data.decode("ascii")
    for name in ("utf-8", codec(hint)):
        if name and (text := _strict(data, name)) is not None:
            return text
    return _by_likelihood(data)


def likely(data: bytes) -> str:
    """The charset that text looks most like; Western where accents stand alone among ASCII."""
    high = data.translate(None, bytes(range(128)))
    runs = sum(map(len, _HIGH_RUN.findall(data[: _SAMPLE * 4])))
    if len(high) < 8 or runs * 2 < len(high[:_SAMPLE]):
        return "cp1252"
    from charset_normalizer import from_bytes

    at = next((at for at, byte in enumerate(data) if byte > 127), 0)
    sample = data[max(0, at - 200) :][:_SAMPLE]
    best = from_bytes(sample, steps=3, chunk_size=512, cp_isolation=_LIKELY).best()
    return (codec(best.encoding) if best else "") or "cp1252"


def words(text: str) -> str:
    """Text with its RFC 2047 encoded words decoded; what is none stays as it is."""
    if "=?" not in text:
        return text
    out: list[str] = []
    data, charset, end = b"", "", 0
    for found in _WORD.finditer(text):
        gap = text[end : found.start()]
        name = found[1].partition("*")[0]
        if gap.strip() or end == 0 or name.lower() != charset.lower():
            out.append(decode(data, charset))
            data = b""
        if gap.strip() or end == 0:
            out.append(gap)
        data, charset, end = data + _word_bytes(found[2], found[3]), name, found.end()
        if len(data) > _SAMPLE:
            out.append(decode(data, charset))
            data = b""
    out += decode(data, charset), text[end:]
    return "".join(out)


def unpack(data: bytes, encoding: str) -> bytes:
    """Bytes of a part without their transfer encoding; a part that was cut short is fine."""
    match encoding.strip().strip("\"'").lower():
        case "base64":
            return _base64(data)
        case "quoted-printable":
            return binascii.a2b_qp(data)
        case "uuencode" | "x-uuencode" | "x-uue" | "uue":
            return _uuencoded(data)
    return data


def _word_bytes(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "replace")
    return _base64(raw) if encoding in "bB" else binascii.a2b_qp(raw, header=True)


def _base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        clean = _NO_BASE64.sub(b"", data)
        cut = len(clean) % 4
        if cut >= 2:
            return binascii.a2b_base64(clean + b"=" * (4 - cut))
        return binascii.a2b_base64(clean[: len(clean) - cut])


def _uuencoded(data: bytes) -> bytes:
    out = bytearray()
    for line in data.splitlines():
        if line.startswith(b"begin "):
            continue
        if line.strip() in (b"end", b"`"):
            break
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            continue
    return bytes(out)


def _without_mark(data: bytes, declared: str) -> str:
    """Text of UTF-16 that happens to be ASCII bytes; "" for everything else."""
    name = codec(declared)
    return data.decode(name, "replace") if name.startswith(("utf-16", "utf-32")) else ""


def _strict(data: bytes, name: str) -> str | None:
    """Text when all of it can be read; the last character of a long text may be cut off."""
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        if len(data) < _SAMPLE or error.start < len(data) - 4 or data[: error.start].isascii():
            return None
        return data[: error.start].decode(name, "replace")
    except (ValueError, LookupError):
        return None


def _nearly(data: bytes, name: str) -> str | None:
    """Text when at most one in ten of its non-ASCII characters is damaged."""
    text = data.decode(name, "replace")
    damaged = text.count("\ufffd")
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return text if damaged * 10 <= foreign else None


def _by_likelihood(data: bytes) -> str:
    return data.decode(likely(data), "replace")
