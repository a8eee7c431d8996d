"""Passes of one process over a store that is up to date, as the app makes them; prints seconds.

`python -m benchmarks.resident COUNT`, with crmmail's environment variables set. A pass signs in,
looks at every folder and signs out; in the app the connection would even stay open.
"""

from __future__ import annotations

import json
import sys
import time

from crmmail.settings import store_path
from crmmail.store.database import Store
from crmmail.sync.account import AccountSync
from crmmail.sync.session import AccountRow, account_rows, sign_in


def main() -> None:
    """One pass to warm up, then `COUNT` measured ones."""
    store = Store(store_path())
    (account,) = account_rows(store)
    taken = [_pass(store, account) for _ in range(int(sys.argv[1]) + 1)]
    store.close()
    print(json.dumps(taken[1:]))


def _pass(store: Store, account: AccountRow) -> float:
    start = time.perf_counter()
    mailbox = sign_in(account)
    sync = AccountSync(store, account.id, mailbox)
    complete = sync.run()
    mailbox.close()
    if sync.errors or not complete:
        sys.exit("\n".join(sync.errors) or "the pass was not complete")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
