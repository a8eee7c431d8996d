"""What doctor says of the clock: a wrong one breaks TLS, and puts meetings at wrong times."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from crmmail.widgets import words

_OFF_SECONDS = 300
_TIMEOUT = 5.0


def fault(synced_at: Iterable[int], calendars: Iterable[str]) -> str:
    """What is wrong with this machine's clock, "" when nothing is known to be.

    `synced_at` are times that have passed; `calendars` are URLs whose servers are asked.
    """
    now = time.time()
    if (ahead := max(synced_at, default=0) - now) > _OFF_SECONDS:
        return f"it was set back: the last sync is {words.duration(ahead)} in its future"
    for url in calendars:
        off = _server_time(url) - now
        if abs(off) > _OFF_SECONDS and off > -now:
            where = "behind" if off > 0 else "ahead of"
            return f"it is {words.duration(abs(off))} {where} a calendar's server"
    return ""


def zone() -> str:
    """The time zone in which times are shown."""
    offset = time.strftime("%z")
    return f"{time.strftime('%Z')} (UTC{offset[:3]}:{offset[3:]})"


def _server_time(url: str) -> float:
    """The time of a web server, 0.0 when it tells none. Nothing but the request is sent."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with suppress(OSError, http.client.HTTPException, ValueError, TypeError):
        connection = make(parts.hostname or "", parts.port, timeout=_TIMEOUT)
        try:
            connection.request("HEAD", "/")
            told = connection.getresponse().getheader("Date", "")
        finally:
            connection.close()
        return parsedate_to_datetime(told).timestamp()
    return 0.0
