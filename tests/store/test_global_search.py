"""The global search: operators, groups, snippets, on a small store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmmail.store import message_search, opportunities, people, search
from crmmail.store.kinds import Flag
from tests.bounded import bounded

from .conftest import DAY, NOON, Filler, World
from .test_search import HOSTILE


def threads(fill: Filler, text: str, partial: bool = False) -> list[int]:
    """The threads that a query finds; nothing is wrong with it."""
    found = search.search(fill.db, text, partial=partial, now=NOON + 4 * DAY)
    assert found.problems == ()
    return [hit.thread_id for hit in found.hits]


@pytest.fixture
def rich(fill: Filler, world: World) -> World:
    """The world, with an archived thread with a file of a second account."""
    other = fill.account("me@second.example", name="Second")
    archive = fill.folder(other, "INBOX/Archive", role="archive")
    fill.message(
        "carl@many.example",
        [fill.own],
        "The Blueprint [draft]",
        "see the drawing",
        NOON - 400 * DAY,
        folder=archive,
        flags=Flag.SEEN | Flag.FLAGGED,
        attachments=1,
    )
    (message_id,) = fill.db.execute("SELECT min(id) FROM message").fetchone()
    fill._insert(
        "attachment", message_id=message_id, position=0, name="plan_1.pdf", mime="x", size=1
    )
    return world


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("offer", "first"),
        ("Offer THANKS", "first"),
        ("offer thanks visit", ""),
        ("the first", "first"),
        ('"first offer"', "first"),
        ('"offer first"', ""),
        ("offer OR visit", "second first"),
        ("acme -visit", "first"),
        ("-offer", "third second old"),
        ("-offer -from:zoe", "second old"),
        ("subject:offer", "first"),
        ("subject:first", ""),
        ("gruße", "third"),
        ("from:anna", "first"),
        ("from:Berg", "first"),
        ("from:anna@acme.com", "first"),
        ("from:acme.com", "second first"),
        ("from:me", "first"),
        ("to:me", "third second first old"),
        ("to:anna", "second first"),
        ("with:anna", "second first"),
        ("with:ANNA -from:anna", "second first"),
        ("cc:anna", ""),
        ("from:zoe", "third"),
        ("from:nobody", ""),
        ("-from:nobody offer", "first"),
        ("person:anna", "second first"),
        ("person:bert visit", "second"),
        ("company:acme", "second first"),
        ("company:zoll.eu", "third"),
        ("-company:acme", "third old"),
        ("is:unread", "third"),
        ("is:read", "second first old"),
        ("is:starred", "old"),
        ("is:sent", "first"),
        ("has:attachment", "old"),
        ("filename:PDF", "old"),
        ("filename:plan_", "old"),
        ("filename:plan%", ""),
        ("in:archive", "old"),
        ("in:inbox", "third second first"),
        ("-in:inbox", "old"),
        ("account:second", "old"),
        ("account:me@home.example offer", "first"),
        ("after:2026-01-03", "third second"),
        ("before:2026-01-03", "first old"),
        ("-before:2026-01-03", "third second"),
        ("newer_than:2d", "third second"),
        ("newer_than:1d", "third"),
        ("older_than:1y", "old"),
        ("(offer OR visit) from:bert", "second"),
        ("lueprin", "old"),
        ("rüße", "third"),
        ("[draft]", "old"),
        ("", ""),
        ("before:2027-01-01 is:read offer", "first"),
    ],
)
def test_operators(
    fill: Filler, rich: World, local_zone: Callable[[str], None], text: str, names: str
) -> None:
    local_zone("UTC")  # a date is one of the local clock
    old = fill.thread_of(fill.db.execute("SELECT min(id) FROM message").fetchone()[0])
    wanted = [old if name == "old" else getattr(rich, name) for name in names.split()]
    assert threads(fill, text) == wanted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("off", "first"),
        ("offer th", "first"),
        ("of", ""),
        ("gruess", ""),
        ("grüs", ""),
        ("acme vis", "second"),
    ],
)
def test_while_it_is_typed(fill: Filler, world: World, text: str, names: str) -> None:
    assert threads(fill, text, partial=True) == [getattr(world, name) for name in names.split()]


@pytest.mark.parametrize("text", ["見積", "積", "お見積り", "送付いた", "見積 東京"])
def test_scripts_without_spaces(fill: Filler, world: World, text: str) -> None:
    both = "東京からお見積りを送付いたします"
    made = fill.message("hanako@many.example", [fill.own], f"{both}の件", both)
    assert threads(fill, text) == [fill.thread_of(made)]
    assert threads(fill, f"{text} -送付いたし") == [fill.thread_of(made)]
    assert threads(fill, f"{text} from:anna") == []


@pytest.mark.parametrize("most", [0, 1])
@pytest.mark.parametrize(
    "text", ["off", "Off", "pre", "subject:off", "hel -off", "off OR hel", "grö", "zzz", "an"]
)
def test_a_beginning_finds_what_the_words_find_that_begin_so(
    fill: Filler, rich: World, monkeypatch: pytest.MonkeyPatch, text: str, most: int
) -> None:
    word_by_word = search.search(fill.db, text)
    monkeypatch.setattr(message_search, "_ENDINGS", most)
    assert search.search(fill.db, text) == word_by_word


def test_the_newest_message_that_fits_is_shown(fill: Filler, world: World) -> None:
    (hit,) = search.search(fill.db, "offer").hits
    assert hit.sent_at == NOON + DAY  # "Re: Offer", whose text has no such word
    (hit,) = search.search(fill.db, "offer first").hits
    assert (hit.sent_at, hit.text) == (NOON, "the first offer")
    assert [hit.text[start:end] for start, end in hit.spans] == ["first", "offer"]


def test_a_snippet_is_where_the_words_are(fill: Filler) -> None:
    text = "word\n" * 500 + "the Größe\n\tof the *press* is [b]known[/b]. " + "word " * 500
    fill.message("x@y.example", text=text)
    (hit,) = search.search(fill.db, "grosse OR GRÖßE press").hits
    assert "the Größe of the *press* is [b]known[/b]." in hit.text
    assert hit.text.startswith("…")
    assert hit.text.endswith("…")
    assert [hit.text[start:end] for start, end in hit.spans] == ["Größe", "press"]


def test_records_by_their_names(fill: Filler, world: World) -> None:
    deal = opportunities.add(fill.store, "Annex", company_id=world.zoll, contact_id=world.anna)

    def groups(text: str) -> tuple[list[int], list[int], list[int]]:
        found = search.search(fill.db, text)
        return list(found.people), list(found.companies), list(found.opportunities)

    assert groups("ann") == ([world.anna], [], [deal])
    assert groups("acme") == ([world.anna, world.bert], [world.acme], [])
    assert groups("acme -anna") == ([world.bert], [world.acme], [])
    assert groups("zoe") == ([world.zoe], [], [])
    assert groups("armel") == ([world.zoe], [], [])
    assert groups("zoll.eu") == ([world.zoe], [world.zoll], [deal])
    assert groups("anna mail.example") == ([world.anna], [], [])
    assert groups("an") == ([world.anna], [], [deal])
    assert groups("nn") == ([], [], [])
    assert groups("person:anna") == ([world.anna], [], [deal])
    assert groups("company:acme bert") == ([world.bert], [], [])
    assert groups("opportunity:ann") == ([], [], [deal])
    assert groups("anna is:unread") == ([], [], [])
    people.delete(fill.store, world.anna)
    assert groups("anna") == ([], [], [deal])


def test_the_limit_is_each_group_s(fill: Filler, world: World) -> None:
    found = search.search(fill.db, "e", limit=1)
    assert len(found.hits) == 0
    found = search.search(fill.db, "acme OR zoll", limit=1)
    assert list(found.people) == [world.zoe]
    assert [hit.thread_id for hit in found.hits] == [world.third]


def test_long_threads_do_not_hide_others(fill: Filler) -> None:
    first = fill.message("a@b.example", subject="Offer", at=NOON - DAY)
    long = fill.message("a@b.example", subject="Offer")
    for number in range(40):
        fill.message("a@b.example", subject="Re: Offer", at=NOON + number, re=long)
    assert [hit.thread_id for hit in search.search(fill.db, "offer", limit=2).hits] == [
        fill.thread_of(long),
        fill.thread_of(first),
    ]


def test_wrong_pieces_are_named_and_the_rest_is_found(fill: Filler, world: World) -> None:
    found = search.search(fill.db, "offer before:soon in:nowhere account:nope")
    assert found.problems == (
        "before: wants a date such as 2026-03-31",
        "in: there is no folder nowhere",
        "account: there is no account nope",
    )
    assert [hit.thread_id for hit in found.hits] == [world.first]
    found = search.search(fill.db, "in:nowhere")
    assert found.problems
    assert not found


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_queries(fill: Filler, world: World, text: str) -> None:
    for query in (text, f"from:{text}", f"in:{text}", f"subject:{text}", f"filename:{text}"):
        assert search.search(fill.db, query).hits is not None
        assert search.search(fill.db, query, partial=False).hits is not None


PIECES = st.sampled_from(
    [*"\"'()-:*^{}+ ", *"OR NOT AND NEAR from: subject: with: person: in: is:unread 見 %_".split()]
)


@settings(max_examples=200)
@given(text=st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=12).map("".join))
def test_no_query_is_an_error(fill: Filler, text: str) -> None:
    assert not search.search(fill.db, text)


def test_a_pathological_query_ends(fill: Filler, world: World) -> None:
    with bounded():
        search.search(fill.db, " ".join(f"(a{n} OR -b{n} OR 見{n})" for n in range(13)))
