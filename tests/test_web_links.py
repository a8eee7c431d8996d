"""Which links and phone numbers are kept (rules.md A8)."""

from __future__ import annotations

import pytest

from crmmail import web_links
from crmmail.errors import CrmmailError
from crmmail.sync import conference, ical

REFUSED = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " javascript:alert(1)",
    "java\u200bscript:alert(1)",
    "javascript://acme.example/%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "smb://host/share",
    "ms-msdt:/id",
    "view-source:https://x.example",
    "http:///nobody",
    "https:nobody",
]
NO_LINKS = ["java\tscript:alert(1)", "two words", "LinkedIn: https://x.example", "nothing", "//x"]
KEPT = [
    "",
    "https://www.linkedin.com/in/ada",
    "HTTP://acme.example:8080/x?y=z#t",
    "mailto:ada@acme.example",
    "tel:+49-30-123",
    "acme.example",
    "acme.example:8080/about",
    "https://[::1]/x",
    "münchen.example/ü",
]


@pytest.mark.parametrize("typed", REFUSED + NO_LINKS)
def test_a_link_that_may_start_something_is_not_kept(typed: str) -> None:
    with pytest.raises(CrmmailError, match="is not a link that crmmail keeps") as caught:
        web_links.kept(f"https://acme.example\n{typed}")
    assert "http, https, mailto and tel links" in caught.value.hint


@pytest.mark.parametrize("typed", REFUSED)
def test_nor_is_it_opened(typed: str) -> None:
    assert "it is not opened" in web_links.refusal(typed.replace("\u200b", ""))


@pytest.mark.parametrize("typed", KEPT)
def test_links_of_the_web_mail_and_telephone_are_kept(typed: str) -> None:
    assert web_links.kept(typed) == typed
    assert web_links.kept(f" {typed} \r\nhttps://b.example") == f"{typed}\nhttps://b.example"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("+49 (0)30 1234-56 ext. 7", "+49 (0)30 1234-56 ext. 7"),
        ("tel:+49301234", "+49301234"),
        ("0800-FLOWERS-1", "0800-FLOWERS-1"),
        ("*100#", "*100#"),
        ("Tel.: 030 123456", "Tel.: 030 123456"),
        ("Büro: +49 30 1", "Büro: +49 30 1"),
        ("fax:030 1", "fax:030 1"),
        ("Data line: 030 1", "Data line: 030 1"),
        ("+49 30 1 | 5", "+49 30 1 | 5"),
        ("030 1 ext. 12", "030 1 ext. 12"),
        ("030 1 x12", "030 1 x12"),
        ("x12", "x12"),
        ("ext. 12", "ext. 12"),
        ("030/12 34 56 – 7 (bis 17:30 Uhr)", "030/12 34 56 – 7 (bis 17:30 Uhr)"),
        ("+49 30 1 [Zentrale]; mobil: +49 171 1", "+49 30 1 [Zentrale]; mobil: +49 171 1"),
        ("sip:42@pbx.example", "sip:42@pbx.example"),
        ("٠٣٠ ١٢٣", "٠٣٠ ١٢٣"),
        ("1" * 200, "1" * 200),
        ("+49\u202e 30\n12\x1b", "+49 30 12"),
    ],
)
def test_a_phone_number_is_kept_in_the_way_in_which_it_is_written(typed: str, kept: str) -> None:
    assert web_links.phone(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("javascript:1", " JavaScript:1", "java\u200bscript:1", "tel:javascript:1", "data:1"),
        *("http:1", "https://acme.example/1", "mailto:a1@b.example", "ms-msdt:/id1", "x1://host/1"),
        *("call me", "Tel.:", "tel:", "-", "1" * 201),
    ],
)
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(CrmmailError, match="is not a phone number"):
        web_links.phone(typed)


@pytest.mark.parametrize("name", ["URL", "CONFERENCE", "X-GOOGLE-CONFERENCE"])
@pytest.mark.parametrize("value", ["javascript:alert(1)", "file:///x", "data:text/html\\,x"])
def test_an_invitation_brings_no_such_link(name: str, value: str) -> None:
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", f"{name}:{value}", f"LOCATION:{value}"]
    [event] = ical.read("\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])).parts
    assert event.text(name)
    assert conference.link(event, value, f"see {value}") == ""
