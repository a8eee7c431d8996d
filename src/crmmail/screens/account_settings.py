"""The settings of one account, as rows that say what they are, and what each choice would do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from crmmail.store import accounts, calendars, effects, mail_rules
from crmmail.store.accounts import AccountRow, FolderRow
from crmmail.store.calendars import CalendarRow
from crmmail.store.database import Store
from crmmail.store.kinds import Level
from crmmail.text import one_line

Undo = Callable[[], object]
_VISIBLE = {
    Level.EVERYTHING: "everything",
    Level.SUBJECT: "who, when and the subject",
    Level.METADATA: "who and when only",
}
_POLICIES = {
    "sent": "whom I wrote to",
    "sent_and_received": "whom I wrote to, and who wrote to me",
    "none": "nobody",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: what it is, what it will do, and the change itself, which returns its undo.

    With `ask`, a line asks for a text first, that `answer` makes an option of.
    """

    id: int
    words: str
    effect: str = ""
    do: Callable[[], Undo | None] | None = None
    said: str = ""
    ask: str = ""
    answer: Callable[[str], Option] | None = None


Offer = Callable[[], list[Option]]
"""Works out the choices; called in a thread."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the screen: a title above others, a fact, or something that can be changed."""

    title: str
    value: str = ""
    role: str = "text"
    options: Offer | None = None


def settings(store: Store, account: AccountRow) -> Iterator[Setting]:
    """What can be set, of one account and of all."""
    db = store.read()
    yield Setting("Rules", role="title")
    yield from _rules(store, account)
    yield Setting("Visibility", role="title")
    yield from _visibility(store, account)
    yield Setting("Folders", role="title")
    for folder in accounts.folders(db, account.id):
        yield _folder(store, account, folder)
    if held := calendars.rows(db, account.id):
        yield Setting("Calendars", role="title")
        yield from _of_calendars(store, account, held)
    yield Setting("Blocklist, of all accounts", role="title")
    for pattern in mail_rules.blocked(db):
        yield Setting(
            pattern, "kept out, always", options=partial(_options, [_unblock(store, pattern)])
        )
    yield Setting("Add…", "an address, or a domain: @acme.com", "muted", partial(_block, store))
    yield Setting("This account", role="title")
    yield Setting("Sync", *_paused(account), options=partial(_switches, store, account, "paused"))
    yield Setting("Name", account.name or "(none)", options=partial(_name, store, account))
    yield Setting("Remove", "from this computer", "bad", partial(_remove, store, account))


def _rules(store: Store, account: AccountRow) -> Iterator[Setting]:
    db = store.read()
    yield Setting("Contacts", _POLICIES[account.policy], options=partial(_policies, store, account))
    for name, title in _SWITCHES.items():
        value = _SAID[name][bool(getattr(account, name))]
        yield Setting(title, value, options=partial(_switches, store, account, name))
    domains = accounts.internal_domains(db, account.id)
    yield Setting(
        "Domains of colleagues",
        ", ".join(domains) or "none",
        options=partial(_domains, store, account, domains),
    )
    own = accounts.addresses(db, account.id)
    yield Setting("My addresses", ", ".join(own), options=partial(_aliases, store, account, own))
    yield Setting("Mail since", _day(account.mail_since), options=partial(_since, store, account))


def _of_calendars(store: Store, account: AccountRow, held: list[CalendarRow]) -> Iterator[Setting]:
    yield Setting(
        "Contacts of meetings",
        _ASKED[account.meeting_policy],
        options=partial(_meeting_policies, store, account),
    )
    for name, title in _OF_MEETINGS.items():
        value = _SAID[name][bool(getattr(account, name))]
        yield Setting(title, value, options=partial(_switches, store, account, name))
    for row in held:
        yield Setting(
            row.name or row.url,
            row.error or ("read" if row.selected else "not read"),
            "bad" if row.error else "text" if row.selected else "muted",
            partial(_calendar, store, row),
        )


def _calendar(store: Store, row: CalendarRow) -> list[Option]:
    count = calendars.counts(store.read(), row.id).meetings
    on = not row.selected
    words = f"{'Read' if on else 'Do not read'} {row.name or row.url}"
    effect = "Its meetings are fetched." if on else f"Removes up to {count:,} meetings from here."
    return [
        _pair(
            words,
            effect,
            partial(calendars.select, store, row.id, on=on),
            partial(calendars.select, store, row.id, on=not on),
        )
    ]


def _meeting_policies(store: Store, account: AccountRow) -> list[Option]:
    effect = "Makes contacts of old meetings too; those that there are stay."
    return _numbered(
        [
            _set(store, account, f"Contacts of meetings: {words}", effect, meeting_policy=policy)
            for policy, words in _ASKED.items()
        ]
    )


_ASKED = {
    "both": "who calls one and who is asked",
    "organizer": "who calls one",
    "participant": "who is asked",
    "none": "nobody",
}
_OF_MEETINGS = {
    "sync_internal_meetings": "Meetings of colleagues",
    "sync_private": "Private meetings",
}
_SWITCHES = {
    "exclude_group": "Group mail",
    "sync_internal": "Mail between colleagues",
    "exclude_free": "Free-mail contacts",
}
_SAID = {
    "exclude_group": ("let in", "kept out"),
    "sync_internal": ("kept out", "let in"),
    "exclude_free": ("made", "not made"),
    "paused": ("goes on", "paused"),
    "sync_internal_meetings": ("kept out", "let in"),
    "sync_private": ("kept out", "let in"),
}


def _paused(account: AccountRow) -> tuple[str, str]:
    return ("paused", "bad") if account.paused else ("goes on", "text")


def _numbered(options: list[Option]) -> list[Option]:
    return [
        Option(position, one.words, one.effect, one.do, one.said, one.ask, one.answer)
        for position, one in enumerate(options)
    ]


def _options(options: list[Option]) -> list[Option]:
    return _numbered(options)


def _set(store: Store, account: AccountRow, words: str, effect: str, **values: object) -> Option:
    """A choice of one value; the one that holds now does nothing."""
    if all(getattr(account, name) == value for name, value in values.items()):
        return Option(0, words, "As it is now.")
    do = partial(mail_rules.set_values, store, account.id, **values)
    return Option(0, words, effect, do, f"{account.email}: {words}")


def _switches(store: Store, account: AccountRow, name: str) -> list[Option]:
    db = store.read()
    title = (_SWITCHES | _OF_MEETINGS).get(name, "Sync")
    return _numbered(
        [
            _set(
                store,
                account,
                f"{title}: {_SAID[name][value]}",
                effects.switch(db, account.id, name, value),
                **{name: value},
            )
            for value in (False, True)
        ]
    )


def _policies(store: Store, account: AccountRow) -> list[Option]:
    effect = "Makes contacts of old mail too; those that there are stay."
    return _numbered(
        [
            _set(store, account, f"Contacts: {words}", effect, policy=policy)
            for policy, words in _POLICIES.items()
        ]
    )


def _visibility(store: Store, account: AccountRow) -> Iterator[Setting]:
    mail, meetings = Level(account.mail_level), Level(account.meeting_level)
    yield Setting("Of mail", _VISIBLE[mail], options=partial(_levels, store, account))
    yield Setting("Of meetings", _VISIBLE[meetings], options=partial(_of_meetings, store, account))


def _levels(store: Store, account: AccountRow) -> list[Option]:
    db = store.read()
    return _numbered(
        [
            _set(
                store,
                account,
                f"Keep of mail: {words}",
                effects.visibility(db, account.id, account.mail_level, level),
                mail_level=int(level),
            )
            for level, words in _VISIBLE.items()
        ]
    )


def _of_meetings(store: Store, account: AccountRow) -> list[Option]:
    said = {
        Level.EVERYTHING: "Title, description, location and link are read.",
        Level.METADATA: "Title, description, location and link leave this computer.",
    }
    return _numbered(
        [
            _set(
                store,
                account,
                f"Keep of meetings: {_VISIBLE[level]}",
                effect,
                meeting_level=int(level),
            )
            for level, effect in said.items()
        ]
    )


def _folder(store: Store, account: AccountRow, folder: FolderRow) -> Setting:
    if not folder.selectable:
        return Setting(folder.name, "holds no messages: the server does not open it", "muted")
    kind = f"{folder.role}, " if folder.role else ""
    counts = f"{folder.messages:,} messages"
    if folder.selected:
        counts += f": {folder.stored:,} here, {folder.skipped:,} skipped"
    said = "read" if folder.selected else "not read"
    role = "text" if folder.selected else "muted"
    return Setting(
        folder.name,
        f"{said}  {kind}{counts}",
        role,
        partial(_folder_options, store, account, folder),
    )


def _folder_options(store: Store, account: AccountRow, folder: FolderRow) -> list[Option]:
    on = not folder.selected
    words = f"{'Read' if on else 'Do not read'} {folder.name}"
    do = partial(_select, store, account.id, folder.name, on)
    return [Option(0, words, effects.folder(folder, on=on), do, words)]


def _select(store: Store, account_id: int, name: str, on: bool) -> Undo:
    mail_rules.select_folder(store, account_id, name, on=on)
    return partial(mail_rules.select_folder, store, account_id, name, on=not on)


def _domains(store: Store, account: AccountRow, domains: list[str]) -> list[Option]:
    db = store.read()

    def add(typed: str) -> Option:
        domain = mail_rules.as_domain(typed)
        effect = effects.internal_domain(db, account.id, domain, add=True)
        return _pair(
            f"{domain} is a domain of colleagues",
            effect,
            partial(mail_rules.add_internal, store, account.id, domain),
            partial(mail_rules.drop_internal, store, account.id, domain),
        )

    found = [Option(0, "Add a domain…", ask="A domain of colleagues: acme.com", answer=add)]
    found += [
        _pair(
            f"{domain} is no domain of colleagues",
            effects.internal_domain(db, account.id, domain, add=False),
            partial(mail_rules.drop_internal, store, account.id, domain),
            partial(mail_rules.add_internal, store, account.id, domain),
        )
        for domain in domains
    ]
    return _numbered(found)


def _aliases(store: Store, account: AccountRow, own: list[str]) -> list[Option]:
    db = store.read()

    def add(typed: str) -> Option:
        address = mail_rules.as_address(typed)
        return _pair(
            f"{address} is an address of mine",
            effects.alias(db, address, add=True),
            partial(mail_rules.add_alias, store, account.id, address),
            partial(mail_rules.drop_alias, store, account.id, address),
        )

    found = [Option(0, "Add an address…", ask="An address of yours: me@acme.com", answer=add)]
    found += [
        _pair(
            f"{address} is no address of mine",
            effects.alias(db, address, add=False),
            partial(mail_rules.drop_alias, store, account.id, address),
            partial(mail_rules.add_alias, store, account.id, address),
        )
        for address in own
        if address != account.email
    ]
    return _numbered(found)


def _since(store: Store, account: AccountRow) -> list[Option]:
    db = store.read()

    def choose(typed: str) -> Option:
        moment = mail_rules.as_day(typed)
        effect = effects.since(db, account.id, moment)
        return _set(store, account, f"Mail since: {_day(moment)}", effect, mail_since=moment)

    everything = effects.since(db, account.id, 0)
    return _numbered(
        [
            Option(0, "Mail since a day…", ask="Mail since: 2024-01-31", answer=choose),
            _set(store, account, "Mail since: the beginning", everything, mail_since=0),
        ]
    )


def _name(store: Store, account: AccountRow) -> list[Option]:
    def choose(typed: str) -> Option:
        name = one_line(typed)
        return _set(store, account, f"Name: {name or '(none)'}", "Only shown here.", name=name)

    return [Option(0, "Name the account…", ask="A name for the account", answer=choose)]


def _unblock(store: Store, pattern: str) -> Option:
    return _pair(
        f"{pattern} is not blocked",
        effects.unblock(store.read(), pattern),
        partial(mail_rules.unblock, store, pattern),
        partial(mail_rules.block, store, pattern),
    )


def _block(store: Store) -> list[Option]:
    ask = "Keep out an address, or a domain: @acme.com"
    return [Option(0, "Block…", ask=ask, answer=partial(blocking, store))]


def blocking(store: Store, typed: str) -> Option:
    """The choice to block an address or a domain."""
    pattern = mail_rules.as_pattern(typed)
    return _pair(
        f"{pattern} is blocked",
        effects.block(store.read(), pattern),
        partial(mail_rules.block, store, pattern),
        partial(mail_rules.unblock, store, pattern),
    )


def _remove(store: Store, account: AccountRow) -> list[Option]:
    effect = effects.removal(store.read(), account.id)
    words = f"Remove {account.email}. This cannot be undone"
    return [Option(0, words, effect, partial(remove, store, account), "")]


def remove(store: Store, account: AccountRow) -> None:
    """Remove an account and its password in the keyring."""
    from crmmail.accounts import credentials

    accounts.remove(store, account.email)
    credentials.forget(account.email, account.secret)


def _pair(words: str, effect: str, do: Callable[[], object], undo: Callable[[], object]) -> Option:
    def change() -> Undo:
        do()
        return undo

    return Option(0, words, effect, change, words)


def block(store: Store) -> list[Option]:
    """Asks for what is to be blocked."""
    return _block(store)


def answered(answer: Callable[[str], Option], typed: str) -> list[Option]:
    """The one choice that an answer makes."""
    return [answer(typed)]


def _day(moment: int) -> str:
    if not moment:
        return "the beginning"
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"


def state(db: sqlite3.Connection, account: AccountRow) -> accounts.StateRow | None:
    """How the account's sync stands."""
    return next((one for one in accounts.states(db) if one.account_id == account.id), None)
