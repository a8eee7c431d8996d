"""The form of an account: what is typed, what its address tells, what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import events, getters, on, work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label

from crmmail import addresses
from crmmail.accounts import providers
from crmmail.accounts.providers import Provider
from crmmail.errors import CrmmailError
from crmmail.screens.base import StoreScreen
from crmmail.screens.question import TypingScreen
from crmmail.screens.signing_up import (
    Entry,
    Field,
    KeyringFound,
    LookedUp,
    LookUp,
    account_secret,
    server,
    told,
)
from crmmail.screens.undo import FieldError
from crmmail.store import accounts
from crmmail.store.database import Store
from crmmail.widgets.pieces import safe

if TYPE_CHECKING:
    from crmmail.accounts.discovery import Found

_NO_SECRET = {"email": "Address", "server": "IMAP server", "username": "User name"}
"""Fields that may be written to a file, with their titles."""
_PORTS = {143: "starttls"}  # elsewhere it is TLS from the first byte


class _About(Label):
    """What is said above the fields: with more lines it moves them down."""

    def on_resize(self) -> None:
        if isinstance(self.screen, TypingScreen):
            self.screen.keep_in_sight()


class AccountForm(TypingScreen, StoreScreen):
    """A screen with the fields of an account, filled in as far as its address tells."""

    note = getters.query_one("#note", Label)

    def __init__(
        self, store: Store, account: accounts.AccountRow | None = None, *, untrusted: bool = False
    ) -> None:
        """`untrusted`: it is about the server's certificate, and the password can stay."""
        super().__init__(store)
        self._account = account
        self._kept = account.secret if account is not None and untrusted else ""
        self._guessed: dict[str, str] = {"server": "", "username": ""}
        self._keyring = True
        self._source = ""  # the field that says where the password of the account comes from
        self._email = ""
        self._found: Found | None = None  # for that address
        self._looked_up = ""  # the address that was asked for last
        self._looking = False
        self._is_nowhere = False  # the search has found no server for the address
        self._confirmed = ""  # a server that nobody vouches for, seen by the user
        self._pins: dict[tuple[str, int], str] = {}

    def fields(self) -> Iterable[Widget]:
        """The fields: above them where the password goes, below what is known of the server."""
        yield _About(
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

    def edited(self) -> None:
        """Something else was typed."""

    def looked_up(self) -> None:
        """The search for the server is through."""

    def on_mount(self) -> None:
        for name in ("command", "variable"):
            self.field(name).add_class("-hidden")
        if self._account is not None:
            self._begin_with(self._account)
        self._look_for_keyring()

    def _show_source(self, secret: str) -> None:
        """Where the password of an account comes from now, to be kept or changed."""
        name, typed = account_secret(secret)
        if name:
            self._source = name
            found = self.field(name)
            found.remove_class("-hidden")
            with found.input.prevent(Input.Changed):
                found.input.value = typed

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
        self._say("" if self._kept else place.note)
        if self._kept:
            self.field("password").input.placeholder = "as it is"
        self._show_source(account.secret)
        self.field(self._source or "password").input.focus()

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
            elif found.field == "server" and self._is_nowhere:
                self._say_nowhere()
        self.edited()

    def _guess(self, typed: str) -> None:
        """Fill in what the address tells, where nobody typed something else."""
        email = addresses.typed_address(typed)
        if email == self._email:
            return
        self._email, self._found, self._is_nowhere = email, None, False
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
        email = addresses.typed_address(self.field("email").input.value)
        if not email or email == self._looked_up or providers.known(email):
            return
        self._looked_up, self._looking = email, True
        self._say(f"Looking for the mail server of {addresses.domain_of(email)} …")
        self.app.post_message(LookUp(self, email))

    @on(LookedUp)
    def _heard(self, event: LookedUp) -> None:
        if event.email != addresses.typed_address(self.field("email").input.value):
            return  # another address is typed by now
        if event.found is not None:
            self._found = event.found
            self._fill(event.found.provider, event.found.username)
            self._say(told(event.found))
            return
        self._looking = False
        if self._found is None:
            self._is_nowhere = True
            self._say_nowhere()
        self.looked_up()

    def _say_nowhere(self) -> None:
        """Say that no server was found, unless the user has typed one."""
        is_typed = self.field("server").input.value.strip() not in ("", self._guessed["server"])
        words = "Nothing tells where its mail is. Check the server's name."
        self._say("" if is_typed else words)

    def _unconfirmed(self) -> str:
        """The server, if it is one that nobody vouches for and the user has not agreed to."""
        found = self._found
        shown = self.field("server").input.value.strip()
        if found is None or found.sure or self._confirmed == shown:
            return ""
        return shown if shown == f"{found.provider.host}:{found.provider.port}" else ""

    # What is there, and what is missing

    @property
    def is_changed(self) -> bool:
        before = self._account.email if self._account is not None else ""
        typed = {one.field: one.input.value.strip() for one in self.query(Field)}
        filled = {**self._guessed, "email": before}
        return any(value not in ("", filled.get(name, "")) for name, value in typed.items())

    def unsaved(self) -> str:
        typed = {name: self.field(name).input.value.strip() for name in _NO_SECRET}
        found = [f"{_NO_SECRET[name]}: {words}" for name, words in typed.items() if words]
        return "\n".join(["New account", *found]) if found else ""

    def action_back(self) -> None:
        """Go on without what is typed here; not while it is stored."""
        if self.is_storing:
            self.notify("This is being stored. The screen closes when it is.", timeout=3)
            return
        self.discard(super().action_back)

    def entry(self) -> Entry:
        """What is typed, or a FieldError of the first field that cannot be."""
        values = {one.field: one.input.value.strip() for one in self.query(Field)}
        email = addresses.typed_address(values["email"])
        if not email:
            raise FieldError("email", "This is not an e-mail address.", "Example: ann@example.org")
        known = self._found.provider if self._found else providers.guess(email)
        if not known.host and not values["server"]:
            raise FieldError("email", known.note)  # a provider without IMAP
        host, port = server(values["server"])
        same = (known.host, known.port) == (host, port)
        security = known.security if same else _PORTS.get(port, "tls")
        password = self.field("password").input.value
        command, variable = values["command"], values["variable"]
        typed = password or command or variable
        secret = "" if typed else self._kept
        oauth = "" if typed or secret else self._issuer(known)
        if not (typed or secret or oauth):
            raise FieldError("password", "The password is missing.")
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
            secret=secret,
            once=bool(password) and not self._keyring,
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

    def _complain(self, problem: CrmmailError, *, focus: bool = True) -> None:
        name = problem.field if isinstance(problem, FieldError) else "server"
        if name == "secret":
            values = {one.field: one.input.value for one in self.query(Field)}
            others = [name for name in ("command", "variable") if values[name].strip()]
            name = "password" if values["password"] or not others else others[0]
        words = " ".join(filter(None, (str(problem), problem.hint)))
        self.field(name).complain(words)
        if focus:
            self.field(name).input.focus()

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
                f"{event.problem} A password that you type is for this run only: crmmail asks for "
                "it in each run. A command or an environment variable can give it instead."
            )
        )
        self.field("password").input.placeholder = "for this run only, kept nowhere"
        for name in ("command", "variable"):
            self.field(name).remove_class("-hidden")
