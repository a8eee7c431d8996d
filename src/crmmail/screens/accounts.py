"""The accounts: how the sync of each stands, and every setting, with what a change would do."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from crmmail.errors import CrmmailError
from crmmail.screens import account_settings
from crmmail.screens.base import StoreScreen
from crmmail.screens.options import Offer, Option, Setting, answered
from crmmail.screens.options_panel import OptionsPanel
from crmmail.screens.undo import Do
from crmmail.store import accounts, mail_rules
from crmmail.store.accounts import AccountRow, StateRow
from crmmail.store.database import Store
from crmmail.widgets import account_state
from crmmail.widgets.lines import Choices, Lines
from crmmail.widgets.panel import Panel
from crmmail.widgets.pieces import Piece, fit, safe
from crmmail.widgets.prompt import Prompt
from crmmail.widgets.reading import ask
from crmmail.widgets.window_list import WindowList

_TITLE = 26  # cells of a setting's name


@dataclass(frozen=True, slots=True)
class Row:
    """A setting with its place in the list."""

    id: int
    setting: Setting


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown: the accounts that can be chosen, and one of them."""

    emails: Sequence[str] = ()
    account: AccountRow | None = None
    settings: Sequence[Setting] = ()
    state: StateRow | None = None
    to_come: str = ""
    """How far the first import is, in words."""

    @property
    def email(self) -> str:
        """The account's address, or nothing."""
        return self.account.email if self.account is not None else ""


@dataclass
class OptionsReady(Message):
    """What a setting can be changed to was worked out, with what each choice would do."""

    title: str
    options: list[Option]
    email: str
    """The account that was shown when they were asked for."""


def draw(row: Row, width: int) -> Iterator[Piece]:
    """A setting on one line."""
    one = row.setting
    if one.role == "title":
        yield fit(one.title, width), "title"
        return
    yield fit(f"  {one.title}", _TITLE), "text" if one.options else "muted"
    yield fit(f"  {one.value}", width - _TITLE), one.role


class AccountsScreen(StoreScreen):
    """One account at a time: its state, and its settings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", id="accounts.pause", tooltip="Pause its sync, or go on"),
        Binding(
            "B",
            "block",
            "Block",
            id="accounts.block",
            tooltip="Keep out an address or a domain, of all accounts",
        ),
        Binding("tab", "turn(1)", "Next account", id="accounts.next"),
        Binding("shift+tab", "turn(-1)", "Previous account", show=False, id="accounts.previous"),
        Binding("c", "add", "Add", id="accounts.add", tooltip="Set up another mailbox"),
    ]
    DEFAULT_CSS = """
    AccountsScreen { layers: default panels; }
    """
    listed = getters.query_one("#settings", WindowList)
    names = getters.query_one(Choices)
    about = getters.query_one("#state", Lines)
    options = getters.query_one(OptionsPanel)
    prompt = getters.query_one(Prompt)

    def __init__(self, store: Store, email: str = "") -> None:
        super().__init__(store)
        self._email = email
        self._shown = Shown()
        self._rows: list[Row] = []
        self._asked: Option | None = None

    def panes(self) -> Iterable[Widget]:
        yield Choices()
        yield Lines(id="state")
        shown: WindowList[Row] = WindowList(
            self._some,
            draw,
            title="Settings",
            nouns=("line", "lines"),
            at_hand=True,
            id="settings",
        )
        shown.say_empty("No mail account yet", "c adds one")
        yield shown
        yield OptionsPanel()
        yield Prompt()

    def _some(self, ids: Sequence[int]) -> Iterable[Row]:
        return [self._rows[i] for i in ids]

    def on_mount(self) -> None:
        self.reload()
        self.listed.focus()

    # Reading

    @property
    def cares(self) -> frozenset[str]:
        return frozenset({"accounts", "state", "ledger"})

    @property
    def account(self) -> AccountRow | None:
        """The account that is shown, as it was read last."""
        return self._shown.account if self._shown.email == self._email else None

    def reload(self) -> None:
        ask(self, partial(_read, self.store, self._email), partial(self._show, self._email))

    def _show(self, wanted: str, shown: Shown) -> None:
        if wanted != self._email:
            return  # another account is wanted by now, and is being read
        first, self._shown, self._email = not self._rows, shown, shown.email
        self.names.offer([(email, None) for email in shown.emails])
        if shown.email:
            self.names.choose(shown.emails.index(shown.email))
        self._rows = [Row(position, one) for position, one in enumerate(shown.settings)]
        self.listed.show(array("q", range(len(self._rows))))
        if first:
            self.listed.cursor = 1
        self.listed.label(subtitle="enter changes, u takes back" if self._rows else "")
        self._show_about()

    def _redraw_states(self) -> None:
        super()._redraw_states()
        self._show_about()

    def _show_about(self) -> None:
        account, state = self._shown.account, self._shown.state
        if account is not None and state is not None:
            gap = self._shown.to_come
            self.about.show(*account_state.lines(state, account.paused, gap, time.time()))
        else:
            self.about.show()

    def action_turn(self, by: int) -> None:
        """Show the next account, or the one before."""
        if emails := self._shown.emails:
            here = emails.index(self._email) if self._email in emails else 0
            self._turn_to(emails[(here + by) % len(emails)])

    @on(Choices.Chosen)
    def _account_clicked(self, event: Choices.Chosen) -> None:
        if event.index < len(self._shown.emails):  # one of them may have left meanwhile
            self._turn_to(self._shown.emails[event.index])

    def _turn_to(self, email: str) -> None:
        """Show an account; what was asked about the one before is not asked any more (U6)."""
        self.options.close()
        self.prompt.close()
        self._email = email
        self.reload()

    # Changing

    @on(WindowList.Opened, "#settings")
    def action_change(self) -> None:
        """Show what the setting under the cursor can be changed to."""
        rows = self._rows if self.account is not None else ()  # else they are of another one
        setting = rows[self.listed.cursor].setting if rows else None
        if setting is not None and setting.options is not None:
            self._offer(setting.title, setting.options)

    def _offer(self, title: str, options: Offer, typed: str = "") -> None:
        """Work out the choices in a thread: to count what they do may take a moment.

        Where what was `typed` cannot be used, it is asked for again.
        """
        self.run_worker(
            partial(self._work_out, title, options, self._email, typed),
            group="options",
            exclusive=True,
            thread=True,
            exit_on_error=False,
        )

    def _work_out(self, title: str, options: Offer, email: str, typed: str) -> None:
        try:
            found = options()
        except CrmmailError as problem:
            words = " ".join(filter(None, (str(problem), problem.hint)))
            self.app.call_from_thread(self.notify, safe(words), severity="error", markup=False)
            if typed:
                self.app.call_from_thread(self._ask_again, email, typed)
        else:
            if not get_current_worker().is_cancelled:  # by now another setting was asked about
                self.post_message(OptionsReady(title, found, email))

    @on(OptionsReady)
    def _show_options(self, event: OptionsReady) -> None:
        if event.email != self._email:
            return  # another account is shown by now, and would seem to be meant
        if len(event.options) == 1 and event.options[0].ask:
            self._ask(event.options[0])
            return
        self.options.offer(event.title, event.options)

    @on(Panel.Opened, "#options")
    def _choose(self, event: Panel.Opened) -> None:
        event.stop()
        option = self.options.row.option if self.options.row is not None else None
        self.options.close(refocus=False)
        self.set_focus(self.listed)
        if option is not None and option.ask:
            self._ask(option)
        elif option is not None and option.do is not None:
            self.post_message(Do(option.said, option.do))

    def _ask(self, option: Option, value: str = "") -> None:
        self._asked = option
        self.prompt.ask("setting", option.ask, "enter goes on, escape cancels", value)

    def _ask_again(self, email: str, typed: str) -> None:
        """What was typed cannot be used: it stays to be corrected."""
        if self._asked is not None and email == self._email and self.is_current:
            self._ask(self._asked, typed)

    @on(Prompt.Answered)
    def _answered(self, event: Prompt.Answered) -> None:
        answer = self._asked.answer if self._asked is not None else None
        if answer is not None:
            self._offer("Change", partial(answered, answer, event.value), event.value)

    def action_pause(self) -> None:
        """Pause the sync of the account, or let it go on."""
        account = self.account
        if account is not None:
            paused = not account.paused
            do = partial(mail_rules.set_values, self.store, account.id, paused=paused)
            self.post_message(Do(f"{account.email} {'is paused' if paused else 'goes on'}", do))

    def action_block(self) -> None:
        """Keep out an address or a domain."""
        self._offer("Block", partial(account_settings.block, self.store))

    async def action_add(self) -> None:
        """Set up another mailbox."""
        await self.app.run_action("app.add_account")


def _read(store: Store, email: str) -> Shown:
    """What is to be shown of an account, or of the first where there is none of this address."""
    db = store.read()
    found = accounts.all_accounts(db)
    account = next((one for one in found if one.email == email), next(iter(found), None))
    emails = [one.email for one in found]
    if account is None:
        return Shown(emails)
    settings = list(account_settings.settings(store, account))
    state = account_settings.state(db, account)
    return Shown(emails, account, settings, state, accounts.still_to_come(db, account.id))
