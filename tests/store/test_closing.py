"""Closing the store while other threads still read and write it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, threading, time
from pathlib import Path
from crmmail.store.database import Store

for number in range(15):
    store = Store(Path(sys.argv[1]) / f"{number}.db")

    def work():
        try:
            while True:
                everything = "SELECT count(*) FROM pragma_function_list, sqlite_schema"
                store.read().execute(everything).fetchall()
                with store.write() as (db, _):
                    db.execute("INSERT OR REPLACE INTO blocklist VALUES ('a')")
        except Exception:
            return  # the store is closed

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(number / 500)
    store.close()
    for thread in threads:
        thread.join()
print("well")
"""


def test_a_query_of_another_thread_survives_the_close(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=180
    )
    assert (ended.returncode, ended.stdout) == (0, "well\n"), ended.stderr
