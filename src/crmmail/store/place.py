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
            self._seen = time.time()
        return has_it

    def rescue(self, db: sqlite3.Connection) -> None:
        """Copy what was in the file to a new one beside its place, once.

        A process that has a deleted file open can still read it. Where the folder is gone too,
        nothing is made.
        """
        if self._tried or db.in_transaction or not self._path.parent.is_dir():
            return
        self._tried = True
        try:
            with locks.writing(self._path.resolve().parent, _PATIENCE):
                self.saved = self._saved_by_another() or self._save(db)
        except (sqlite3.Error, OSError, StoreError) as problem:
            log.warning("what was in the store could not be saved: %s", problem)

    def clear(self) -> None:
        """Delete the log that a file has left which is gone; for the last one that used it.

        SQLite would take it for the log of whatever file comes into its place.
        """
        if self._log is None:
            return
        log_file, index, _ = files.logs(self._path.resolve())
        with suppress(OSError):
            if os.path.samestat(self._log, log_file.stat()):
                log_file.unlink()
                index.unlink(missing_ok=True)

    def _save(self, db: sqlite3.Connection) -> Path:
        to = files.free_name(self._path, f"{files.RESCUED}-{files.dated()}")
        part = own_files.part_of(to)
        try:
            files.make(part)
            db.execute("VACUUM INTO ?", [str(part)])
            own_files.sync(part)
            part.replace(to)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        own_files.sync(to.parent)
        return to

    def _saved_by_another(self) -> Path | None:
        """The copy that another process, which had the store open too, has made of it since."""
        with suppress(StoreError):
            for copy in files.copies_of(self._path):
                if copy.kind == files.RESCUED and copy.made_at >= int(self._seen):
                    return copy.path
        return None
