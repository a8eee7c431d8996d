"""From a letter of the script to a message, as the sender's mail program would make it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.message import Message
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from html import escape

from crmmail.demo.files import MIME
from crmmail.demo.parts import (
    attach,
    meeting_request,
    multipart,
    set_header,
    stable,
    text_part,
    to_bytes,
)
from crmmail.demo.phrases import attribution, original_header, reply_prefix, spoken_date
from crmmail.demo.story import OWN, Letter, Person

_DATE = re.compile(r"\{([+-]\d+)d(?::(day))?\}")
_CHARSETS = {"latin1": "iso-8859-1", "jis": "iso-2022-jp"}
_PROGRAMS = {"top": "Pine Mail 4.2", "outlook": "Desk Mail 16", "none": "Pocket Mail 11"}


@dataclass(frozen=True, slots=True)
class Written:
    """A letter as it was sent: what the next one answers and quotes."""

    sender: Person
    to: str
    subject: str
    sent_at: datetime
    ids: tuple[str, ...]  # of the thread so far, its own last
    text: str  # with signature and quotation
    html: str
    raw: bytes = b""


def compose(
    letter: Letter,
    subject: str,
    people: Mapping[str, Person],
    sent_at: datetime,
    earlier: Sequence[Written],
) -> Written:
    """The message that a letter becomes, sent at a time, after the earlier ones of its thread."""
    sender = people[letter.sender]
    sent_at = sent_at.astimezone(timezone(timedelta(hours=sender.tz)))
    said = _DATE.sub(lambda found: _spoken(found, letter.lang, sent_at), letter.text)
    if sender.client != "none" and all(one.sender.key != sender.key for one in earlier):
        said += _signature(sender)
    before = earlier[-1] if earlier else None
    text, html = said, _paragraphs(said)
    if before is not None:
        subject = f"{reply_prefix(sender.lang, sender.client)} {base_subject(subject)}"
        if sender.client != "none":
            text += _quoted(before, sender)
            html += _quoted_html(before, sender)
    ids = (*(before.ids if before else ()), _message_id(subject, letter, len(earlier), sender))
    to = ", ".join(people[key].name for key in letter.to)
    written = Written(sender, to, subject, sent_at, ids, text, html)
    message = _body(letter, written)
    _address(message, letter, written, people)
    return replace(written, raw=to_bytes(message))


def base_subject(subject: str) -> str:
    """A subject without what answers put before it."""
    return re.sub(r"^(?:(?:Re|RE|AW|R|Odp): )+", "", subject)


def _body(letter: Letter, written: Written) -> Message:
    """The parts, nested as mail programs nest them."""
    charset = next((real for word, real in _CHARSETS.items() if letter.option(word) == ""), "utf-8")
    base64 = written.sender.client == "outlook"
    seed = written.ids[-1]
    message: Message = text_part(written.text, "plain", charset, base64=base64)
    if letter.option("html") is not None or letter.option("invite") is not None:
        both = multipart("alternative", seed)
        both.attach(message)
        both.attach(text_part(_page(written.html), "html", base64=base64))
        if (invite := letter.option("invite")) is not None:
            both.attach(_invitation(invite, written))
        message = both
    if names := [name for kind, name in letter.options if kind in MIME]:
        mixed = multipart("mixed", seed)
        mixed.attach(message)
        attach(mixed, names)
        message = mixed
    return message


def _address(
    message: Message, letter: Letter, written: Written, people: Mapping[str, Person]
) -> None:
    def mailboxes(keys: Sequence[str]) -> str:
        return ", ".join(formataddr((people[key].name, people[key].address)) for key in keys)

    message["From"] = mailboxes([letter.sender])
    message["To"] = mailboxes(letter.to)
    if letter.cc:
        message["Cc"] = mailboxes(letter.cc)
    set_header(message, "Subject", written.subject)
    message["Date"] = format_datetime(written.sent_at)
    message["Message-ID"] = f"<{written.ids[-1]}>"
    if len(written.ids) > 1:
        message["In-Reply-To"] = f"<{written.ids[-2]}>"
        message["References"] = "\r\n ".join(f"<{one}>" for one in written.ids[:-1])
    message["X-Mailer"] = _PROGRAMS[written.sender.client]


def _message_id(subject: str, letter: Letter, number: int, sender: Person) -> str:
    seed = f"{base_subject(subject)}\n{number}\n{letter.sender}"
    domain = sender.address.partition("@")[2]
    return f"{stable(seed)}@{domain}"


def _spoken(found: re.Match[str], lang: str, sent_at: datetime) -> str:
    day = sent_at + timedelta(days=int(found[1]))
    if day.weekday() > 4:  # nobody makes appointments for a Sunday
        day += timedelta(days=7 - day.weekday())
    return spoken_date(lang, day, found[2] or "")


def _signature(sender: Person) -> str:
    if sender.key in OWN:
        return "\n\n-- \nMira Castellan\nQuiet Rooms, acoustics for people"
    job = f"\n{sender.job}, {sender.company}" if sender.job != "-" else ""
    return f"\n\n-- \n{sender.name}{job}"


def _quoted(before: Written, sender: Person) -> str:
    if sender.client == "outlook":
        head = original_header(sender.lang, before.sent_at, _who(before), before.to, before.subject)
        return "\n\n" + "\n".join(["_" * 32, *head]) + f"\n\n{before.text}"
    quoted = "\n".join(
        f">{line}" if line.startswith(">") else f"> {line}".rstrip()
        for line in before.text.split("\n")
    )
    return f"\n\n{attribution(sender.lang, before.sent_at, _who(before))}\n{quoted}"


def _quoted_html(before: Written, sender: Person) -> str:
    if sender.client == "outlook":
        head = original_header(sender.lang, before.sent_at, _who(before), before.to, before.subject)
        return f"<hr><div><b>{'<br>'.join(escape(line) for line in head)}</b></div>{before.html}"
    line = escape(attribution(sender.lang, before.sent_at, _who(before)))
    quoted = f'<blockquote type="cite">{before.html}</blockquote>'
    return f'<div class="quote"><div>{line}</div>{quoted}</div>'


def _who(before: Written) -> str:
    return f"{before.sender.name} <{before.sender.address}>"


def _paragraphs(text: str) -> str:
    return "".join(
        f"<p>{escape(part).replace(chr(10), '<br>')}</p>\n" for part in text.split("\n\n")
    )


def _page(html: str) -> str:
    style = "<style>p { font-family: Calibri, sans-serif; margin: 0 0 1em }</style>"
    return f"<html><head>{style}</head><body>\n{html}</body></html>"


def _invitation(invite: str, written: Written) -> MIMEText:
    """A meeting request: "3 09:30 45" is in three days, at half past nine, for 45 minutes."""
    days, clock, minutes = invite.split()
    hour, minute = (int(part) for part in clock.split(":"))
    day = written.sent_at + timedelta(days=int(days))
    start = day.replace(hour=hour, minute=minute, second=0)
    title = base_subject(written.subject)
    return meeting_request(
        written.ids[-1], title, _who(written), written.sent_at, start, int(minutes)
    )
