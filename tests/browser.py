"""What a browser does with an address: it goes there, is sent back, and shows what it gets."""

from __future__ import annotations

import threading
import urllib.request

from tests.patience import PATIENCE


def visit(url: str) -> None:
    """Go to an address and follow where it leads, without waiting for it."""

    def go() -> None:
        with urllib.request.urlopen(url, timeout=PATIENCE) as page:
            assert b"crmmail received the answer" in page.read()

    threading.Thread(target=go, daemon=True).start()
