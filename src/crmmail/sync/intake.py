"""From UIDs to the store: list, judge, fetch, parse, save; the network a step ahead of the rest."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from crmmail import __version__
from crmmail.store import forgetting
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.store.trouble import is_trouble
from crmmail.sync import ingest, rules, texts
from crmmail.sync.answers import Listed
from crmmail.sync.batch import Batch, Kept, Passed
from crmmail.sync.courtesy import give_way
from crmmail.sync.fetching import SMALL
from crmmail.sync.mailbox import Mailbox
from crmmail.sync.message import (
    HEADER_FIELDS,
    NO_TEXT,
    Body,
    Header,
    Unreadable,
    body_of,
    parse_body,
    parse_header,
)
from crmmail.sync.pipe import Pipe
from crmmail.sync.problems import Fault, Problem
from crmmail.sync.rules import Facts, Rules, Verdict, judge
from crmmail.sync.suspects import FolderMemory
from crmmail.text import one_line

log = logging.getLogger(__name__)

LISTING = 500
"""Messages listed in one command."""
BATCH = 100
"""Messages that enter in one transaction at most."""
BATCH_BYTES = 4_000_000
"""Bytes of message text held for one transaction at most."""

Raw = texts.Text | Body | None
"""A message's text as it came; None when the store has it already."""
_NO_SUBJECT = tuple(name for name in HEADER_FIELDS if name != "Subject")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message on its way: listed, judged, and fetched if it is to enter."""

    listed: Listed
    header: Header
    verdict: Verdict | None
    raw: Raw = None


@dataclass(frozen=True, slots=True)
class Load:
    """What one transaction will take in, and the lowest UID that it reaches."""

    fetched: Sequence[Fetched]
    failed: Sequence[Passed]
    floor: int


class Intake:
    """Takes messages of one account into the store, folder by folder."""

    def __init__(self, store: Store, mailbox: Mailbox, judged_by: Rules) -> None:
        self._store = store
        self._mailbox = mailbox
        self._rules = judged_by
        self._fields = _NO_SUBJECT if judged_by.level == Level.METADATA else HEADER_FIELDS

    def take(self, folder_id: int, uids: Sequence[int]) -> int:
        """Take these messages of the open folder, newest first; returns how many were let in from
        the ledger on the way.
        """
        with Pipe(self.loads(folder_id, uids), self._mailbox.abort) as loads:
            return sum(self.save(folder_id, load) for load in loads)

    def remember(self, folder_id: int) -> FolderMemory:
        """Give the connection what is known of the open folder: which messages made it fail."""
        memory = self._mailbox.memory = FolderMemory(self._store, folder_id)
        return memory

    # -- on the network's side -----------------------------------------------------------------

    def loads(self, folder_id: int, uids: Iterable[int]) -> Iterator[Load]:
        """List, judge and fetch these messages of the open folder, newest first.

        Raises Fault where the server fails whatever it is asked: nothing is known of them then.
        """
        memory = self.remember(folder_id)
        uids = sorted(uids, reverse=True)
        for start in range(0, len(uids), LISTING):
            chunk = uids[start : start + LISTING]
            listed = self._mailbox.headers(chunk, self._fields)
            judged, failed = self._judge(chunk, listed)
            memory.small = [one.listed.uid for one in judged if 0 < one.listed.size <= SMALL]
            have = ingest.known(
                self._store.read(),
                [one.header.message_id for one in judged if one.verdict is None],
                self._rules.level,
            )
            parts = list(_parts(judged, have))
            for part in parts[:-1]:
                yield Load(self._fetch(part, have), (), part[-1].listed.uid)
            yield Load(self._fetch(parts[-1], have) if parts else (), failed, chunk[-1])

    def _judge(
        self, uids: Sequence[int], listed: dict[int, Listed | Problem]
    ) -> tuple[list[Fetched], list[Passed]]:
        """What the rules say of each message; those that were not listed are unreadable (M8)."""
        written = rules.written_to(self._store.read())
        judged: list[Fetched] = []
        failed: list[Passed] = []
        for uid in uids:
            give_way()
            match listed.get(uid):
                case Listed() as one:
                    try:
                        header = parse_header(one.header, one.received_at, one.size)
                    except Exception as problem:
                        failed.append(_unreadable(uid, one.flags, None, problem))
                        continue
                    verdict = judge(_facts(header, one.flags), self._rules, written)
                    if verdict and verdict.reason == forgetting.REASON:
                        failed.append(Passed(uid, one.flags, None, verdict))  # nothing else of it
                        continue
                    judged.append(Fetched(one, header, verdict))
                case Problem() as problem:
                    if isinstance(problem, Fault):
                        raise problem
                    failed.append(_unreadable(uid, 0, None, problem))
        return judged, failed

    def _fetch(self, part: Sequence[Fetched], have: dict[str, int]) -> list[Fetched]:
        """Fetch the text of what enters: small messages whole, larger ones by text part.

        Below `everything` not a byte of it, nor of the structure, which names attachments (V2).
        """
        wanted = [one for one in part if one.verdict is None and one.header.message_id not in have]
        asked = {one.listed.uid for one in wanted}
        if self._rules.level < Level.EVERYTHING:
            return [replace(one, raw=NO_TEXT) if one.listed.uid in asked else one for one in part]
        raw = texts.fetch(self._mailbox, [one.listed for one in wanted])
        return [
            replace(one, raw=raw.get(one.listed.uid)) if one.listed.uid in asked else one
            for one in part
            if one.listed.uid not in asked or one.listed.uid in raw  # else it is gone meanwhile
        ]

    # -- on the store's side -------------------------------------------------------------------

    def save(self, folder_id: int, load: Load, floor: int | None = None) -> int:
        """Parse and store a load, and the folder's floor with it; returns how many messages of the
        ledger that lets in.
        """
        kept: list[Kept] = []
        passed = list(load.failed)
        for one in load.fetched:
            give_way()
            entry = _parse(one, self._rules)
            (kept if isinstance(entry, Kept) else passed).append(entry)  # type: ignore[arg-type]
        if not kept and not passed and floor is None:
            return 0
        return self._write(Batch(self._rules, folder_id, kept, passed, floor))

    def _write(self, batch: Batch) -> int:
        """Save a batch; one message that the store refuses is found by halving (M8)."""
        try:
            return ingest.save(self._store, batch)
        except Exception as problem:
            if isinstance(problem, rules.Moved | Problem) or is_trouble(problem):
                raise  # other rules, a full disk, a lock, a damaged page: no message's fault
            if len(batch.kept) == 1:
                one = batch.kept[0]
                failed = _unreadable(one.uid, one.flags, None, problem)
                return self._write(replace(batch, kept=(), passed=[*batch.passed, failed]))
            if not batch.kept:
                raise
            middle = len(batch.kept) // 2
            first = replace(batch, kept=batch.kept[:middle], passed=(), floor=None)
            return self._write(first) + self._write(replace(batch, kept=batch.kept[middle:]))


def _parse(one: Fetched, judged_by: Rules) -> Kept | Passed:
    """The end of a message's way: parsed, or with the reason why it does not enter."""
    uid, flags, header = one.listed.uid, one.listed.flags, one.header
    if one.verdict is not None:
        return Passed(uid, flags, header, one.verdict)
    header = replace(header, size=max(header.size, _size(one.raw)))
    try:
        body = _body(one.raw)
    except Exception as problem:
        return _unreadable(uid, flags, header, problem)
    facts = _facts(header, flags)
    if body is not None and body.invitation and not header.invitation:
        header = replace(header, invitation=2)
        if not judged_by.allows(header.message_id, facts.sender):
            return Passed(uid, flags, header, Verdict("invitation"))
    return Kept(uid, flags, header, body, one.listed.provider_thread)


def _body(raw: Raw) -> Body | None:
    if raw is None or isinstance(raw, Body):
        return raw
    if isinstance(raw, Problem):
        raise raw
    return parse_body(raw) if isinstance(raw, bytes) else body_of(*raw)


def _size(raw: Raw) -> int:
    """How large a message is at least: servers may not say, or not credibly."""
    if isinstance(raw, bytes):
        return len(raw)
    return texts.octets(raw[0]) if isinstance(raw, tuple) else 0


def _facts(header: Header, flags: int) -> Facts:
    return Facts(
        header.participants,
        header.sign,
        bool(header.invitation),
        flags,
        header.sent_at,
        header.message_id,
    )


def _unreadable(uid: int, flags: int, header: Header | None, problem: Exception) -> Passed:
    """M8: one message that fails, whatever the fault, is set aside; the others go on."""
    words = str(problem)
    if not isinstance(problem, Unreadable | Problem):
        log.error("message %d", uid, exc_info=problem)
        words = f"{type(problem).__name__}: {words}"
    verdict = Verdict("unreadable", f"{one_line(words)} [{__version__}]")
    return Passed(uid, flags, header, verdict, final=not isinstance(problem, Problem))


def _parts(judged: Sequence[Fetched], have: dict[str, int]) -> Iterator[list[Fetched]]:
    """Cut a listing into what one transaction takes: what is skipped costs it next to nothing."""
    part: list[Fetched] = []
    entering = held = 0
    for one in judged:
        enters = one.verdict is None and one.header.message_id not in have
        size = min(one.listed.size or SMALL, SMALL) if enters else 0
        if enters and (entering >= BATCH or (entering and held + size > BATCH_BYTES)):
            yield part
            part, entering, held = [], 0, 0
        part.append(one)
        entering += enters
        held += size
    if part:
        yield part
