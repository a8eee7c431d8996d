"""Pictures of every screen and panel, empty, filled and in error, in a small and a large terminal.

The mailbox is the demo's, as a real sync brings it in. A tour drives the app once and takes a
picture at each of its stops. After a change that is meant: `pytest tests/screens/test_snapshots.py
--snapshot-update`, on Python 3.11, and look at each picture before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from crmmail.app import CrmmailApp
from crmmail.errors import CrmmailError
from crmmail.screens.first_run import Entry, Field, FirstRunScreen, SignedUp, SignUp
from crmmail.screens.undo import FieldError
from crmmail.store import people
from crmmail.store.database import Store
from crmmail.store.kinds import Kind
from tests.screens.harness import press, settle, text, until

SIZES = {"small": (80, 24), "large": (160, 48)}


@dataclass(frozen=True, slots=True)
class Stop:
    """A picture: the keys that lead to it from the one before, and words that it shows."""

    name: str
    keys: tuple[str, ...] = ()
    shows: str = ""
    do: Callable[[CrmmailApp], object] | None = None


def stop(name: str, *keys: str, shows: str = "") -> Stop:
    return Stop(name, keys, shows)


def typed(name: str, words: str, *then: str, shows: str = "") -> Stop:
    """A stop after something was typed."""
    return Stop(name, (*("space" if letter == " " else letter for letter in words), *then), shows)


LISTS = (
    stop("people", shows="38 people"),
    stop("people-marked", "space", "j", "space", shows="2 marked"),
    stop("people-sorted", "escape", "s", "s", shows="Company↑"),
    stop("companies", "2", shows="18 companies"),
    stop("opportunities", "3", shows="10 opportunities"),
    stop("people-filtered", "1", "slash", *"hal", shows="Benedict Hale"),
    typed("people-none", "xyz", shows="No person matches"),
)
PERSON = (
    stop("emails", "enter", shows="2 threads"),
    stop("notes-none", "3", shows="No note yet"),
    stop("note-form", "n", shows="New note"),
    stop("notes", *"Call", "enter", *"Friday", "ctrl+s", shows="Call Friday"),
    stop("timeline", "4", shows="Created"),
    stop("form", "e", shows="Edit Javier Ortega"),
    stop("form-error", "tab", "enter", *"nonsense", "ctrl+s", shows="is not an e-mail address"),
    stop("question", "escape", shows="Discard what you typed?"),
    stop("merge", "y", "M", shows="37 matches"),
    typed("merge-none", "xqx", shows="Nothing matches"),
)
COMPANY = (
    stop("company", "2", "enter", shows="3 threads"),
    stop("form", "e", shows="Edit Meridiano"),
    stop("deal-form", "escape", "c", shows="New opportunity"),
)
DEAL = (
    stop("opportunity", "3", "enter", shows="closes"),
    stop("form", "e", shows="Edit R5"),
    stop("form-stages", "tab", "down", shows="6 matches"),
    stop("form-error", "enter", "tab", *"abc", "ctrl+s", shows="is not an amount"),
    stop("timeline", "escape", "y", "4", shows="Created"),
)
THREAD = (
    stop("open", "2", "enter", "enter", shows="6 more messages"),
    stop("all-open", "O", "Z"),
    stop("people", "at", shows="4 addresses"),
    stop("attachments", "escape", "A", shows="3 attachments"),
    stop("save-as", "S", shows="/home/mira/Downloads"),
    stop("links", "escape", "escape", "U", shows="planos.meridiano.example"),
    stop("whole-link", "enter"),
    stop("records", "escape", "escape", "x", shows="records"),
    stop("link", "escape", "l", shows="Link this thread to"),
    typed("link-none", "xqx"),
    stop("find", "escape", "slash", *"the", "enter"),
    stop("find-none", "slash", *"xqx", "enter"),
    stop("source", "R", shows="as it was sent"),
    stop("help", "question_mark", shows="Keys"),
)
SEARCH = (
    stop("asks", "F", shows="in the subject"),
    typed("found", "hall", shows="Threads"),
    typed("operators", " has:attachment older_than:1d", shows="2 shown"),
    typed("wrong", " before:soon", shows="before: wants a date"),
    typed("nothing", " xqxqx", shows="Nothing is found"),
)
HELP = (
    stop("lists", "question_mark", shows="Keys"),
    stop("record", "escape", "enter", "question_mark", shows="Keys"),
)
SKIPPED = (
    stop("skipped", "L"),
    stop("why", "j", "j", "enter"),
    stop("meetings", "escape", "tab", shows="(meeting)"),
    stop("why-meeting", "enter", shows="the calendar"),
)
ACCOUNTS = (stop("accounts", "comma"), stop("visibility", *"jjjjjjjj", "enter"))
FILLED = {
    "lists": LISTS,
    "person": PERSON,
    "company": COMPANY,
    "deal": DEAL,
    "thread": THREAD,
    "search": SEARCH,
    "help": HELP,
    "skipped": SKIPPED,
    "accounts": ACCOUNTS,
}
EMPTY = (
    stop("people", shows="No mail account yet"),
    stop("companies", "2"),
    stop("opportunities", "3"),
    stop("search", "F", "x", shows="Nothing is found"),
)


class Tour:
    """Takes pictures of an app and compares them with those that are kept."""

    def __init__(self, snapshot: SnapshotAssertion) -> None:
        self._kept = snapshot.use_extension(SVGImageExtension)
        self._different: list[str] = []

    async def _seen(self, pilot: Pilot[None], one: Stop) -> None:
        app = pilot.app
        assert isinstance(app, CrmmailApp)
        try:
            await until(pilot, lambda: one.shows in text(app))
        except AssertionError:
            pytest.fail(f"{one.name} does not show {one.shows!r}:\n{text(app)}")

    async def take(
        self, app: CrmmailApp, size: tuple[int, int], stops: tuple[Stop, ...], theme: str = ""
    ) -> None:
        """Go from stop to stop; fail at the end, with the names of all pictures that differ."""
        async with app.run_test(size=size, notifications=True) as pilot:
            app.theme = theme or app.theme
            await settle(pilot)
            for one in stops:
                if one.do is not None:
                    one.do(app)
                await press(pilot, *one.keys)
                await self._seen(pilot, one)
                if not app.export_screenshot() == self._kept(name=one.name):  # noqa: SIM201
                    self._different.append(one.name)
        assert self._different == []


@pytest.fixture
def tour(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> Tour:
    monkeypatch.setattr("crmmail.screens.files.folder", lambda: Path("/home/mira/Downloads"))
    return Tour(snapshot)


def of_each_size(test: Callable[..., object]) -> Callable[..., object]:
    return pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())(test)


@of_each_size
@pytest.mark.parametrize("name", FILLED)
async def test_filled(tour: Tour, sample_store: Store, name: str, size: tuple[int, int]) -> None:
    await tour.take(CrmmailApp(sample_store, sync=False), size, FILLED[name])


@of_each_size
async def test_light(tour: Tour, sample_store: Store, size: tuple[int, int]) -> None:
    stops = (
        stop("people"),
        stop("company", "2", "enter", shows="3 threads"),
        stop("thread", "enter", shows="9 messages"),
        stop("panel", "at", shows="4 addresses"),
        stop("form", "escape", "escape", "e", shows="Edit"),
        stop("search", "escape", "F", *"hall", shows="Threads"),
    )
    await tour.take(CrmmailApp(sample_store, sync=False), size, stops, "crmmail-light")


@of_each_size
async def test_without_colours(
    tour: Tour, sample_store: Store, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stops = (stop("people"), stop("person", "enter"), stop("thread", "enter", shows="messages"))
    await tour.take(CrmmailApp(sample_store, sync=False), size, stops)


@of_each_size
async def test_empty(tour: Tour, empty_store: Store, size: tuple[int, int]) -> None:
    await tour.take(CrmmailApp(empty_store, sync=False), size, EMPTY)


@of_each_size
async def test_a_record_and_a_thread_with_nothing(
    tour: Tour, sample_store: Store, size: tuple[int, int]
) -> None:
    nobody = people.create(sample_store, "Nobody Yet")

    def open_it(app: CrmmailApp) -> None:
        from crmmail.screens.record import RecordScreen

        RecordScreen.open(app, app.store, Kind.PERSON, nobody)

    stops = (
        Stop("emails", shows="No conversation yet", do=open_it),
        stop("timeline", "4", shows="Created"),
    )
    await tour.take(CrmmailApp(sample_store, sync=False), size, stops)


@of_each_size
async def test_in_error(tour: Tour, sample_store: Store, size: tuple[int, int]) -> None:
    """The server refuses the sign-in, and what is on it cannot be fetched."""
    with sample_store.write("state") as (db, _change):
        db.execute("UPDATE account SET port = 1")
        db.execute(
            "UPDATE sync_state SET state = 'waiting', error = ?, hint = ?",
            ["The server refused the password.", "Enter it again: crmmail account add."],
        )
    stops = (
        stop("people"),
        stop("thread", "2", "enter", "enter"),
        stop("source", "R", shows="could not be"),
    )
    await tour.take(CrmmailApp(sample_store, sync=False), size, stops)


@of_each_size
async def test_first_run(tour: Tour, empty_store: Store, size: tuple[int, int]) -> None:
    entry = Entry("ann@example.org", "imap.example.org", 993, "tls", "ann@example.org", "secret")

    def answer(pin: str = "", **what: object) -> Callable[[CrmmailApp], object]:
        def do(app: CrmmailApp) -> None:
            screen = app.screen
            assert isinstance(screen, FirstRunScreen)
            for field in screen.query(Field):
                field.complain()
            screen._edited = False  # since the test began
            wanted = SignUp(screen, replace(entry, pin=pin), save=False)
            screen.post_message(SignedUp(wanted, **what))  # type: ignore[arg-type]

        return do

    none = "No calendar server is known for ann@gmail.com."
    changed = CrmmailError("imap.example.org shows another certificate.")
    refused = FieldError("secret", "The server refused the password.", "Is it an app password?")
    folders = (("INBOX", "inbox", 12_345), ("Sent", "sent", 4_321), ("Küche", "", 17))
    stops = (
        Stop("asks", do=lambda app: app.action_add_account()),
        stop("guesses", *"ann@gmail.com", shows="imap.gmail.com"),
        Stop("wrong-password", shows="Is it an app password?", do=answer(problem=refused)),
        Stop("signed-in", shows="INBOX", do=answer(folders=folders, calendars=none)),
        Stop(
            "other-certificate",
            shows="Shown now",
            do=answer(pin="0a" * 32, problem=changed, fingerprint="b1" * 32),
        ),
    )
    await tour.take(CrmmailApp(empty_store, sync=False), size, stops)
