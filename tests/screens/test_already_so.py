"""What is so already is not undone (U5): that would take back what was done before."""

from __future__ import annotations

import pytest

from crmmail.screens.account_calendars import of_meetings
from crmmail.screens.account_rules import rules
from crmmail.screens.account_settings import settings
from crmmail.screens.options import Option
from crmmail.store import accounts, calendars, mail_rules
from crmmail.store.database import Store
from tests.screens.filler import ME, Filler


@pytest.fixture
def store(empty_store: Store) -> Store:
    """An account with an alias, an internal domain, a folder and a calendar that are read."""
    with empty_store.write("accounts") as (db, change):
        Filler(db, change).account(ME)
        db.execute("INSERT INTO folder (account_id, name) VALUES (1, 'Deals')")
        db.execute("INSERT INTO calendar (account_id, url, name) VALUES (1, '/team/', 'Work')")
    mail_rules.add_alias(empty_store, 1, "alias@home.example")
    mail_rules.add_internal(empty_store, 1, "acme.com")
    return empty_store


@pytest.mark.parametrize(
    ("title", "typed"),
    [("My addresses", "alias@home.example"), ("Domains of colleagues", "acme.com")],
)
def test_an_entry_that_is_there_is_not_added(store: Store, title: str, typed: str) -> None:
    (account,) = accounts.all_accounts(store.read())
    (setting,) = (one for one in rules(store, account) if one.title == title)
    assert setting.options is not None
    add = setting.options()[0].answer
    assert add is not None
    assert add(typed).do is None
    assert add("new.example" if title[0] == "D" else "new@home.example").do is not None


def test_what_another_process_has_done_already_stays(store: Store) -> None:
    """The row was drawn before the folder, or the calendar, was turned off elsewhere."""
    (account,) = accounts.all_accounts(store.read())
    held = calendars.rows(store.read(), 1)
    rows = [*settings(store, account), *of_meetings(store, account, held)]
    stale: list[Option] = []
    for title in ("Deals", "Work"):
        row = next(one for one in rows if one.title == title)
        assert row.options is not None
        stale += row.options()
    mail_rules.select_folder(store, 1, "Deals", on=False)
    calendars.select(store, held[0].id, on=False)
    for option in stale:
        assert option.words.startswith("Do not read")
        assert option.do is not None
        undo = option.do()
        assert undo is not None
        undo()
    query = "SELECT selected FROM folder UNION ALL SELECT selected FROM calendar"
    assert store.read().execute(query).fetchall() == [(0,), (0,)]
