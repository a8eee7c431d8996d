"""Opening the store: pragmas, migrations, one writer, many readers, notices of change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmmail.store import by_hand, names, read_only
from crmmail.store.locks import Lock
from crmmail.store.opening import check_read_only, look, open_file, prepare
from crmmail.store.place import Place
from crmmail.store.trouble import (
    DamagedError,
    ForeignError,
    MovedError,
    explain,
    explained,
    unopened,
)
from crmmail.store.trouble import StoreError as StoreError

if TYPE_CHECKING:
    from sqlmodel import Session

_PRAGMAS = """
    PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -{cache_kb};
    PRAGMA busy_timeout = 10000;
    PRAGMA wal_autocheckpoint = 4000;
"""
# What stands in the indexes: the words of messages, the letters of names by threes.
_TERMS = """
    CREATE VIRTUAL TABLE temp.search_terms USING fts5vocab(main, search, instance);
    CREATE VIRTUAL TABLE temp.name_letters USING fts5vocab(main, search_names, instance);
"""
_OLDEST_SQLITE = (3, 40, 0)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a transaction changed. Listeners re-read; a notice carries no data.

    `topics` are "threads", "meetings", "people", "companies", "opportunities", "notes", "ledger",
    "accounts" (what a person sets: a sync that wrote it would wake itself), "state", "trouble" (the
    file cannot be used, or can be again); `threads` and `records` name rows, where few enough to
    name.
    """

    topics: frozenset[str] = frozenset()
    threads: frozenset[int] = frozenset()
    records: frozenset[tuple[int, int]] = frozenset()  # (Kind, id)


Listener = Callable[[Notice], None]


@dataclass(slots=True)
class Change:
    """Collects, inside a write, what the notice after its commit will say."""

    topics: set[str] = field(default_factory=set)
    threads: set[int] = field(default_factory=set)
    records: set[tuple[int, int]] = field(default_factory=set)

    def notice(self) -> Notice:
        return Notice(frozenset(self.topics), frozenset(self.threads), frozenset(self.records))


class Store:
    """The SQLite file, opened once a process and shared by its threads.

    Raises StoreError when the file cannot be used: it says why, and what to do.
    """

    def __init__(self, path: Path, *, reading: bool = False, anew: bool = False) -> None:
        """With `reading`, one on a disk that is mounted read-only, or full, is opened to be read.

        With `anew`, one is made also where there are copies of another one that is lost.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old.",
                "Use a Python with SQLite 3.40 or newer.",
            )
        self.path = path
        self._lock = threading.RLock()
        self._local = threading.local()
        self._listeners: list[Listener] = []
        self._engine: Any = None
        self.trouble: StoreError | None = None
        """What was last reported to be wrong with the file; a write that succeeds ends it, unless
        the file is damaged."""
        self.by_hand = 0
        """How many rows of what no server can give back this process has changed."""
        self.is_read_only = reading and read_only.is_read_only(path)
        """Whether nothing can be written: a write raises StoreError."""
        self._file: Lock | None = None
        self._place: Place | None = None
        with explained(path):
            if self.is_read_only:
                check_read_only(path)
                self._writer = self._connect(cache_kb=4_000)
                return
            self._file = open_file(path, anew=anew)
            try:
                self._writer = self._connect(cache_kb=32_000)
                self._place = Place(path)
                by_hand.watch(self._writer, self._count_by_hand)
                if names.stale(self._writer):  # a migration has left it to the next write
                    with self.write():
                        pass
            except BaseException:
                self._file.close()
                raise

    def close(self) -> None:
        """Close the writer and this thread's reader; other threads' readers end with them.

        To close a connection under a query that another thread runs would end the process.
        """
        with self._lock:
            is_open = self._file is not None and not self._file.is_closed
            gone = self._place if is_open and self._place and not self._place.has_it() else None
            if gone is not None:
                gone.rescue(self._writer, again=True)  # nobody can read it any more after this
            if self._engine is not None:
                self._engine.dispose()
            if (reader := self._local.__dict__.pop("reader", None)) is not None:
                reader.close()
            self._writer.close()
            if self._file is not None and is_open:
                if gone is not None and self._file.own(0.0):  # nobody else uses the store
                    gone.clear()
                self._file.close()

    def read(self) -> sqlite3.Connection:
        """This thread's own read-only connection. Every query sees one consistent snapshot."""
        reader: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if reader is None:
            self._need_file()
            reader = self._local.reader = self._connect(cache_kb=4_000)
            reader.executescript(_TERMS)
            reader.execute("PRAGMA query_only = ON")
        return reader

    @contextmanager
    def write(self, *topics: str) -> Iterator[tuple[sqlite3.Connection, Change]]:
        """One write transaction: committed at the end of the block, rolled back when it raises.

        Listeners hear of it after the commit, in this thread.
        """
        if self.is_read_only:
            raise unopened(self.path)
        self._need_file()
        change = Change(set(topics))
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer, change
                names.refresh(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # a full disk has ended it already
                    self._writer.execute("ROLLBACK")
                raise
        if self.trouble is not None and not self.is_damaged:
            self.trouble = None
            change.topics.add("trouble")
        notice = change.notice()
        if notice.topics:
            for listener in list(self._listeners):
                listener(notice)

    @contextmanager
    def session(self, *topics: str) -> Iterator[tuple[Session, sqlite3.Connection, Change]]:
        """A write transaction with an SQLModel session on it, for typed single records.

        The connection is the session's own, for what is easier said in SQL: flush before use.
        """
        from sqlalchemy.exc import DBAPIError
        from sqlmodel import Session  # half a second that the first paint does not wait for

        engine = self._bind()
        try:
            with (
                self.write(*topics) as (db, change),
                engine.connect() as connection,
                Session(connection) as session,
            ):
                yield session, db, change
                session.flush()
        except DBAPIError as problem:  # its words have the values in them
            raise problem.orig or problem from None

    @staticmethod
    def prepare_session() -> None:
        """Load what the first session needs; keys that follow a first change would wait for it."""
        from sqlalchemy.orm import configure_mappers

        import crmmail.store.models  # noqa: F401 - half a second, three on a busy machine

        configure_mappers()

    def rewrite(self) -> bool:
        """Leave nothing of deleted rows in the file, its index and its log.

        Returns whether the log is empty too: it is not while another process reads from it.
        """
        self._need_file()
        with self._lock:
            self._writer.execute("PRAGMA temp_store = FILE")  # as large as the store itself
            try:
                for index in ("search", "search_names", "search_subjects", "search_meetings"):
                    self._writer.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
                self._writer.execute("VACUUM")
            finally:
                self._writer.execute("PRAGMA temp_store = MEMORY")
            self._writer.execute("PRAGMA busy_timeout = 300")
            (busy, *_) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._writer.execute("PRAGMA busy_timeout = 10000")
        return not busy

    @property
    def is_damaged(self) -> bool:
        """Whether damage of the file was found; it does not go by itself."""
        return isinstance(self.trouble, DamagedError)

    def look(self) -> None:
        """Read the beginning of each table from the disk, and report what is wrong with it."""
        try:
            self._need_file()
            look(self.path)
        except (sqlite3.Error, OSError, StoreError) as problem:
            self.report(problem)

    def report(self, problem: BaseException) -> StoreError:
        """Tell the listeners that the file cannot be used; returns why, in words.

        That it is damaged, or moved, is told once: each read of it may find that again.
        """
        said = explain(problem, self.path)
        if isinstance(said, ForeignError) and not isinstance(self.trouble, ForeignError):
            said = DamagedError(f"{self.path} is damaged: something else was written over it.")
        if self.is_damaged or (isinstance(said, MovedError) and str(said) == str(self.trouble)):
            return said
        self.trouble = said
        for listener in list(self._listeners):
            listener(Notice(frozenset({"trouble"})))
        return said

    def _need_file(self) -> None:
        """Raise MovedError unless the file that was opened is in its place.

        SQLite writes to it wherever it is. What is in it is saved once, while it can be read.
        """
        if self._place is None or self._place.has_it():
            return
        with self._lock:
            self._place.rescue(self._writer)
        raise self.report(MovedError(self.path, self._place.saved))

    def _count_by_hand(self) -> None:
        self.by_hand += 1

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every commit of this process; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def version(self) -> int:
        """A number that changes when another process has written (PRAGMA data_version).

        Raises MovedError when the file is not in its place any more.
        """
        self._need_file()
        return int(self.read().execute("PRAGMA data_version").fetchone()[0])

    def _connect(self, cache_kb: int) -> sqlite3.Connection:
        connect = read_only.connect if self.is_read_only else read_only.existing
        connection: sqlite3.Connection = connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        if not self.is_read_only:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_PRAGMAS.format(cache_kb=cache_kb))
        prepare(connection)
        return connection

    def _bind(self) -> Any:
        """An engine whose one connection is the writer, and that leaves transactions to write()."""
        if self._engine is None:
            from sqlalchemy import create_engine
            from sqlalchemy.pool import StaticPool

            self._engine = create_engine(
                "sqlite://", creator=lambda: self._writer, poolclass=StaticPool
            )
            self._engine.dialect.do_commit = self._engine.dialect.do_rollback = _nothing
        return self._engine


def _nothing(_connection: object) -> None:
    """What an engine does about a transaction that is not its own."""
