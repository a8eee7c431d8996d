"""Where a meeting is held online (rules.md K6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from crmmail.sync.ical import Component
from crmmail.text import one_line

_GIVEN = (
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "URL",
)
_HOSTS = (
    "zoom.us zoom.com zoomgov.com meet.google.com hangouts.google.com teams.microsoft.com "
    "teams.live.com teams.cloud.microsoft webex.com whereby.com meet.jit.si 8x8.vc jitsi.org "
    "gotomeeting.com gotomeet.me goto.com bluejeans.com ringcentral.com chime.aws discord.com "
    "discord.gg around.co gather.town livestorm.co meet.proton.me skype.com join.skype.com "
    "facetime.apple.com bigbluebutton.org vc.feishu.cn meeting.tencent.com voovmeeting.com "
    "telemost.yandex.ru salutejazz.ru kmeet.infomaniak.com fairmeeting.net meet.goto.com "
    "app.slack.com"
).split()
_PATHS = {"app.slack.com": "/huddle", "discord.com": "/channels"}  # the rest is no meeting
_URL = re.compile(r"https?://[^\s<>\"'\]})|\\]{4,2000}", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w./@-])(?:[\w-]{1,60}\.){1,3}(?:us|com|si)/[^\s<>\"'\])}|\\]{3,500}")
_BARE_ENDS = (".us/", ".com/", ".si/")
_WRAPPED = {"safelinks.protection.outlook.com": "url", "www.google.com": "q"}
_LONGEST = 2_000


def link(event: Component, location: str, description: str) -> str:
    """The link to the meeting, by K6's order, "" when it has none."""
    given = sorted(event.all("CONFERENCE"), key=lambda line: not _has_video(line.params))
    values = [line.text for line in given]
    values += [event.text(name) for name in _GIVEN]
    for value in values:
        if (found := _clean(value)) and _is_web(found):
            return found
    for text in (location, description):
        for url in _urls(text[:100_000]):
            if is_meeting(found := _clean(url.rstrip(".,;:!?"))):
                return found
    return ""


def _urls(text: str) -> Iterator[str]:
    """What may be a link; a search through a long text takes a while, and most have none."""
    for pattern, needed in ((_URL, ("://",)), (_BARE, _BARE_ENDS)):
        if any(one in text for one in needed):
            yield from (match[0] for match in pattern.finditer(text))


def is_meeting(url: str) -> bool:
    """Whether a URL is at a host that holds meetings."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    for known in _HOSTS:
        if host == known or host.endswith("." + known):
            return bool(parts.path.strip("/")) and parts.path.startswith(_PATHS.get(known, "/"))
    return False


def _clean(url: str) -> str:
    """A URL without the wrapping that mail filters put around it."""
    url = one_line(url.strip().strip("<>"), _LONGEST)
    if url and "://" not in url and _BARE.fullmatch(url):
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        for wrapper, field in _WRAPPED.items():
            if host == wrapper or host.endswith("." + wrapper):
                inner = parse_qs(parts.query).get(field, [""])[0]
                return one_line(inner, _LONGEST) if _is_web(inner) else url
    except ValueError:
        return ""
    return url


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _has_video(params: dict[str, str]) -> bool:
    return "VIDEO" in params.get("FEATURE", "").upper()
