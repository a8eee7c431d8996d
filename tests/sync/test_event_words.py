"""What an event says: who is asked, its text, its link, how it recurs in words (K5 to K7)."""

from __future__ import annotations

import pytest
from tests.sync.read_events import one

from crmmail.sync.event import Attendee


class TestPeople:
    """K5."""

    def test_roles_responses_and_kinds(self) -> None:
        meeting = one(
            "ORGANIZER;CN=Olga:MAILTO:Olga@Acme.com",
            "ATTENDEE;CN=Olga O;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:olga@acme.com",
            'ATTENDEE;CN="Berg, Ann";PARTSTAT=DECLINED;ROLE=OPT-PARTICIPANT:mailto:ann@acme.com',
            "ATTENDEE;CUTYPE=ROOM;ROLE=NON-PARTICIPANT:mailto:room@acme.com",
            "ATTENDEE:mailto:x@group.calendar.google.com",
            "ATTENDEE:mailto:ann@acme.com",
        )
        assert meeting.organizer == "olga@acme.com"
        assert meeting.attendees == (
            Attendee("olga@acme.com", "Olga O", "chair", "accepted", organizer=True),
            Attendee("ann@acme.com", "Berg, Ann", "optional", "declined"),
            Attendee("room@acme.com", "", "informed", "needs-action", "room"),
            Attendee("x@group.calendar.google.com", "", "required", "needs-action", "group"),
        )

    @pytest.mark.parametrize(
        ("line", "address"),
        [
            ("ATTENDEE;EMAIL=ann@acme.com;CN=A:/12345/principal/", "ann@acme.com"),
            ("ATTENDEE:mailto:ann%40acme.com?subject=x", "ann@acme.com"),
            ("ATTENDEE:ann@acme.com", "ann@acme.com"),
            ("ATTENDEE:urn:uuid:1234", ""),
            ("ATTENDEE:invalid:nomail", ""),
            ("ATTENDEE;CN=a^'b:mailto:ann@\r\n acme.com", "ann@acme.com"),
            ("ATTENDEE;CN=x:y:mailto:ann@acme.com", ""),
        ],
    )
    def test_where_an_address_stands(self, line: str, address: str) -> None:
        assert "".join(one.address for one in one_(line)) == address


def one_(line: str) -> tuple[Attendee, ...]:
    """Who is asked."""
    return one(line).attendees


class TestText:
    """What others wrote is safe, and readable."""

    def test_html_becomes_text(self) -> None:
        html = "<p>Hello <b>all</b>,</p><ul><li>one</li></ul><script>x</script>"
        for line in (f"DESCRIPTION:{html}", f"X-ALT-DESC;FMTTYPE=text/html:{html}"):
            text = one(line).description
            assert "Hello all," in text
            assert "<" not in text
            assert "script" not in text

    def test_plain_text_with_brackets_stays(self) -> None:
        assert one("DESCRIPTION:a < b and x<y> too").description == "a < b and x<y> too"

    def test_control_characters_go(self) -> None:
        meeting = one("SUMMARY:a\x1b[2Jb\u202ec", "LOCATION:x\x07", "DESCRIPTION:y\x9b\\nz")
        assert (meeting.title, meeting.location, meeting.description) == ("a[2Jbc", "x", "y\nz")

    @pytest.mark.parametrize("secret", ["PRIVATE", "confidential"])
    def test_private_ones_are_known(self, secret: str) -> None:
        assert one(f"CLASS:{secret}").private
        assert not one("CLASS:PUBLIC").private


class TestLink:
    """K6."""

    ZOOM = "https://us02web.zoom.us/j/123?pwd=abc"

    @pytest.mark.parametrize(
        ("lines", "link"),
        [
            (["URL:https://acme.com/x", f"CONFERENCE;VALUE=URI;FEATURE=VIDEO:{ZOOM}"], ZOOM),
            (["CONFERENCE;FEATURE=PHONE:tel:+1", f"CONFERENCE;FEATURE=VIDEO:{ZOOM}"], ZOOM),
            (["X-GOOGLE-CONFERENCE:https://meet.google.com/a-b", "URL:https://acme.com"],
             "https://meet.google.com/a-b"),
            ([f"X-MICROSOFT-SKYPETEAMSMEETINGURL:{ZOOM}"], ZOOM),
            (["URL:https://acme.com/webinar", f"LOCATION:{ZOOM}"], "https://acme.com/webinar"),
            ([f"LOCATION:Room 5 or {ZOOM}.", "DESCRIPTION:https://meet.google.com/x"], ZOOM),
            ([f"DESCRIPTION:Join <{ZOOM}>\\nhttps://acme.com/agenda"], ZOOM),
            ([f"DESCRIPTION:<a href=\"{ZOOM}\">Join</a><br>us"], ZOOM),
            (["DESCRIPTION:https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2F"
              "teams.microsoft.com%2Fl%2Fmeetup-join%2F19&data=1"],
             "https://teams.microsoft.com/l/meetup-join/19"),
            (["DESCRIPTION:see https://acme.com/zoom.us/x and zoom.us"], ""),
            (["URL:javascript:alert(1)", "LOCATION:file:///etc/passwd"], ""),
        ],
    )  # fmt: skip
    def test_order(self, lines: list[str], link: str) -> None:
        assert one(*lines).link == link


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=10",
         "every 2 weeks on Monday and Thursday, 10 times"),
        ("FREQ=MONTHLY;BYDAY=1MO;UNTIL=20270301T000000Z",
         "every month on the first Monday until 2027-03-01"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,-1", "every month on the 15th and the last day"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday"),
        ("FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=1", "every year on the 1st in July"),
        ("FREQ=YEARLY", "every year"),
    ],
)  # fmt: skip
def test_a_recurrence_in_words(rule: str, words: str) -> None:
    assert one(f"RRULE:{rule}").recurrence == words


def test_dates_in_words() -> None:
    assert one("RDATE:20260801T070000Z").recurrence == "on 1 chosen day"
    found = one("RRULE:FREQ=DAILY;COUNT=3", "RDATE:20260801T070000Z,20260901T070000Z")
    assert found.recurrence == "every day, 3 times, also on 2 chosen days"
