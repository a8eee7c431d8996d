"""export: everything, in forms that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from crmmail import own_files
from crmmail.cli import records, shapes
from crmmail.cli.arguments import is_file, of, one_of
from crmmail.cli.output import count, examples, json_text, note, open_store, write_file
from crmmail.cli.problems import ArgumentError, Exit
from crmmail.errors import CrmmailError
from crmmail.export import events, letters, twenty, vcards
from crmmail.store import threads
from crmmail.store.database import Store

EXAMPLES = examples(
    "crmmail export all --to crm-export/",
    "crmmail export people --format vcard > people.vcf",
    "crmmail export threads --format mbox --to mail.mbox",
)


class What(StrEnum):
    """What is exported."""

    PEOPLE = "people"
    COMPANIES = "companies"
    OPPORTUNITIES = "opportunities"
    THREADS = "threads"
    MEETINGS = "meetings"
    ALL = "all"


RECORDS = {
    What.PEOPLE: records.PEOPLE,
    What.COMPANIES: records.COMPANIES,
    What.OPPORTUNITIES: records.OPPORTUNITIES,
}
FORMATS = {
    What.PEOPLE: ("csv", "vcard", "json"),
    What.COMPANIES: ("csv", "json"),
    What.OPPORTUNITIES: ("csv", "json"),
    What.THREADS: ("mbox", "eml", "json"),
    What.MEETINGS: ("ics",),
    What.ALL: (),
}


def export(
    named: Annotated[
        str,
        typer.Argument(metavar="|".join(What), callback=one_of(*What), help="What to write."),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            callback=one_of(*dict.fromkeys(form for forms in FORMATS.values() for form in forms)),
            help="csv, vcard, json; mbox, eml; ics. The first it has.",
        ),
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option(help="A new file; for eml and all, a folder. Without, or -: stdout."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Mail from the store, not as it was sent.")
    ] = False,
) -> None:
    """Write people, companies, opportunities, threads, meetings, or all of it.

    CSV is what Twenty's importer takes. Mail is fetched from the servers as it was sent; what no
    server gives is written from the store. Exit code 4: a server gave an error.
    """
    what = What(named)
    known = FORMATS[what] or ("",)
    form = form or known[0]
    if form not in known:
        has = f"it has {', '.join(known)}" if known[0] else "it is written in every format"
        raise ArgumentError(f"--format: {what} cannot be written as {form}: {has}.")
    if str(to) == "-":
        if what is What.ALL or form in ("mbox", "eml"):
            raise ArgumentError("--to: this is not written to the standard output. Name a place.")
        to = None
    if to is not None and what is not What.ALL and form != "eml":
        with of("--to"):
            is_file(str(to))
    with open_store() as store:
        if what is What.ALL:
            code = _all(store, _needed(to, "a folder"), offline)
        elif form in ("mbox", "eml"):
            place = _needed(to, "a file" if form == "mbox" else "a folder")
            code = _mail(store, form, place, offline)
        else:
            for path, text in _texts(store, what, form, to):
                _save(path, text)
            code = Exit.OK
    if code:
        raise typer.Exit(code)


def _all(store: Store, folder: Path, offline: bool) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for what in (*RECORDS, What.MEETINGS, What.THREADS):
        for form in FORMATS[what]:
            if form not in ("mbox", "eml"):
                end = "vcf" if form == "vcard" else form
                for path, text in _texts(store, what, form, folder / f"{what}.{end}"):
                    _save(path, text)
    return _mail(store, "mbox", folder / "threads.mbox", offline)


def _texts(
    store: Store, what: What, form: str, to: Path | None
) -> Iterator[tuple[Path | None, str]]:
    """What is to be written where: several files where one may hold only so many rows."""
    db = store.read()
    if form == "csv":
        kind = RECORDS[what].kind
        rows = twenty.rows(db, kind)
        number = 1
        while (part := list(islice(rows, twenty.ROWS_A_FILE if to else None))) or number == 1:
            path = to if to is None or number == 1 else to.with_stem(f"{to.stem}-{number}")
            yield path, _csv([twenty.HEADS[kind], *part])
            number += 1
    elif form == "vcard":
        yield to, "".join(vcards.cards(db))
    elif form == "ics":
        yield to, events.calendar(db)
    else:
        yield to, json_text(_shapes(store, what))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    made = io.StringIO(newline="")
    csv.writer(made).writerows(rows)
    return made.getvalue()


def _shapes(store: Store, what: What) -> list[dict[str, Any]]:
    """The details of each record or thread, as `show --json` prints them."""
    db = store.read()
    if what is What.THREADS:
        found = (threads.get(db, i) for i in threads.newest(db))
        return [shapes.thread_detail(db, one) for one in found if one is not None]
    record = RECORDS[what]
    details = (record.module.get(db, i) for i in record.module.view(db, "name"))
    return [record.detail(db, one) for one in details if one is not None]


def _mail(store: Store, form: str, to: Path, offline: bool) -> int:
    write_to = letters.to_mbox if form == "mbox" else letters.to_files
    try:
        done = write_to(store, to, offline=offline, progress=count)
    except FileExistsError as problem:
        raise _exists(to) from problem
    said = f"{to}: {done.messages:,} messages"
    if done.rebuilt:
        said += f", {done.rebuilt:,} of them from the store (header {letters.REBUILT})"
    note(f"{said}.")
    for error in done.errors:
        note(error)
    return Exit.SYNC_ERRORS if done.errors else Exit.OK


def _save(path: Path | None, text: str) -> None:
    if path is None:
        write_file(text)
        return
    try:
        data = text.encode("utf-8", "replace")
        with own_files.new_file(path) as file:
            file.write(data)
    except FileExistsError as problem:
        raise _exists(path) from problem
    note(f"{path}: {len(data):,} bytes.")


def _exists(path: Path) -> CrmmailError:
    return CrmmailError(f"{path} exists.", "Choose another name: an export writes nothing over.")


def _needed(to: Path | None, what: str) -> Path:
    if to is None:
        raise ArgumentError(f"--to: it is missing. Give {what} to write to.")
    return to
