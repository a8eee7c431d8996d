"""People: lists, one of them, and edits (rules.md C)."""

from __future__ import annotations

import pytest

from crmmail.errors import CrmmailError
from crmmail.store import companies, names, opportunities, people, threads
from crmmail.store.address_book import Before
from crmmail.store.database import Notice, Store
from crmmail.store.kinds import Kind

from .conftest import DAY, NOON, Filler, World


class TestLists:
    """Views and windows."""

    def test_newest_contact_first(self, fill: Filler, world: World) -> None:
        assert list(people.view(fill.db)) == [world.zoe, world.anna, world.bert]

    def test_ties_go_by_name_then_id(self, fill: Filler) -> None:
        second, first, third = (fill.person(name) for name in ("berta", "Anton", "Berta"))
        assert list(people.view(fill.db)) == [first, second, third]

    @pytest.mark.parametrize(
        ("sort", "descending", "order"),
        [
            ("last", False, "anna bert zoe"),
            ("name", None, "anna bert zoe"),
            ("name", True, "zoe bert anna"),
            ("company", None, "anna bert zoe"),
            ("company", True, "zoe anna bert"),
            ("threads", None, "anna bert zoe"),
            ("threads", False, "bert zoe anna"),
        ],
    )
    def test_sorts(
        self, fill: Filler, world: World, sort: str, descending: bool | None, order: str
    ) -> None:
        wanted = [getattr(world, name) for name in order.split()]
        assert list(people.view(fill.db, sort, descending)) == wanted

    def test_accents_and_case_sort_as_people_do(self, fill: Filler) -> None:
        order = [fill.person(name) for name in ("Ähre", "apfel", "Żak", "Zander")]
        ähre, apfel, żak, zander = order
        assert list(people.view(fill.db, "name")) == [ähre, apfel, żak, zander]

    def test_people_without_a_company_come_last_either_way(self, fill: Filler) -> None:
        without = fill.person("Aaron")
        at_acme = fill.person("Zed", company=fill.company("Acme"))
        for descending in (False, True):
            assert list(people.view(fill.db, "company", descending)) == [at_acme, without]

    @pytest.mark.parametrize(
        ("match", "found"),
        [
            ("ANNA", "anna"),
            ("mail.example", "anna"),
            ("acme", "anna bert"),
            ("acme bert", "bert"),
            ("zoë", "zoe"),
            ("ZOË", "zoe"),
            ("zoll.eu", "zoe"),
            ("%", ""),
            ("_", ""),
            ("\\", ""),
            ("' OR 1=1 --", ""),
            ("   ", "zoe anna bert"),
        ],
    )
    def test_match(self, fill: Filler, world: World, match: str, found: str) -> None:
        wanted = {getattr(world, name) for name in found.split()}
        assert set(people.view(fill.db, match=match)) == wanted

    def test_a_filter_finds_parts_of_words_with_the_index_and_without(
        self, fill: Filler, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ("nna", "erg", "NNA er", "il.exam", "cme", "na", "oë", "ail.example anna")
        found = [list(people.view(fill.db, match=word)) for word in words]
        monkeypatch.setattr(names, "_MOST", 0)  # no word is of any help then
        assert [list(people.view(fill.db, match=word)) for word in words] == found
        assert [world.anna] in found

    def test_a_limit_takes_the_first(self, fill: Filler, world: World) -> None:
        assert list(people.view(fill.db, limit=2)) == [world.zoe, world.anna]
        assert list(people.view(fill.db, "name", limit=1)) == [world.anna]

    def test_the_first_of_many_that_match_are_those_of_all(self, fill: Filler) -> None:
        for number in range(40):
            fill.person(f"Person {number * 7 % 40:02}", f"p{number}@many.example")
        fill.person("Nobody else", "else@few.example")
        names.refresh(fill.db)
        for sort in ("last", "name"):
            found = people.view(fill.db, sort, match="person")
            assert len(found) == 40
            assert people.view(fill.db, sort, match="person", limit=3) == found[:3]

    def test_an_unknown_sort_lists_the_known(self, fill: Filler) -> None:
        with pytest.raises(CrmmailError) as caught:
            people.view(fill.db, "height")
        assert "last, name, company, threads" in caught.value.hint

    def test_rows(self, fill: Filler, world: World) -> None:
        (zoe, anna) = people.rows(fill.db, [world.zoe, 999, world.anna])
        assert anna == people.PersonRow(
            world.anna, "Anna Berg", "anna@acme.com", world.acme, "Acme", 2, NOON, NOON + 2 * DAY, 0
        )
        assert (zoe.name, zoe.company, zoe.threads) == ("Zoë Ärmel", "Zoll", 1)

    def test_a_list_walks_the_index(self, fill: Filler) -> None:
        plan = fill.db.execute(
            "EXPLAIN QUERY PLAN SELECT r.id FROM person r WHERE r.deleted_at = 0 "
            "ORDER BY r.last_at DESC, r.name COLLATE NOCASE, r.id LIMIT 64"
        ).fetchall()
        assert "USING INDEX ix_person_newest" in plan[0][3]
        assert len(plan) == 1, "it sorts"

    def test_get(self, fill: Filler, world: World) -> None:
        anna = people.get(fill.db, world.anna)
        assert anna
        assert anna.addresses == ("anna@acme.com", "anna@mail.example")
        assert (anna.name, anna.company, anna.deleted_at) == ("Anna Berg", "Acme", 0)
        assert people.get(fill.db, 999) is None


class TestEdits:
    """Making, changing, deleting people."""

    def test_a_new_person_has_their_old_mail_at_once(self, fill: Filler, world: World) -> None:
        """C6."""
        message = fill.message("carl@other.example", [fill.own], "Old")
        carl = people.create(fill.store, "Carl", [" Carl@Other.example "])
        assert list(threads.of_record(fill.db, Kind.PERSON, carl)) == [fill.thread_of(message)]
        (row,) = people.rows(fill.db, [carl])
        assert (row.address, row.threads, row.last_at) == ("carl@other.example", 1, NOON)
        detail = people.get(fill.db, carl)
        assert detail
        assert (detail.source, detail.name_by_hand) == ("hand", True)

    def test_a_new_person_gets_the_company_of_their_domain(
        self, fill: Filler, world: World
    ) -> None:
        """C5."""
        dora = people.create(fill.store, "Dora", ["dora@eu.acme.com"])
        assert people.rows(fill.db, [dora])[0].company_id == world.acme

    def test_without_a_name_mail_names_them(self, fill: Filler) -> None:
        """C4."""
        fill.address("eve@x.example", name="Eve Stone")
        eve, adam = (people.create(fill.store, "", [f"{n}@x.example"]) for n in ("eve", "adam"))
        assert [row.name for row in people.rows(fill.db, [eve, adam])] == [
            "Eve Stone",
            "adam@x.example",
        ]
        detail = people.get(fill.db, eve)
        assert detail
        assert not detail.name_by_hand

    @pytest.mark.parametrize(
        ("name", "addresses", "fields", "says"),
        [
            ("", [], {}, "a name or an address"),
            ("Carl", ["carl at x"], {}, "not an e-mail address"),
            ("Carl", ["anna@acme.com"], {}, "anna@acme.com belongs to Anna Berg"),
            ("Carl", ["me@home.example"], {}, "your own address"),
            ("Carl", [], {"height": "2 m"}, "no field 'height'"),
            ("Carl", [], {"company_id": 999}, "no company with the number 999"),
        ],
    )
    def test_what_is_refused(
        self, fill: Filler, world: World, name: str, addresses: list[str], fields: dict, says: str
    ) -> None:
        before = fill.content("person", "address")
        with pytest.raises(CrmmailError, match=says) as caught:
            people.create(fill.store, name, addresses, **fields)
        assert caught.value.hint
        assert fill.content("person", "address") == before

    def test_edit_returns_what_undoes_it(self, fill: Filler, world: World) -> None:
        before = people.get(fill.db, world.anna)
        undo = people.edit(fill.store, world.anna, name="Anna\x1b Berg-Ross", job="CEO")
        changed = people.get(fill.db, world.anna)
        assert changed
        assert (changed.name, changed.job, changed.name_by_hand) == ("Anna Berg-Ross", "CEO", True)
        people.edit(fill.store, world.anna, **undo)
        assert people.get(fill.db, world.anna) == before

    def test_an_edit_says_which_record_changed(self, fill: Filler, world: World) -> None:
        notices: list[Notice] = []
        fill.store.subscribe(notices.append)
        people.edit(fill.store, world.anna, phone="1")
        (notice,) = notices
        assert "people" in notice.topics
        assert (Kind.PERSON, world.anna) in notice.records

    def test_an_empty_name_is_refused(self, fill: Filler, world: World) -> None:
        with pytest.raises(CrmmailError, match="name is missing"):
            people.edit(fill.store, world.anna, name=" \t")

    def test_an_address_brings_and_takes_its_mail(self, fill: Filler, world: World) -> None:
        """C6."""
        message = fill.message("bb@other.example", [fill.own])
        before = fill.content("person", "address", "thread_link")
        reason = people.add_address(fill.store, world.bert, "BB@other.example")
        assert fill.thread_of(message) in threads.of_record(fill.db, Kind.PERSON, world.bert)
        assert people.addresses(fill.db, world.bert) == ("bert@acme.com", "bb@other.example")
        people.remove_address(fill.store, world.bert, "bb@other.example", reason)
        assert fill.content("person", "address", "thread_link") == before

    def test_an_address_belongs_to_one_person(self, fill: Filler, world: World) -> None:
        """C1."""
        with pytest.raises(CrmmailError, match="belongs to Anna Berg"):
            people.add_address(fill.store, world.bert, "anna@mail.example")
        with pytest.raises(CrmmailError, match="not an address of this person"):
            people.remove_address(fill.store, world.bert, "anna@mail.example")

    def test_the_next_address_becomes_primary(self, fill: Filler, world: World) -> None:
        people.remove_address(fill.store, world.anna, "anna@acme.com")
        assert people.rows(fill.db, [world.anna])[0].address == "anna@mail.example"

    def test_set_primary(self, fill: Filler, world: World) -> None:
        before = people.set_primary(fill.store, world.anna, "anna@mail.example")
        assert before == "anna@acme.com"
        assert people.addresses(fill.db, world.anna) == ("anna@mail.example", "anna@acme.com")

    def test_a_company_has_its_people_s_mail(self, fill: Filler, world: World) -> None:
        """C6, C7."""
        before = fill.content("company", "person", "thread_link")
        old = people.set_company(fill.store, world.zoe, world.acme)
        assert old == world.zoll
        assert world.third in threads.of_record(fill.db, Kind.COMPANY, world.acme)
        assert world.third in threads.of_record(fill.db, Kind.COMPANY, world.zoll)  # its domain
        people.set_company(fill.store, world.zoe, old)
        assert fill.content("company", "person", "thread_link") == before

    def test_a_deleted_person_leaves_every_list(self, fill: Filler, world: World) -> None:
        """C5."""
        deal = opportunities.add(fill.store, "Deal", contact_id=world.zoe)
        people.delete(fill.store, world.zoe)
        assert world.zoe not in people.view(fill.db)
        assert people.get(fill.db, world.zoe) is None
        assert not threads.of_record(fill.db, Kind.PERSON, world.zoe)
        assert not threads.of_record(fill.db, Kind.OPPORTUNITY, deal)
        assert opportunities.rows(fill.db, [deal])[0].contact == ""
        sql = "SELECT person_id, no_contact FROM address WHERE address = 'zoe@zoll.de'"
        assert fill.db.execute(sql).fetchone() == (world.zoe, "deleted")
        row = companies.get(fill.db, world.zoll)
        assert row
        assert row.people == ()

    def test_restore_brings_everything_back(self, fill: Filler, world: World) -> None:
        threads.link(fill.store, Kind.PERSON, world.anna, world.third)
        before = fill.content("person", "address", "company", "thread_link")
        people.restore(fill.store, people.delete(fill.store, world.anna))
        assert fill.content("person", "address", "company", "thread_link") == before

    def test_only_what_is_there_is_deleted(self, fill: Filler, world: World) -> None:
        people.delete(fill.store, world.anna)
        with pytest.raises(
            CrmmailError, match="Anna Berg is not there any more: deleted or merged"
        ):
            people.delete(fill.store, world.anna)
        with pytest.raises(CrmmailError, match="is not deleted"):
            people.restore(fill.store, world.bert)
        with pytest.raises(
            CrmmailError, match="Anna Berg is not there any more: deleted or merged"
        ):
            people.edit(fill.store, world.anna, job="x")

    def test_a_deleted_person_gives_up_an_address(self, fill: Filler, world: World) -> None:
        people.delete(fill.store, world.zoe)
        before = people.add_address(fill.store, world.bert, "zoe@zoll.de")
        assert before == Before("deleted", world.zoe, is_primary=True)
        assert world.third in threads.of_record(fill.db, Kind.PERSON, world.bert)


def test_reads_work_on_an_empty_store(store: Store) -> None:
    assert list(people.view(store.read())) == []
    assert people.rows(store.read(), []) == []
