"""What one transaction of the sync takes in: judged messages of one folder, and its cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crmmail.sync.message import Body, Header
from crmmail.sync.rules import Rules, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A message that enters. `body` is None when the store had it already (M11)."""

    uid: int
    flags: int
    header: Header
    body: Body | None
    provider_thread: str = ""  # T4


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that goes to the ledger. `header` is None when it could not be read (M8)."""

    uid: int
    flags: int
    header: Header | None
    verdict: Verdict
    final: bool = True
    """Whether another try would come to the same: not where the server failed (M8)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Judged messages of one folder, and where its cursor stands once they are in."""

    rules: Rules
    folder_id: int
    kept: Sequence[Kept]
    passed: Sequence[Passed]
    floor: int | None = None
    uidnext: int | None = None
