"""Passes of one process over a store that is up to date, as the app makes them; prints seconds.

`python -m benchmarks.resident COUNT`, with crmmail's environment variables set.
"""

from __future__ import annotations

import json
import sys
import time

from crmmail.settings import store_path
from crmmail.store.database import Store
from crmmail.sync.loop import sync_once


def main() -> None:
    """One pass to warm up, then `COUNT` measured ones."""
    store = Store(store_path())
    taken = []
    for _ in range(int(sys.argv[1]) + 1):
        start = time.perf_counter()
        (report,) = sync_once(store)
        taken.append(time.perf_counter() - start)
        if report.errors:
            sys.exit("\n".join(report.errors))
    store.close()
    print(json.dumps(taken[1:]))


if __name__ == "__main__":
    main()
