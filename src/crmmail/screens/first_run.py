"""Setting up an account: address, password, server; a test; the import begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events, getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from crmmail import addresses
from crmmail.accounts import providers
from crmmail.accounts.providers import Provider
from crmmail.errors import CrmmailError
from crmmail.screens.base import StoreScreen
from crmmail.screens.signing_up import (
    BrowserWanted,
    CalendarsFound,
    DemoWanted,
    Entry,
    Field,
    KeyringFound,
    LookedUp,
    LookUp,
    SignedUp,
    SignUp,
    calendar_line,
    folder_lines,
    server,
    told,
)
from crmmail.screens.undo import FieldError
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.widgets.pieces import safe
from crmmail.widgets.words import plural

if TYPE_CHECKING:
    from crmmail.accounts.discovery import Found

_PORTS = {143: "starttls"}  # elsewhere it is TLS from the first byte


class FirstRunScreen(StoreScreen):
    """One screen to set up a mailbox. Nothing is kept before its test went well."""

    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", id="setup.next", tooltip="Next field, then the test"),
        Binding("down", "next_pane", "Next field", show=False, id="setup.down"),
        Binding("up", "previous_pane", "Previous field", show=False, id="setup.up"),
        Binding("f5", "test", "Test", id="setup.test", tooltip="Sign in and list the folders"),
        Binding("f7", "trust", "Trust it", id="setup.trust", tooltip="Trust this certificate only"),
        Binding("f6", "demo", "Demo", id="setup.demo", tooltip="Try the demo: a sample mailbox"),
        Binding("escape", "back", "Later", id="setup.later", tooltip="Go on without an account"),
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
    }
    """
    note = getters.query_one("#note", Label)
    found = getters.query_one("#found", Label)
    go = getters.query_one("#go", Button)

    def __init__(self, store: Store, account: accounts.AccountRow | None = None) -> None:
        super().__init__(store)
        self._account = account
        self._wanted: SignUp | None = None
        self._guessed: dict[str, str] = {"server": "", "username": ""}
        self._busy = False
        self._tested: Entry | None = None
        self._calendars: CalendarsFound | None = None
        self._keyring = True
        self._email = ""
        self._found: Found | None = None  # for that address
        self._looked_up = ""  # the address that was asked for last
        self._looking = False
        self._test_after = False  # Enter was pressed before the search was through
        self._confirmed = ""  # a server that nobody vouches for, seen by the user
        self._shown_pin = ""  # a certificate's, for the user to compare
        self._pins: dict[tuple[str, int], str] = {}

    def panes(self) -> Iterable[Widget]:
        with VerticalScroll(id="setup", can_focus=False):
            again = self._account is not None
            yield Label("Sign in again" if again else "Your mailbox", id="hello")
            yield Label(
                "crmmail reads it and changes nothing on the server. "
                "The password goes into the system keyring, nowhere else.",
                id="about",
                markup=False,
            )
            yield Field("email", "Address", "ann@example.org")
            yield Field("password", "Password", password=True)
            yield Field("command", "Password command", "pass show mail/ann")
            yield Field("variable", "… or variable", "MAIL_PASSWORD")
            yield Field("server", "IMAP server", "imap.example.org:993")
            yield Field("username", "User name", "mostly the address")
            yield Label("", id="note", markup=False)
            with Horizontal(id="buttons"):
                yield Button("Test", id="go", compact=True, variant="primary")
                yield Button("Trust it", id="trust", compact=True)
                yield Button("Try the demo", id="demo", compact=True)
            yield Label("", id="found", markup=False)

    def on_mount(self) -> None:
        for name in ("command", "variable"):
            self.field(name).add_class("-hidden")
        self.query_one("#demo").display = self._is_first()
        self.query_one("#trust").display = False
        if self._account is not None:
            self._begin_with(self._account)
        self._look_for_keyring()

    def on_unmount(self) -> None:
        if self._wanted is not None:
            self._wanted.cancelled.set()

    def _begin_with(self, account: accounts.AccountRow) -> None:
        """An account that is there: all as it is, but for the password."""
        from crmmail.accounts.discovery import Found

        place = providers.by_server(account.host) or Provider("", account.host)
        place = replace(place, port=account.port, security=account.security)
        self._email = self._looked_up = account.email
        self._found = Found(place, account.username, "in the account")
        if account.pin:
            self._pins[account.host, account.port] = account.pin
        line = self.field("email").input
        with line.prevent(Input.Changed):
            line.value = account.email
        line.disabled = True
        self._fill(place, account.username)
        self._say(place.note)
        self.field("password").input.focus()

    def _is_first(self) -> bool:
        """Whether there is no account yet."""
        return not accounts.states(self.store.read())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        if action == "trust":
            return bool(self._shown_pin)
        return action != "demo" or self._is_first()

    def field(self, name: str) -> Field:
        """One of the fields."""
        return self.query_one(f"#field-{name}", Field)

    # What is typed

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        found = event.input.parent
        if isinstance(found, Field):
            found.complain()
            if found.field == "email":
                self._guess(event.value)
        self._tested = None
        self._test_after = False
        self._offer_pin("")
        self.go.label = "Test"

    def _guess(self, typed: str) -> None:
        """Fill in what the address tells, where nobody typed something else."""
        email = addresses.normal(typed)
        if email == self._email:
            return
        self._email, self._found = email, None
        self._fill(providers.guess(email), providers.guess(email).username(email))
        self._say(providers.guess(email).note)

    def _fill(self, server: Provider, username: str) -> None:
        guessed = {
            "server": f"{server.host}:{server.port}" if server.host else "",
            "username": username,
        }
        for name, words in guessed.items():
            line = self.field(name).input
            if line.value == self._guessed[name]:
                with line.prevent(Input.Changed):
                    line.value = words
        self._guessed = guessed

    def _say(self, words: str) -> None:
        self.note.update(Content(safe(words)))

    # What the address tells, when one asks around

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """The address is typed: look for its server while the password is."""
        if event.widget is self.field("email").input:
            self._look_up()

    def _look_up(self) -> None:
        email = addresses.normal(self.field("email").input.value)
        if not email or email == self._looked_up or providers.known(email):
            return
        self._looked_up, self._looking = email, True
        self._say(f"Looking for the mail server of {addresses.domain_of(email)} …")
        self.app.post_message(LookUp(self, email))

    @on(LookedUp)
    def _heard(self, event: LookedUp) -> None:
        if event.email != addresses.normal(self.field("email").input.value):
            return  # another address is typed by now
        if event.found is not None:
            self._found = event.found
            self._fill(event.found.provider, event.found.username)
            self._say(told(event.found))
            return
        self._looking = False
        if self._found is None:
            self._say("Nothing tells where its mail is. Check the server's name.")
        if self._test_after:
            self._test_after = False
            self.action_test()

    def _unconfirmed(self) -> str:
        """The server, if it is one that nobody vouches for and the user has not agreed to."""
        found = self._found
        shown = self.field("server").input.value.strip()
        if found is None or found.sure or self._confirmed == shown:
            return ""
        return shown if shown == f"{found.provider.host}:{found.provider.port}" else ""

    def entry(self) -> Entry:
        """What is typed, or a FieldError of the first field that cannot be."""
        values = {one.field: one.input.value.strip() for one in self.query(Field)}
        email = addresses.normal(values["email"])
        if not email:
            raise FieldError("email", "This is no e-mail address.", "Example: ann@example.org")
        host, port = server(values["server"])
        known = self._found.provider if self._found else providers.guess(email)
        if not known.host and not host:
            raise FieldError("email", known.note)
        same = (known.host, known.port) == (host, port)
        security = known.security if same else _PORTS.get(port, "tls")
        password = self.field("password").input.value
        command, variable = values["command"], values["variable"]
        oauth = "" if password or command or variable else self._issuer(known)
        if not (password or command or variable or oauth):
            if self._keyring:
                raise FieldError("password", "The password is missing.")
            raise FieldError("command", "Say where the password comes from.")
        username, pin = values["username"] or email, self._pins.get((host, port), "")
        return Entry(
            email,
            host,
            port,
            security,
            username,
            password,
            command,
            variable,
            pin,
            oauth,
            known=self._account is not None,
        )

    def _issuer(self, provider: Provider) -> str:
        """Who can let the user in in the browser, where no password is typed."""
        before = self._account.secret if self._account else ""
        if before.startswith("oauth:"):
            return before.partition(":")[2]
        if not provider.oauth:
            return ""
        from crmmail.accounts import issuers

        usable = provider.oauth_only or issuers.is_usable(provider.oauth)
        return provider.oauth if usable else ""

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
        self._busy = True
        save = entry == self._tested
        words = (
            "Saving … The keyring may ask to be unlocked."
            if save
            else f"Signing in to {entry.host} …"
        )
        self.found.update(Content(safe(words)))
        self._wanted = SignUp(self, entry, save, self._calendars if save else None)
        self.app.post_message(self._wanted)

    @on(BrowserWanted)
    def _to_the_browser(self, event: BrowserWanted) -> None:
        words = f"Sign in at {event.title} in the browser. If none opens, go to"
        self.found.update(Content(f"{safe(words)}\n{safe(event.url)}"))
        self.app.open_url(event.url)

    @on(SignedUp)
    def _answered(self, event: SignedUp) -> None:
        self._busy = False
        if event.problem is not None:
            self.found.update("")
            self._complain(event.problem)
            self._offer_pin(event.fingerprint)
        elif event.wanted.save:
            done = "is signed in again" if self._account else "is set up; the import has begun"
            self.notify(f"{event.wanted.entry.email} {done}.", markup=False)
            self.dismiss()
        else:
            self._tested, self._calendars = event.wanted.entry, event.calendars
            self.found.update(Content("\n".join(self._lines(event))))
            self.go.label = "Save" if self._account else "Start"
            self.go.focus()

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
        """Take this certificate, and no other, for the server's own; then try again."""
        entry = self.entry()
        self._pins[entry.host, entry.port] = self._shown_pin
        self._offer_pin("")
        self.action_test()

    def _complain(self, problem: CrmmailError) -> None:
        name = problem.field if isinstance(problem, FieldError) else "server"
        if name == "secret":
            name = "password" if self._keyring else "command"
        words = " ".join(filter(None, (str(problem), problem.hint)))
        self.field(name).complain(words)
        self.field(name).input.focus()

    @on(Button.Pressed, "#demo")
    def action_demo(self) -> None:
        """Look around in a sample mailbox first."""
        self.app.post_message(DemoWanted())

    # Where the password goes

    @work(thread=True, exit_on_error=False)
    def _look_for_keyring(self) -> None:
        from crmmail.accounts import credentials

        try:
            credentials.keyring_backends()
        except CrmmailError as problem:
            self.post_message(KeyringFound(str(problem)))

    @on(KeyringFound)
    def offer_others(self, event: KeyringFound) -> None:
        """There is no keyring: the password has to come from somewhere else."""
        self._keyring = False
        self.query_one("#about", Label).update(
            Content(
                "crmmail reads it and changes nothing on the server. "
                f"{event.problem} So it asks a command for the password, "
                "or an environment variable, each time it starts."
            )
        )
        self.field("password").add_class("-hidden")
        for name in ("command", "variable"):
            self.field(name).remove_class("-hidden")
