"""The daily backup of what was made by hand, and putting it back."""

from __future__ import annotations

import gzip
import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from crmmail.store import (
    accounts,
    companies,
    daily,
    files,
    forgetting,
    handmade,
    mail_rules,
    meetings,
    notes,
    opportunities,
    people,
    threads,
)
from crmmail.store.database import Store
from crmmail.store.dump import dump
from crmmail.store.kinds import Kind
from crmmail.store.put_back import put_back
from crmmail.store.trouble import StoreError

from .conftest import DAY, NOON, Filler, World


def deals(store: Store) -> list[dict[str, object]]:
    """What a store says of opportunities, but for the mail that they have."""
    lines = [json.loads(line) for line in dump(store.read())]
    mail = ("threads", "meetings", "first_at", "last_at")
    return [
        {name: value for name, value in line.items() if name not in mail}
        for line in lines
        if line["what"] == "opportunity"
    ]


def document(store: Store) -> handmade.Document:
    """What was made by hand, but for the numbers and the moment, which no two stores share."""
    return handmade.collect(store.read(), 0)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """Another store, with nothing in it."""
    (tmp_path / "other").mkdir()
    store = Store(tmp_path / "other" / "crmmail.db")
    yield store
    store.close()


@pytest.fixture
def worked(store: Store, world: World, fill: Filler) -> World:
    """The world after somebody has worked in it."""
    people.edit(store, world.anna, name="Anna B.", job="CEO", phone="1")
    people.add_address(store, world.anna, "anna@home.example")
    companies.edit(store, world.acme, name="Acme Inc.")
    companies.add_domain(store, world.acme, "acme.eu")
    deal = opportunities.add(store, "The press", world.acme, world.anna, stage="won", amount=700)
    notes.add(store, Kind.PERSON, world.anna, "Likes tea.")
    notes.add(store, Kind.OPPORTUNITY, deal, "Signed.")
    people.delete(store, world.bert)
    friend = people.create(store, "Zoé", ["zoe@zoll.eu"])
    people.merge(store, world.zoe, friend)
    companies.create(store, "By hand", ["byhand.example"])
    people.create(store, "No address")
    threads.link(store, Kind.OPPORTUNITY, deal, world.third)
    threads.hide(store, Kind.PERSON, world.anna, world.second)
    mail_rules.block(store, "@spam.example")
    return world


class TestDocument:
    """What is in it."""

    def test_it_has_no_subject_and_no_text_of_mail(self, store: Store, worked: World) -> None:
        text = json.dumps(document(store), ensure_ascii=False)
        assert "Likes tea." in text
        for one in ("Offer", "the first offer", "Visit", "see you", "Grüße", "schöne"):
            assert one not in text

    def test_mail_alone_leaves_nothing_in_it_but_the_accounts(
        self, store: Store, world: World
    ) -> None:
        with store.write() as (db, _):  # as the sync makes them
            db.execute("UPDATE person SET source = 'mail', name_by_hand = 0")
            db.execute("UPDATE company SET source = 'mail', name_by_hand = 0")
        found = document(store)
        assert [row["email"] for row in found["accounts"]] == ["me@home.example"]
        assert (found["people"], found["companies"], found["notes"]) == ([], [], [])

    def test_it_says_where_a_password_is_kept_and_not_what_it_is(self, store: Store) -> None:
        accounts.add(store, "me@x.example", host="imap.x.example", secret="keyring:")
        (row,) = document(store)["accounts"]
        assert row["secret"] == "keyring:"


class TestFile:
    """The file that is made each day."""

    def test_there_is_one_a_day_for_its_owner_only(self, store: Store, worked: World) -> None:
        with time_machine.travel(datetime(2026, 3, 14, 12, tzinfo=UTC), tick=False) as clock:
            made = daily.daily(store)
            assert daily.daily(store) is None
            clock.shift(timedelta(days=1))
            other = daily.daily(store)
        assert made is not None
        assert other is not None
        assert [made.name, other.name] == [
            "daily-2026-03-14.json.gz",
            "daily-2026-03-15.json.gz",
        ]
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
        assert made.stat().st_size < 5_000
        assert daily.read(made)["notes"] == document(store)["notes"]

    def test_a_store_with_nothing_in_it_has_none(self, store: Store) -> None:
        assert daily.daily(store) is None
        assert files.copies_of(store.path) == []

    def test_they_are_kept_for_a_month(self, store: Store, worked: World) -> None:
        with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False) as clock:
            for _ in range(40):
                daily.daily(store)
                clock.shift(timedelta(days=1))
        names = sorted(one.name for one in files.copies_of(store.path))
        assert (len(names), names[0]) == (32, "daily-2026-03-09.json.gz")

    def test_the_newest_are_kept_however_old_they_are(self, store: Store, worked: World) -> None:
        with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False) as clock:
            for _ in range(3):
                daily.daily(store)
                clock.shift(timedelta(days=1))
            clock.shift(timedelta(days=200))
            daily.daily(store)
        assert len(files.copies_of(store.path)) == 4

    @pytest.mark.parametrize("kind", ["missing", "cut", "turned", "text", "other", "newer"])
    def test_a_file_that_is_no_backup_is_refused(
        self, store: Store, worked: World, kind: str
    ) -> None:
        path = daily.daily(store)
        assert path is not None
        whole = path.read_bytes()
        if kind == "missing":
            path.unlink()
        elif kind == "cut":
            path.write_bytes(whole[:-30])
        elif kind == "turned":
            path.write_bytes(whole[:200] + b"\xff\x00\xff" + whole[203:])
        elif kind == "text":
            path.write_text("hello")
        elif kind == "other":
            daily.write({"a": 1}, path)
        else:
            daily.write(document(store) | {"version": 99}, path)
        with pytest.raises(StoreError) as caught:
            daily.read(path)
        assert caught.value.hint


class TestPutBack:
    """A document goes into a store."""

    def test_a_fresh_store_gets_all_of_it(self, store: Store, other: Store, worked: World) -> None:
        counts = put_back(other, document(store))
        assert deals(other) == deals(store)
        assert deals(other)[0]["notes"] == ["Signed."]
        assert counts["notes"] == 2
        assert counts["opportunities"] == 1
        found = {row.name: row for row in people.rows(other.read(), people.view(other.read()))}
        assert found["Anna B."].company == "Acme Inc."
        anna = people.get(other.read(), found["Anna B."].id)
        assert anna is not None
        assert (anna.job, anna.name_by_hand) == ("CEO", True)
        assert set(anna.addresses) == {"anna@acme.com", "anna@mail.example", "anna@home.example"}
        assert anna.addresses[0] == "anna@acme.com"
        assert "Bert Crane" not in found
        assert accounts.get(other.read(), "me@home.example") is not None
        assert mail_rules.blocked(other.read()) == ["@spam.example"]

    def test_done_twice_it_changes_nothing_more(
        self, store: Store, other: Store, worked: World
    ) -> None:
        put_back(other, document(store))
        before = list(dump(other.read()))
        counts = put_back(other, document(store))
        assert set(counts.values()) == {0}
        assert list(dump(other.read())) == before

    def test_the_store_that_it_came_from_is_not_changed(self, store: Store, worked: World) -> None:
        before = list(dump(store.read()))
        found = document(store) | {"made_at": NOON * 2}
        assert set(put_back(store, found).values()) == {0}
        assert list(dump(store.read())) == before

    def test_what_is_missing_comes_back_and_what_is_newer_stays(
        self, store: Store, worked: World
    ) -> None:
        with time_machine.travel(NOON + 400 * DAY, tick=False) as clock:
            found = handmade.collect(store.read(), NOON + 400 * DAY)
            clock.shift(DAY)
            (tea,) = notes.of_record(store.read(), Kind.PERSON, worked.anna)
            notes.delete(store, tea.id)
            people.edit(store, worked.anna, job="Chair")
            put_back(store, found)
        assert [one.text for one in notes.of_record(store.read(), Kind.PERSON, worked.anna)] == [
            "Likes tea."
        ]
        anna = people.get(store.read(), worked.anna)
        assert anna is not None
        assert anna.job == "Chair"

    def test_an_opportunity_that_was_renamed_since_is_the_same_one(
        self, store: Store, worked: World
    ) -> None:
        with time_machine.travel(NOON + 400 * DAY, tick=False) as clock:
            found = handmade.collect(store.read(), NOON + 400 * DAY)
            (deal,) = opportunities.view(store.read())
            clock.shift(DAY)
            opportunities.edit(store, deal, name="The other press")
            put_back(store, found)
            later = handmade.collect(store.read(), NOON + 402 * DAY)
            opportunities.edit(store, deal, name="The press")
            put_back(store, later)
        names = [row.name for row in opportunities.rows(store.read(), [deal])]
        assert list(opportunities.view(store.read())) == [deal]
        assert names == ["The other press"]

    def test_links_and_hides_hold_when_the_mail_comes_later(
        self, store: Store, other: Store, worked: World
    ) -> None:
        put_back(other, document(store))
        fill = Filler(other)
        me = fill.own
        fill.message("anna@acme.com", [me], "Offer")
        db = store.read()
        mids = [
            mid
            for (mid,) in db.execute(
                "SELECT message_id FROM message WHERE thread_id IN (?, ?) ORDER BY id",
                [worked.second, worked.third],
            )
        ]
        visit = fill.message("bert@acme.com", [me, "anna@acme.com"], "Visit", message_id=mids[0])
        press = fill.message("zoe@zoll.de", [me], "Press", message_id=mids[1])
        rows = other.read().execute(
            "SELECT kind, thread_id, hand FROM thread_link WHERE hand != 0 ORDER BY hand"
        )
        assert rows.fetchall() == [
            (int(Kind.PERSON), fill.thread_of(visit), -1),
            (int(Kind.OPPORTUNITY), fill.thread_of(press), 1),
        ]

    def test_a_contact_that_mail_made_anew_becomes_the_one_of_the_backup(
        self, store: Store, other: Store, worked: World
    ) -> None:
        """After a rebuild the sync may have been first: two automatic people are one again."""
        fill = Filler(other)
        fill.account()
        for address in ("anna@acme.com", "anna@home.example", "bert@acme.com"):
            fill.person(address, address)
            with other.write() as (db, _):
                db.execute("UPDATE person SET source = 'mail', name_by_hand = 0")
        put_back(other, document(store))
        names = [row.name for row in people.rows(other.read(), people.view(other.read()))]
        assert sorted(names) == ["Anna B.", "No address", "Zoë Ärmel"]

    def test_somebody_who_was_forgotten_does_not_come_back(
        self, store: Store, other: Store, worked: World
    ) -> None:
        """Another store forgets with another salt."""
        found = document(store)
        Filler(other).person("Anna", "anna@acme.com")
        forgetting.forget(other, "anna@acme.com")
        put_back(other, found | {"forgotten": [forgetting.digest("x@y.example")]})
        text = "".join(dump(other.read()))
        assert "Anna B." not in text
        assert "anna@" not in text
        assert "Likes tea." not in text
        assert "The press" in text


def test_meetings_linked_by_hand_are_in_it(
    store: Store, other: Store, world: World, fill: Filler
) -> None:
    (occurrence,) = fill.meeting("Call", (NOON, NOON + 60), people=["zoe@zoll.de"], uid="u@x")
    (meeting,) = (
        store.read()
        .execute("SELECT meeting_id FROM occurrence WHERE id = ?", [occurrence])
        .fetchone()
    )
    meetings.link(store, Kind.COMPANY, world.acme, meeting)
    put_back(other, document(store))
    Filler(other).meeting("Call", (NOON, NOON + 60), uid="u@x")
    put_back(other, document(store))
    rows = other.read().execute("SELECT kind, hand FROM meeting_link").fetchall()
    assert rows == [(int(Kind.COMPANY), 1)]


@pytest.mark.parametrize("make", [daily.daily, daily.save])
def test_who_is_forgotten_while_a_backup_is_made_is_not_in_it(
    store: Store,
    worked: World,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Store], Path | None],
) -> None:
    """The picture of the store is older than `forget`, and the file newer."""
    write = daily.write

    def late(document: handmade.Document, path: Path) -> Path:
        monkeypatch.setattr(daily, "write", write)
        forgetting.forget(store, "anna@home.example")
        return write(document, path)

    monkeypatch.setattr(daily, "write", late)
    path = make(store)
    assert path is not None
    kept = json.dumps(daily.read(path))
    assert "anna" not in kept
    assert "Likes tea." not in kept
    assert "Signed." in kept


def test_who_is_being_forgotten_is_not_in_a_backup(
    store: Store, worked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their digests are written down first, and the person goes last."""

    def backed_up(*_: object) -> None:
        assert daily.daily(store, renew=True) is not None
        raise KeyboardInterrupt

    monkeypatch.setattr(forgetting, "_forget_meetings", backed_up)
    with pytest.raises(KeyboardInterrupt):
        forgetting.forget(store, "anna@home.example")
    assert people.get(store.read(), worked.anna) is not None
    path = daily.newest(store.path)
    assert path is not None
    assert "Likes tea." not in json.dumps(daily.read(path))


@pytest.mark.parametrize(
    "left", [{}, {"version": "2"}, {"version": 1}, {"version": 2, "people": [], "notes": []}]
)
def test_a_document_without_some_of_its_parts_is_damaged(
    tmp_path: Path, left: dict[str, object]
) -> None:
    path = tmp_path / "daily-2026-03-14.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"format": handmade.FORMAT} | left).encode()))
    with pytest.raises(daily.DamagedBackupError) as caught:
        daily.read(path)
    assert str(caught.value) == f"{path} is damaged: parts of it are missing."
    assert "crmmail backup --list" in caught.value.hint
