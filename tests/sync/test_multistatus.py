"""The addresses in a calendar server's answers, however it spells them."""

from __future__ import annotations

import pytest
from tests.sync.events import events
from tests.sync.office import Office

from crmmail.sync.multistatus import address, canonical


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("/dav/a%40b/1.ics", "/dav/a@b/1.ics"),
        ("https://cal.example/dav/1.ics", "/dav/1.ics"),
        ("https://cal.example//dav/1.ics", "//dav/1.ics"),
        ("https://[cal/dav/1.ics", "/dav/1.ics"),
        ("//[cal/1.ics", "/1.ics"),
        ("//[cal", "/"),
    ],
)
def test_a_resource_is_known_by_its_path(href: str, path: str) -> None:
    assert canonical(href) == path


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/dav/1.ics", "https://cal.example:8443/dav/1.ics"),
        ("//dav/1.ics", "https://cal.example:8443//dav/1.ics"),
        ("1.ics", "https://cal.example:8443/home/1.ics"),
    ],
)
def test_a_resource_is_on_the_server_that_told_of_it(path: str, leads_to: str) -> None:
    assert address("https://cal.example:8443/home/?a=b", path) == leads_to


def test_an_address_that_cannot_be_read_does_not_keep_others_out(radicale_office: Office) -> None:
    office = radicale_office
    office.server.fill("work", events(5))
    strange = b'<response xmlns="DAV:"><href>https://[cal/1.ics</href></response>'

    def alter(_: object, body: bytes) -> bytes:
        end = body.rfind(b"</", 0, len(body))
        return body[:end] + strange + body[end:] if b"multistatus" in body else body

    office.proxy.alter = alter
    office.later()
    assert office.titles() == {f"Meeting {number}" for number in range(5)}
