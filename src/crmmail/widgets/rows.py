"""How the rows of lists are drawn: columns that bend with the width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len

from crmmail import money
from crmmail.store.companies import CompanyRow
from crmmail.store.contact_ledger import DeletedContact
from crmmail.store.kinds import Level
from crmmail.store.ledger import LedgerRow, brief
from crmmail.store.meeting_ledger import SkippedMeeting
from crmmail.store.opportunities import OpportunityRow
from crmmail.store.people import PersonRow
from crmmail.store.threads import ThreadRow
from crmmail.widgets.pieces import Piece, fit, fit_pieces
from crmmail.widgets.words import coming, compact, plural, titled, tries

_GAP = 2
_DATE = 10  # 2006-01-02
_SOON = 9  # Mon 15:04


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: at least `least` cells, growing by `share` up to `most`."""

    title: str
    least: int
    most: int = 0
    share: int = 0
    role: str = "text"
    right: bool = False
    rank: int = 0  # columns of higher rank go first where there is no room
    sort: str = ""  # what the store calls the order by this column


PEOPLE = (
    Column("Name", 16, 36, 2, "strong", sort="name"),
    Column("Company", 10, 30, 2, rank=1, sort="company"),
    Column("Address", 14, 60, 4, "muted", rank=2, sort="address"),
    Column("Threads", 7, role="muted", right=True, rank=3, sort="threads"),
    Column("Next", _SOON, role="accent", right=True, rank=4, sort="next"),
    Column("Last", _DATE, role="muted", right=True, sort="last"),
)
COMPANIES = (
    Column("Name", 16, 40, 3, "strong", sort="name"),
    Column("Domains", 14, 60, 3, "muted", rank=1, sort="domains"),
    Column("People", 6, role="muted", right=True, rank=2, sort="people"),
    Column("Threads", 7, role="muted", right=True, rank=3, sort="threads"),
    Column("Next", _SOON, role="accent", right=True, rank=4, sort="next"),
    Column("Last", _DATE, role="muted", right=True, sort="last"),
)
OPPORTUNITIES = (
    Column("Name", 16, 44, 4, "strong", sort="name"),
    Column("Stage", 9, 10, 1, "accent", sort="stage"),
    Column("Amount", 11, 14, 1, right=True, sort="amount"),
    Column("Company", 8, 30, 3, rank=1, sort="company"),
    Column("Contact", 8, 30, 3, "muted", rank=2, sort="contact"),
    Column("Closes", _DATE, role="muted", rank=3, sort="closes"),
    Column("Threads", 7, role="muted", right=True, rank=4, sort="threads"),
    Column("Next", _SOON, role="accent", right=True, rank=5, sort="next"),
    Column("Last", _DATE, role="muted", right=True, sort="last"),
)

SKIPPED = (
    Column("When", _DATE, role="muted"),
    Column("From", 14, 34, 2),
    Column("Subject", 14, 70, 4, "strong"),
    Column("Why", 24, 60, 3, "accent"),
    Column("Folder", 8, 20, 1, "muted", rank=1),
)


@lru_cache(maxsize=64)
def widths(columns: tuple[Column, ...], width: int) -> tuple[int, ...]:
    """The cells of each column, 0 for a column that there is no room for."""
    shown = list(columns)
    while len(shown) > 1 and _needed(shown) > width:
        shown.remove(max(reversed(shown), key=lambda column: column.rank))
    cells = {column: column.least for column in shown}
    spare = width - _needed(shown)
    shares = sum(column.share for column in shown)
    for column in shown:
        if column.share:
            extra = min(spare * column.share // shares, column.most - column.least)
            cells[column] += extra
            spare -= extra
            shares -= column.share
    flexible = [column for column in shown if column.share] or shown
    cells[flexible[-1]] += spare
    return tuple(cells.get(column, 0) for column in columns)


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.least for column in columns) + _GAP * (len(columns) - 1)


def heading(
    columns: tuple[Column, ...], width: int, sort: str = "", descending: bool = False
) -> Iterator[Piece]:
    """The titles of the columns, with an arrow at the one that the list is sorted by."""
    gap = 0
    for column, cells in zip(columns, widths(columns, width), strict=True):
        if not cells:
            continue
        text, role = column.title, "muted"
        if sort and column.sort == sort:
            arrow, role = "↓" if descending else "↑", "strong"
            text = arrow + text if column.right else text + arrow
        over = min(max(cell_len(text) - cells, 0), gap) if column.right else 0
        yield " " * (gap - over) + fit(text, cells + over, column.right), role
        gap = _GAP


def column_at(columns: tuple[Column, ...], width: int, x: int) -> Column | None:
    """The column under a cell of a line."""
    start = 0
    for column, cells in zip(columns, widths(columns, width), strict=True):
        if cells:
            if x < start + cells + _GAP:
                return column
            start += cells + _GAP
    return None


def _line(columns: tuple[Column, ...], texts: Sequence[str], width: int) -> Iterator[Piece]:
    gap = ""
    for column, text, cells in zip(columns, texts, widths(columns, width), strict=True):
        if cells:
            yield gap + fit(text, cells, column.right), column.role
            gap = " " * _GAP


def person(row: PersonRow, width: int) -> Iterator[Piece]:
    """A person on one line."""
    texts = (
        row.name,
        row.company,
        row.address,
        f"{row.threads:,}",
        coming(row.next_at),
        compact(row.last_at),
    )
    return _line(PEOPLE, texts, width)


def company(row: CompanyRow, width: int) -> Iterator[Piece]:
    """A company on one line."""
    domains = ", ".join(row.domains)
    texts = (
        row.name,
        domains,
        f"{row.people:,}",
        f"{row.threads:,}",
        coming(row.next_at),
        compact(row.last_at),
    )
    return _line(COMPANIES, texts, width)


def opportunity(row: OpportunityRow, width: int) -> Iterator[Piece]:
    """An opportunity on one line."""
    texts = (
        row.name,
        row.stage,
        money.shown(row.amount, row.currency),
        row.company,
        row.contact,
        row.closes_on,
        f"{row.threads:,}",
        coming(row.next_at),
        compact(row.last_at),
    )
    return _line(OPPORTUNITIES, texts, width)


def skipped(row: LedgerRow | SkippedMeeting | DeletedContact, width: int) -> Iterator[Piece]:
    """A message, meeting or contact of the ledger on one line; or a folder that is not read."""
    if isinstance(row, DeletedContact):
        held = f"{row.name}, {plural(row.messages, 'message')}"
        return _line(SKIPPED, (compact(row.deleted_at), row.known, held, row.brief, ""), width)
    if isinstance(row, SkippedMeeting):
        of = (
            ("(calendar)", "")
            if row.reason == "calendar"
            else ("(meeting)", titled(row.title, row.hidden))
        )
        return _line(SKIPPED, (compact(row.starts_at), *of, row.brief, row.calendar), width)
    when, subject = "", row.subject
    if row.uid:
        when = compact(row.sent_at)
        subject = titled(row.subject, row.level == Level.METADATA, "subject")
    again = tries(row.attempts, row.next_try)
    reason = again or brief(row.reason, row.detail)
    texts = (when, row.sender, subject, reason, row.folder)
    return _line(SKIPPED, texts, width)


def _reason(why: str, width: int) -> str:
    """What put a thread on a company or a deal (C7): the first reason, where there is room all."""
    reasons = [reason for reason in why.split(",") if reason != "participant"]
    if not reasons or width < 64:
        return ""
    return fit(", ".join(reasons), 16) if width >= 100 else fit(reasons[0], 7)


def thread(row: ThreadRow, width: int) -> Iterator[Piece]:
    """A conversation on one line: who, how many, about what, since when."""
    strong = "strong" if row.unread else "text"
    names = min(max(width // 4, 12), 34)
    reason = _reason(row.why, width)
    why = len(reason) + 2 if reason else 0
    about = width - 2 - names - 4 - 2 - why - 2 - _DATE
    yield ("● " if row.unread else "  "), "mark"
    yield fit(", ".join(row.names), names), strong
    yield fit(str(row.messages) if row.messages > 1 else "", 4, right=True) + "  ", "muted"
    if about > 0:
        files = f"  +{row.attachments}" if row.attachments else ""
        preview = f"  {row.preview}" if row.preview else ""
        subject = (titled(row.subject, row.hidden, "subject"), strong)
        yield from fit_pieces((subject, (preview, "muted")), about - len(files))
        yield files, "muted"
    if why:
        yield "  " + fit(reason, why - 2), "accent"
    yield "  " + fit(compact(row.last_at), _DATE, right=True), "muted"
