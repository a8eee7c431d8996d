"""The dump: what a store says, in whatever order it came there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crmmail.store import companies, notes, opportunities, people, threads
from crmmail.store.database import Store
from crmmail.store.dump import dump
from crmmail.store.kinds import Kind

from .conftest import DAY, NOON, Filler, World


def lines(fill: Filler, what: str = "") -> list[dict[str, Any]]:
    """The lines of the dump that are about one thing."""
    found = [json.loads(line) for line in dump(fill.db)]
    return [line for line in found if not what or line["what"] == what]


def test_what_a_dump_says(fill: Filler, world: World) -> None:
    notes.add(fill.store, Kind.PERSON, world.anna, "likes tea")
    threads.link(fill.store, Kind.PERSON, world.zoe, world.first)
    opportunities.add(fill.store, "Deal", world.acme, contact_id=world.zoe, stage="won")
    fill.skip(world.inbox, "group", "List-Id", subject="News", sender="n@x.example")

    (account,) = lines(fill, "account")
    assert (account["email"], account["own"], account["internal"]) == (
        "me@home.example",
        ["me@home.example"],
        ["home.example"],
    )
    assert "secret" not in account
    (folder,) = lines(fill, "folder")
    assert (folder["account"], folder["name"], folder["messages"]) == (
        "me@home.example",
        "INBOX",
        5,
    )
    message = next(line for line in lines(fill, "message") if line["subject"] == "Offer")
    assert message["participants"] == [["from", "", "anna@acme.com"], ["to", "", "me@home.example"]]
    assert message["text"] == "the first offer"
    assert message["placements"] == [["me@home.example", "INBOX"]]
    thread = next(line for line in lines(fill, "thread") if line["subject"] == "Offer")
    assert len(thread["messages"]) == 2
    anna, _, zoe = lines(fill, "person")
    assert anna["known_by"] == ["anna@acme.com", "anna@mail.example"]
    assert anna["company"] == ["Acme", "acme.com"]
    assert anna["notes"] == ["likes tea"]
    assert [thread["messages"][0], "participant"] in anna["threads"]
    assert len(zoe["threads"]) == 2
    (deal,) = lines(fill, "opportunity")
    assert (deal["company"], deal["contact"][0]) == (["Acme", "acme.com"], "Zoë Ärmel")
    (linked,) = lines(fill, "linked")
    assert linked["record"] == ["person", "Zoë Ärmel", "zoe@zoll.de"]
    (skipped,) = lines(fill, "skipped")
    assert (skipped["folder"], skipped["reason"], skipped["detail"]) == (
        "INBOX",
        "group",
        "List-Id",
    )
    assert lines(fill, "address")[0] == {
        "what": "address",
        "address": "anna@acme.com",
        "name": "",
        "written": 0,
        "no_contact": "",
    }


def build(path: Path, backwards: bool) -> Filler:
    """The same content with other ids, other UIDs, at another time."""
    fill = Filler(Store(path), _uid=1000 * backwards)
    turn = -1 if backwards else 1
    if backwards:
        fill.account("a-first@y.example")
        with fill.store.write() as (db, _):
            db.execute("DELETE FROM account")
    account = fill.account()
    names = [("INBOX", "inbox"), ("Sent", "sent")][::turn]
    folders = {name: fill.folder(account, name, role=role) for name, role in names}
    firms = [("Acme", "acme.com"), ("Zoll", "zoll.de"), ("Zoll", "zoll.eu")][::turn]
    ids = {domain: fill.company(name, domain) for name, domain in firms}
    for local, domain in [("anna", "acme.com"), ("bert", "acme.com"), ("zoe", "zoll.de")][::turn]:
        fill.person(local.title(), f"{local}@{domain}", company=ids[domain])
    for name in ["Twin", "Twin", "Twin"]:
        fill.person(name)
    sent: list[tuple[str, list[str], int, str]] = [
        ("anna@acme.com", [fill.own], 0, "INBOX"),
        (fill.own, ["anna@acme.com", "zoe@zoll.de"], 1, "Sent"),
        ("zoe@zoll.de", [fill.own], 2, "INBOX"),
    ]
    for sender, to, day, folder in sent[::turn]:
        made = fill.message(
            sender, to, f"Day {day}", "text", NOON + day * DAY, folder=folders[folder]
        )
        with fill.store.write() as (db, _):
            db.execute("UPDATE message SET message_id = ? WHERE id = ?", [f"m{day}@x", made])
        fill.place(made, folders["Sent"])
    for reason in ["group", "draft"][::turn]:
        fill.skip(folders["INBOX"], reason, subject=reason)
    return fill


def test_two_stores_that_say_the_same_print_the_same(tmp_path: Path) -> None:
    one, other = build(tmp_path / "one.db", False), build(tmp_path / "other.db", True)
    for fill in (one, other):
        (anna,) = people.view(fill.db, match="anna")
        (twin, *_) = people.view(fill.db, match="twin")
        (zoll,) = companies.view(fill.db, match="zoll.de")
        notes.add(fill.store, Kind.PERSON, twin, "the noted one")
        threads.hide(fill.store, Kind.PERSON, anna, threads.newest(fill.db)[1])
        people.delete(fill.store, people.create(fill.store, "Gone", ["gone@x.example"]))
        companies.edit(fill.store, zoll, links="https://zoll.example")
    assert one.content("message") != other.content("message")
    first, second = list(dump(one.db)), list(dump(other.db))
    for fill in (one, other):
        fill.store.close()
    assert first == second
    assert len(first) > 25


def test_a_difference_shows(fill: Filler, world: World) -> None:
    before = list(dump(fill.db))
    people.set_primary(fill.store, world.anna, "anna@mail.example")
    after = list(dump(fill.db))
    assert len(set(before) ^ set(after)) == 2


def test_a_dump_is_of_one_snapshot(fill: Filler, world: World) -> None:
    running = dump(fill.db)
    first = next(running)
    notes.add(fill.store, Kind.PERSON, world.anna, "too late")
    rest = list(running)
    assert json.loads(first)["what"] == "account"
    assert not any("too late" in line for line in rest)
    assert any("too late" in line for line in dump(fill.db))


@pytest.mark.parametrize("stop", [0, 3])
def test_a_dump_that_is_left_frees_the_reader(fill: Filler, world: World, stop: int) -> None:
    running = dump(fill.db)
    for _ in range(stop):
        next(running)
    running.close()
    assert not fill.db.in_transaction
