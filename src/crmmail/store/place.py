"""Where a store's file was opened: whether it is still there, and saving what was in it if not."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from crmmail import own_files
from crmmail.store import files, locks
from crmmail.store.trouble import StoreError

log = logging.getLogger(__name__)

_PATIENCE = 60.0  # seconds that the copy of another process may take


class Place:
    """The file of a store that is open, and of its log, by their numbers on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.stat()
        log_file = files.logs(path.resolve())[0]
        self._log = log_file.stat() if log_file.exists() else None
        self._tried = False
        self._seen = time.time()  # when the file was last in its place
        self.saved: Path | None = None
        """The copy of what was in the file, when that was gone."""

    def has_it(self) -> bool:
        """Whether the file is in its place."""
        try:
            has_it = os.path.samestat(self._file, self._path.stat())
        except FileNotFoundError:
            return False
        except OSError:  # SQLite will say what is wrong there
            return True
        if has_it:
            self._seen, self._tried, self.saved = time.time(), False, None
        return has_it

    def rescue(self, db: sqlite3.Connection, *, again: bool = False) -> None:
        """Copy what was in the file to a new one beside its place, once each time that it is gone.

        A process that has a deleted file open can still read it. Where the folder is gone too,
        nothing is made. What could not be saved before is tried `again`.
        """
        if self.saved is not None or (self._tried and not again):
            return
        if db.in_transaction or not self._path.parent.is_dir():
            return
        self._tried = True
        try:
            with locks.writing(self._path.resolve().parent, _PATIENCE):
                self.saved = self._saved_by_another() or self._save(db)
        except (sqlite3.Error, OSError, StoreError) as problem:
            log.warning("what was in the store could not be saved: %s", problem)

    def clear(self) -> None:
        """Put the log away that a file has left which is gone; for the last one that used it.

        SQLite would take it for the log of whatever file comes into its place. The newest rows may
        be nowhere else: where they are not saved it stays for that file, which may come back, or
        is kept beside another one that is there.
        """
        if self._log is None:
            return
        log_file, index, _ = files.logs(self._path.resolve())
        with suppress(OSError):
            if not os.path.samestat(self._log, log_file.stat()):
                return
            if self.saved is not None:
                log_file.unlink()
            elif self._path.exists():
                log_file.rename(files.free_name(self._path, f"{files.RESCUED}-{files.dated()}-wal"))
            else:
                return
            index.unlink(missing_ok=True)

    def _save(self, db: sqlite3.Connection) -> Path:
        to = files.free_name(self._path, f"{files.RESCUED}-{files.dated()}")
        with own_files.replaced(to) as part:
            files.make(part)
            db.execute("VACUUM INTO ?", [str(part)])
        return to

    def _saved_by_another(self) -> Path | None:
        """The copy that another process, which had the store open too, has made of it since."""
        with suppress(StoreError, OSError):
            for copy in files.copies_of(self._path):
                if copy.kind == files.RESCUED and copy.path.stat().st_mtime >= self._seen:
                    return copy.path
        return None
