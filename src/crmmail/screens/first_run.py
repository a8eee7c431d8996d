"""Setting up an account: what was typed is tested, then kept, and the import begins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.errors import NoWidget
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from crmmail.errors import CrmmailError
from crmmail.screens.account_form import AccountForm
from crmmail.screens.question import QuestionScreen
from crmmail.screens.signing_up import (
    BrowserWanted,
    CalendarsFound,
    DemoWanted,
    Entry,
    Field,
    SignedUp,
    SignUp,
    calendar_line,
    folder_lines,
)
from crmmail.screens.undo import FieldError
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.text import pairs
from crmmail.widgets.awaited import begin, end
from crmmail.widgets.pieces import safe
from crmmail.widgets.words import plural

_CHANGED = "It shows another certificate than the one you trusted. Nothing was sent."


class _Form(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The fields: the arrows go from one to the next, also where there is no room for all."""


class FirstRunScreen(AccountForm):
    """One screen to set up a mailbox. Nothing is kept before its test went well."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", id="setup.next", tooltip="Next field, then the test"),
        Binding("down", "next_pane", "Next field", show=False, id="setup.down"),
        Binding("up", "previous_pane", "Previous field", show=False, id="setup.up"),
        Binding("f5", "test", "Test", id="setup.test", tooltip="Sign in and list the folders"),
        Binding("f7", "trust", "Trust it", id="setup.trust", tooltip="Trust this certificate only"),
        Binding("f6", "demo", "Demo", id="setup.demo", tooltip="Try the demo: a sample mailbox"),
        Binding(
            "escape",
            "back",
            "Later",
            id="setup.later",
            tooltip="Go on without an account; asks if something was typed",
        ),
    ]
    DEFAULT_CSS = """
    FirstRunScreen {
        #setup { padding: 1 2; height: 1fr; scrollbar-size-vertical: 1; }
        #setup Label { width: 100%; height: auto; }
        #setup Field Label { width: auto; }
        #setup Field .wrong { width: 100%; }
        #hello { text-style: bold; color: $accent; }
        #note { color: $warning; }
        #about { color: $foreground 60%; margin-bottom: 1; }
        #buttons { height: auto; margin-top: 1; }
        #buttons Button { margin-right: 2; }
        #found { margin-top: 1; }
        #compared { display: none; color: $warning; }
        #setup.-compared #compared { display: block; }
        #setup.-compared #about { display: none; }
    }
    """
    found = getters.query_one("#found", Label)
    go = getters.query_one("#go", Button)

    def __init__(
        self, store: Store, account: accounts.AccountRow | None = None, *, untrusted: bool = False
    ) -> None:
        super().__init__(store, account, untrusted=untrusted)
        self._wanted: SignUp | None = None
        self._busy = False
        self._tested: Entry | None = None
        self._tested_at: Widget | None = None  # what had the focus when the test began
        self._edited = False  # since then
        self._calendars: CalendarsFound | str = ""
        self._test_after = False  # Enter was pressed before the search was through
        self._shown_pin = ""  # a certificate's, for the user to compare
        self._flaws = ""  # what is wrong with it besides, in sentences

    def panes(self) -> Iterable[Widget]:
        with _Form(id="setup"):
            yield Label(self._title(), id="hello")
            yield Label("", id="compared", markup=False)
            yield from self.fields()
            with Horizontal(id="buttons"):
                yield Button("Test", id="go", compact=True, variant="primary")
                yield Button("Trust it", id="trust", compact=True)
                yield Button("Try the demo", id="demo", compact=True)
            yield Label("", id="found", markup=False)

    def _title(self) -> str:
        if self._kept:
            return "Whose certificate is this?"
        return "Your mailbox" if self._account is None else "Sign in again"

    def on_mount(self) -> None:
        if self._kept:
            self.call_after_refresh(self.action_test)  # it shows the certificate, or all is well
        self.query_one("#demo").display = self._is_first()
        self.query_one("#trust").display = False

    def on_unmount(self) -> None:
        if self._wanted is not None:
            self._wanted.cancelled.set()

    def _is_first(self) -> bool:
        """Whether there is no account yet."""
        return not accounts.states(self.store.read())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual calls it so
        if action == "trust":
            return bool(self._shown_pin)
        return action != "demo" or self._is_first()

    def edited(self) -> None:
        """What was tested is no longer what is typed."""
        self._tested = None
        self._edited = True
        self._test_after = False
        self._offer_pin("")
        self.go.label = "Test"
        if not self._busy:  # what was found is about what was typed before
            self.found.update("")

    @property
    def is_storing(self) -> bool:
        return self._busy and self._wanted is not None and self._wanted.save

    def looked_up(self) -> None:
        """Go on with the test, where it was asked for meanwhile."""
        if self._test_after:
            self._test_after = False
            self.action_test()

    # What is done

    def action_next(self) -> None:
        """Go to the next field; from the last one, test."""
        if isinstance(self.focused, Button):
            self.focused.press()
        elif self.focused is self.field("username").input or self._complete():
            self.action_test()
        else:
            self.focus_next(Input)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_next()

    def _complete(self) -> bool:
        """Whether all is there, seen from a field after the address."""
        try:
            self.entry()
        except FieldError:
            return False
        return self.focused is not self.field("email").input

    @on(Button.Pressed, "#go")
    def action_test(self) -> None:
        """Sign in and list the folders; after a test that went well, save and begin."""
        if self._busy:
            return
        for one in self.query(Field):
            one.complain()
        try:
            entry = self.entry()
        except FieldError as problem:
            self._complain(problem)
            return
        self._look_up()
        if self._looking:
            self._test_after = True
            return
        if server := self._unconfirmed():
            self._confirmed = server
            self.found.update(Content(safe(f"Is {server} right? Then press enter again.")))
            return
        self._busy, self._edited, self._tested_at = True, False, self.focused
        save = entry == self._tested
        words = (
            "Saving … The keyring may ask to be unlocked."
            if save
            else f"Signing in to {entry.host} …"
        )
        self.found.update(Content(safe(words)))
        self._show_compared([])
        self._wanted = SignUp(self, entry, save, self._calendars if save else "")
        begin(self._wanted)
        self.app.post_message(self._wanted)

    @on(BrowserWanted)
    def _to_the_browser(self, event: BrowserWanted) -> None:
        words = f"Sign in at {event.title} in the browser. If none opens, go to"
        self.found.update(Content(f"{safe(words)}\n{safe(event.url)}"))
        self.app.open_url(event.url)

    @on(SignedUp)
    def _answered(self, event: SignedUp) -> None:
        self._busy = event.wanted.save and event.problem is None  # stored is not stored again
        end(event.wanted)
        if event.problem is not None:
            self._flaws = getattr(event.problem, "flaws", "")
            compared = self._compared(event)
            # Who types elsewhere by now goes on there: the next field may not hide what is typed.
            same = self.focused is self._tested_at and not self._edited
            if compared:  # the focus stays: going to the field could scroll the comparison away
                self._complain(CrmmailError(_CHANGED), focus=False)
            else:
                self._complain(event.problem, focus=same)
            self._offer_pin(event.fingerprint)
            self.found.update("")
            self._show_compared(compared)
        elif event.wanted.save:
            done = "is signed in again" if self._account else "is set up; the import has begun"
            self.notify(f"{event.wanted.entry.email} {done}.", markup=False)
            self.stored()
        elif self._edited:
            self.found.update("Something else is typed by now: enter tests that.")
        else:
            self._tested, self._calendars = event.wanted.entry, event.calendars
            self.found.update(Content("\n".join(self._lines(event))))
            self.go.label = "Save" if self._account else "Start"
            self.go.focus()
            self.call_after_refresh(self.found.scroll_visible, animate=False)

    def _compared(self, event: SignedUp) -> list[str]:
        """The certificate that was trusted and the one that is shown now, and what that means."""
        entry = event.wanted.entry
        if not event.fingerprint or not entry.pin:
            return []
        return [
            f"Trusted so far, SHA-256:\n  {pairs(entry.pin)}",
            f"Shown now, SHA-256:\n  {pairs(event.fingerprint)}",
            *filter(None, [self._flaws]),
            "Careful: somebody may be in between, to read your password and your mail. Only if you "
            "know that the server has got a new certificate, and the line above is what it says "
            "there (openssl x509 -noout -fingerprint -sha256 -in cert.pem), f7 trusts it, and no "
            "other from then on.",
        ]

    def _show_compared(self, lines: list[str]) -> None:
        """Show the comparison of two certificates above the form; an empty one hides it."""
        self.query_one("#setup").set_class(bool(lines), "-compared")
        self.query_one("#compared", Label).update(Content("\n".join(lines)))
        if lines:
            self.call_after_refresh(self.query_one("#setup").scroll_home, animate=False)

    def _sees_certificate(self) -> bool:
        """Whether all that is said about the certificate is on the screen just now."""
        compared = self.query_one("#compared", Label)
        said = compared if compared.display else self.field("server").query_one(".wrong", Label)
        try:
            place = self.find_widget(said)
        except NoWidget:
            return False
        return bool(place.region) and place.visible_region == place.region

    def _lines(self, event: SignedUp) -> list[str]:
        """What the test has found, and what comes next."""
        count = sum(messages for _, _, messages in event.folders)
        said = f"Signed in: {plural(len(event.folders), 'folder')}, {plural(count, 'message')}. "
        if self._account:
            return [f"{said}Enter keeps it so, and the sync goes on."]
        said += "Enter starts the import, the newest first."
        return [said, calendar_line(event.calendars), *folder_lines(event.folders)]

    def _offer_pin(self, fingerprint: str) -> None:
        """Let the user trust a certificate, or no longer."""
        self._shown_pin = fingerprint
        self.query_one("#trust").display = bool(fingerprint)
        self.refresh_bindings()

    @on(Button.Pressed, "#trust")
    def action_trust(self) -> None:
        """Take this certificate, and no other, for the server's own; then try again.

        Where it is not all on the screen, it is shown first, and the user is asked.
        """
        entry, pin = self.entry(), self._shown_pin
        if self._sees_certificate():
            self._trust(entry, pin)
            return
        before = f"Trusted so far, SHA-256:\n{pairs(entry.pin)}\n" if entry.pin else ""
        shown = f"Shown now by {safe(entry.host)}, SHA-256:\n{pairs(pin)}\n"
        careful = f"{self._flaws} " if self._flaws else ""
        careful += "Somebody may be in between. " if entry.pin else ""
        words = f"{before}{shown}{careful}Trust the certificate shown now, and no other?"
        question = QuestionScreen(words)
        self.app.push_screen(question, lambda yes: self._trust(entry, pin) if yes else None)

    def _trust(self, entry: Entry, pin: str) -> None:
        self._pins[entry.host, entry.port] = pin
        self._offer_pin("")
        self.action_test()

    @on(Button.Pressed, "#demo")
    def action_demo(self) -> None:
        """Look around in a sample mailbox first."""
        self.discard(self._to_the_demo, "Show the demo, and discard what you typed?")

    def _to_the_demo(self) -> None:
        self.app.post_message(DemoWanted())
