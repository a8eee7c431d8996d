"""The passes over an account's calendars: what is new, what changed, what is gone (K8).

A pass asks once for the list of calendars, with the token and the tag of each: where they are as
they were, nothing more is asked. Rows come first and the cursor after them (S2).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from crmmail.store import calendars, levels
from crmmail.store.calendars import CalendarRow
from crmmail.store.database import Store
from crmmail.sync import (
    calendar_absence,
    calendar_failing,
    collection,
    homes,
    meetings,
    taking_back,
)
from crmmail.sync.believing import Looks
from crmmail.sync.dav import Dav, DavLogin
from crmmail.sync.homes import Listed
from crmmail.sync.meetings import Cursor, Resource
from crmmail.sync.problems import BadAnswer, Problem, Refused, Unsafe
from crmmail.sync.session import CalendarAccount, password_of

log = logging.getLogger(__name__)

CHUNK = 100
"""Resources that are asked for at once."""
_WEEK = 7 * 86_400  # after which all ETags are compared, whatever the token says
_HOUR = 3_600.0  # for which the list of calendars holds, where it tells nothing of changes
_MOST = 500  # resources that are fetched anew, where none of their ETags has changed


def sign_in(account: CalendarAccount) -> Dav:
    """A session with the password from where it is kept. Nothing is sent yet."""
    return Dav(DavLogin(account.url, account.username, password_of(account)))


class CalendarSync:
    """The passes of one account over one session."""

    def __init__(
        self, store: Store, account: CalendarAccount, dav: Dav, looks: Looks | None = None
    ) -> None:
        self.account = account
        self.errors: list[str] = []
        """What went wrong with single calendars in the last pass, in words."""
        self._store = store
        self._dav = dav
        self._listed: dict[str, Listed] = {}
        self._listed_at = 0.0
        self._looks = looks or Looks()
        self._read_at: dict[int, float] = {}  # calendars without a change that can be seen
        self._stopping: Callable[[], bool] = bool

    def settle(self, stopping: Callable[[], bool] = bool) -> None:
        """Do a pass for which the list of calendars is asked for."""
        self.run(stopping, fresh=True)

    def run(self, stopping: Callable[[], bool] = bool, *, fresh: bool = False) -> None:
        """Do a pass. With `fresh` the list of calendars is asked for in any case."""
        self.errors, self._stopping = [], stopping
        self._list(fresh)
        meetings.slide(self._store, int(time.time()), stopping)  # first: it may want more fetched
        cut: Problem | None = None
        well: list[int] = []
        for row in calendars.rows(self._store.read(), self.account.id):
            if stopping():
                return
            try:
                if self._take_up(row):
                    self._tell_failing(row)
                    well.append(row.id)
            except (Refused, Unsafe):
                raise
            except Problem as problem:
                self._failed(row, problem)
                if problem.wait:
                    raise
                cut = cut if isinstance(problem, BadAnswer) else problem
        calendars.succeeded(self._store, well, int(time.time()))
        if cut is not None:
            raise cut
        taking_back.run(self._store, stopping)
        levels.wipe(self._store)

    # -- which calendars there are ---------------------------------------------------------------

    def _list(self, fresh: bool) -> None:
        """Ask for the calendars; less often where the list tells nothing of changes."""
        telling = any(one.sync_token or one.ctag for one in self._listed.values())
        recent = time.monotonic() - self._listed_at < _HOUR
        if self._listed and not telling and recent and not fresh:
            return
        known = {row.url for row in calendars.rows(self._store.read(), self.account.id)}
        if known:
            found = homes.again(self._dav, self.account.url, self.account.url in known)
        else:
            home = homes.find(self._dav, self.account.url)
            self._moved_to(home.url)
            found = home.calendars
        self._listed = {one.url: one for one in found}
        self._listed_at = time.monotonic()
        calendars.listed(
            self._store, self.account.id, [(one.url, one.name, one.color) for one in found]
        )

    def _moved_to(self, url: str) -> None:
        """Remember where the calendars are, so that nobody looks for them again."""
        if url != self.account.url:
            with self._store.write() as (db, _):
                db.execute("UPDATE account SET caldav_url = ? WHERE id = ?", [url, self.account.id])
            self.account = replace(self.account, url=url)

    # -- one of them -----------------------------------------------------------------------------

    def _take_up(self, row: CalendarRow) -> bool:
        """Bring a calendar up to date; returns whether it is."""
        if not row.selected:
            if calendars.etags(self._store.read(), row.id):
                meetings.clear(self._store, row.id)
            return True
        if (listed := self._listed.get(row.url)) is None:
            return self._missing(row)
        if row.missing == json.dumps([row.url]):  # it is listed again
            calendar_absence.withdraw(self._store, row.id)
        failing = calendar_failing.of(self._store.read(), row.id)
        if row.compared_at > time.time() - _WEEK and not calendar_failing.is_due(failing):
            if row.sync_token and listed.sync_token:
                if row.sync_token == listed.sync_token:
                    return True
                if (complete := self._follow(row, listed)) is not None:
                    return complete
            elif listed.ctag and row.ctag == listed.ctag:
                return True
        return self._compare(row, listed)

    def _missing(self, row: CalendarRow) -> bool:
        """A calendar that is not listed goes when later runs too find that it is not there."""
        if not homes.gone(self._dav, row.url):
            raise BadAnswer("The server does not list this calendar any more.")
        runs = calendar_absence.is_gone(self._store, self._looks, row.id, row.url)
        if runs and calendars.etags(self._store.read(), row.id):
            raise BadAnswer(calendar_absence.words_of_calendar(runs))
        meetings.drop(self._store, row.id)
        return False

    def _follow(self, row: CalendarRow, listed: Listed) -> bool | None:
        """Take what changed since the token; None where the server does not know it any more."""
        token, more = row.sync_token, True
        while more:
            try:
                news = collection.changes(self._dav, row.url, token)
            except BadAnswer as problem:
                log.info("calendar %d: all is compared, as the server said: %s", row.id, problem)
                return None
            here = calendars.etags(self._store.read(), row.id)
            if not (news.etags or news.gone) and token == row.sync_token:
                # it says that something changed, and does not say what: the token stays until it is
                # the calendar's turn to be read whole
                return None if self._is_due(row) else True
            same = sum(bool(etag) and here.get(href) == etag for href, etag in news.etags.items())
            if same > min(len(here) // 2, CHUNK):
                return None  # what has not changed is named only by a server that begins anew
            cursor = Cursor(news.token, listed.ctag, row.compared_at)
            if not self._take(row, news.etags, news.gone & here.keys(), cursor):
                return False
            more = news.more and news.token != token and self._has_all(row)
            token = news.token
        return True

    def _has_all(self, row: CalendarRow) -> bool:
        """Whether all that was asked for came. If not, the cursor of a later page would hide it."""
        found = self._store.read().execute(
            "SELECT compared_at FROM calendar WHERE id = ?", [row.id]
        )
        return found.fetchone() not in (None, (0,))

    def _compare(self, row: CalendarRow, listed: Listed) -> bool:
        """Compare all ETags with those that are here."""
        there = collection.everything(self._dav, row.url)
        here = calendars.etags(self._store.read(), row.id)
        wanted = {href: etag for href, etag in there.items() if not etag or here.get(href) != etag}
        failing = calendar_failing.of(self._store.read(), row.id)
        settled = failing.keys() - wanted.keys()
        for href in calendar_failing.waiting(failing):
            wanted.pop(href, None)
        gone, sure = self._really_gone(row, here.keys() - there.keys(), wanted)
        cursor = Cursor(listed.sync_token, listed.ctag, int(time.time()))
        absence = calendar_absence.judge(
            self._store, self._looks, row.id, gone, len(here), sure=sure
        )
        if not (wanted or gone) and (row.compared_at or failing) and _moved(row, listed):
            return self._read_whole(row, there if len(there) <= _MOST else {}, cursor)
        calendar_failing.asked(self._store, row.id, settled, ())
        if not absence.waiting:
            return self._take(row, wanted, set(absence.leaving), cursor)
        if not self._take(row, wanted, set(), Cursor()):  # the next pass compares again
            return False
        raise BadAnswer(absence.words)

    def _read_whole(self, row: CalendarRow, there: dict[str, str], cursor: Cursor) -> bool:
        """Read all resources of a calendar whose ETags may not tell of changes, if it is its turn.

        Until then it keeps the old token and tag, so that the change is not forgotten.
        """
        if there and not self._is_due(row):
            cursor = Cursor(row.sync_token, row.ctag, cursor.compared_at)
            return self._take(row, {}, set(), cursor)
        if not self._take(row, there, set(), cursor):
            return False
        self._read_at[row.id] = time.monotonic()
        return True

    def _really_gone(
        self, row: CalendarRow, gone: set[str], wanted: dict[str, str]
    ) -> tuple[set[str], bool]:
        """Those of these resources that the server does not send when it is asked for them, and
        whether it says of each that it is not there.

        A list may leave some out: what is there becomes `wanted`.
        """
        hrefs, lost = sorted(gone), set[str]()
        for start in range(0, len(hrefs), CHUNK):
            chunk = hrefs[start : start + CHUNK]
            with suppress(BadAnswer):
                found, absent = collection.fetch(self._dav, row.url, chunk)
                lost |= absent
                wanted.update({one.href: one.etag for one in found if one.raw})
        missed = gone - wanted.keys()
        return missed, missed == lost

    def _is_due(self, row: CalendarRow) -> bool:
        """Whether a calendar that claims a change may be read whole, to see what that is."""
        return time.monotonic() - self._read_at.get(row.id, float("-inf")) >= _HOUR

    def _take(
        self, row: CalendarRow, wanted: dict[str, str], gone: set[str], cursor: Cursor
    ) -> bool:
        """Fetch and store what is wanted, in chunks, and the cursor with the last of them.

        While one chunk is stored, the next is on its way.
        """
        hrefs, bad, unsure = list(wanted), set[str](), False
        failing = calendar_failing.of(self._store.read(), row.id)
        here = calendars.etags(self._store.read(), row.id)
        chunks = [hrefs[start : start + CHUNK] for start in range(0, len(hrefs), CHUNK)] or [[]]
        coming = self._ahead(row.url, chunks[0], failing)
        for number, _ in enumerate(chunks, 1):
            found, lost = coming.result()
            if self._stopping():
                return False
            unsure |= bool(lost & here.keys())  # listed a moment ago: the next list tells
            is_last = number == len(chunks)
            bad |= {one.href for one in found if not one.raw}
            goes_on = not unsure and calendar_failing.all_late(failing, bad)
            if not is_last:
                coming = self._ahead(row.url, chunks[number], failing)
            meetings.save(
                self._store,
                row.id,
                self._fresh(row, found, here),
                gone if is_last else set(),
                cursor if is_last and goes_on else None,
            )
        calendar_failing.asked(self._store, row.id, {*hrefs, *gone}, bad)
        if not goes_on:
            self._compare_again(row)
        return True

    def _tell_failing(self, row: CalendarRow) -> None:
        """Raise an error where meetings here are out of date, as the server does not send them."""
        if told := calendar_failing.words(self._store.read(), row.id):
            raise BadAnswer(told)

    def _fresh(
        self, row: CalendarRow, found: list[Resource], here: dict[str, str]
    ) -> list[Resource]:
        """Those that are others than here; what could not be read stays as it was.

        Not each server gives a changed resource another ETag.
        """
        known = [one.href for one in found if here.get(one.href) == one.etag]
        texts = calendars.texts(self._store.read(), row.id, known)
        return [
            one
            for one in found
            if (one.raw or one.href not in here)
            and (one.href not in texts or texts[one.href] != one.raw)
        ]

    def _compare_again(self, row: CalendarRow) -> None:
        """Let the next pass ask again for what the server failed to send."""
        with self._store.write() as (db, _):
            db.execute("UPDATE calendar SET compared_at = 0 WHERE id = ?", [row.id])

    def _ahead(
        self, url: str, hrefs: list[str], failing: calendar_failing.Failing
    ) -> Future[tuple[list[Resource], set[str]]]:
        """Fetch in a thread that nobody waits for at the end, as threads of a pool are."""
        answer: Future[tuple[list[Resource], set[str]]] = Future()

        def run() -> None:
            try:
                answer.set_result(collection.fetch(self._dav, url, hrefs, failing))
            except Exception as problem:  # raised where the result is asked for
                answer.set_exception(problem)

        threading.Thread(target=run, name="crmmail-fetch-ahead", daemon=True).start()
        return answer

    def _failed(self, row: CalendarRow, problem: Problem) -> None:
        self.errors.append(f"{row.name}: {problem}")
        calendars.told(self._store, row.id, str(problem))
        log.info("calendar %d: %s", row.id, problem)


def _moved(row: CalendarRow, listed: Listed) -> bool:
    """Whether the server says that something in a calendar has changed."""
    return (row.sync_token, row.ctag) != (listed.sync_token, listed.ctag)
