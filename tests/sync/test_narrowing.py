"""How the one message that makes a FETCH fail is found, and when it is believed (M8, S10)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest

from crmmail.sync.narrowing import CONNECTIONS, Narrowing, Place, Reply
from crmmail.sync.problems import BadAnswer, Cut, Fault, Problem


@dataclass
class Server:
    """Sends "text N" for message N, but for those that it refuses, leaves out or cuts at."""

    refused: set[int] = field(default_factory=set)
    left_out: set[int] = field(default_factory=set)
    cut_at: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    sends_what_it_can: bool = False  # before it fails
    asked: list[list[int]] = field(default_factory=list)
    connections: int = 1

    def ask(self, uids: Sequence[int]) -> Reply[str]:
        self.asked.append(list(uids))
        bad = self.refused | self.cut_at
        sent = {}
        for uid in uids:
            if uid in bad:
                break
            if uid not in self.left_out | self.deleted:
                sent[uid] = f"text {uid}"
        if self.cut_at.intersection(uids):
            return Reply(sent if self.sends_what_it_can else {}, cut=Cut("cut"))
        if self.refused.intersection(uids):
            return Reply(sent if self.sends_what_it_can else {}, problem=BadAnswer("refused"))
        return Reply(sent)

    def ask_elsewhere(self, place: Place) -> Reply[str]:
        self.asked.append([place.uid])
        if place.uid in self.cut_at:
            return Reply({}, cut=Cut("cut"))
        return Reply({} if place.uid in self.refused else {place.uid: "text of another folder"})

    def there(self, uids: Sequence[int]) -> set[int]:
        return set(uids) - self.deleted

    def reopen(self) -> None:
        self.connections += 1


@dataclass
class Notes:
    """A memory in memory."""

    good: list[int] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    noted: list[set[int]] = field(default_factory=list)
    others: list[Place] = field(default_factory=list)

    def controls(self) -> list[int]:
        return self.good

    def elsewhere(self) -> list[Place]:
        return self.others

    def has_few(self) -> bool:
        return False

    def suspects(self) -> set[int]:
        return self.known

    def suspect(self, uids: Collection[int]) -> None:
        self.noted.append(set(uids))


def bad(found: dict[int, str | Problem]) -> dict[int, str]:
    return {uid: str(one) for uid, one in found.items() if isinstance(one, Problem)}


HUNDRED = list(range(1, 101))


@pytest.mark.parametrize("how", ["refused", "left_out", "cut_at"])
@pytest.mark.parametrize("uid", [1, 50, 100])
@pytest.mark.parametrize("sends_what_it_can", [False, True])
def test_one_message_is_found_and_the_others_are_there(
    how: str, uid: int, sends_what_it_can: bool
) -> None:
    server = Server(**{how: {uid}}, sends_what_it_can=sends_what_it_can)  # type: ignore[arg-type]
    found = Narrowing(server, Notes()).run(HUNDRED)
    assert list(bad(found)) == [uid]
    assert not isinstance(found[uid], Fault)
    assert {k: v for k, v in found.items() if k != uid} == {
        k: f"text {k}" for k in HUNDRED if k != uid
    }
    assert len(server.asked) <= 18
    assert server.connections <= 10


def test_some_bad_ones_among_many_are_found() -> None:
    server = Server(refused={3, 4, 77}, cut_at={20, 99}, left_out={50})
    found = Narrowing(server, Notes()).run(HUNDRED)
    assert sorted(bad(found)) == [3, 4, 20, 50, 77, 99]
    assert len(found) == 100


@pytest.mark.parametrize("how", ["refused", "left_out", "cut_at"])
def test_a_server_that_fails_for_everything_is_the_one_at_fault(how: str) -> None:
    server = Server(**{how: set(HUNDRED)})  # type: ignore[arg-type]
    found = Narrowing(server, Notes()).run(HUNDRED)
    assert all(isinstance(one, Fault) for one in found.values())
    assert sorted(found) == HUNDRED
    assert len(server.asked) <= 14


def test_a_single_message_is_believed_bad_only_beside_one_that_was_sent_before() -> None:
    server = Server(refused={7})
    assert isinstance(Narrowing(server, Notes()).run([7])[7], Fault)
    assert bad(Narrowing(server, Notes(good=[3])).run([7])) == {7: "refused"}
    down = Server(refused={3, 7})
    assert isinstance(Narrowing(down, Notes(good=[3])).run([7])[7], Fault)


@pytest.mark.parametrize("how", ["refused", "left_out", "cut_at"])
def test_or_beside_one_of_another_folder(how: str) -> None:
    server = Server(**{how: {7}})  # type: ignore[arg-type]  # of which field is up to the case
    found = Narrowing(server, Notes(others=[Place("Sent", b"Sent", 9)])).run([7])
    assert isinstance(found[7], Problem)
    assert not isinstance(found[7], Fault)
    server = Server(**{how: {7, 9}})  # type: ignore[arg-type]  # as above
    if how != "left_out":
        found = Narrowing(server, Notes(others=[Place("Sent", b"Sent", 9)])).run([7])
        assert isinstance(found[7], Fault)


def test_a_single_message_is_asked_for_twice_before_it_is_blamed() -> None:
    class Once(Server):
        def ask(self, uids: Sequence[int]) -> Reply[str]:
            if not self.asked:
                self.asked.append(list(uids))
                return Reply({}, cut=Cut("the network was away"))
            return super().ask(uids)

    assert Narrowing(Once(), Notes()).run([7]) == {7: "text 7"}


def test_a_server_that_goes_down_half_way_blames_no_message() -> None:
    class Dying(Server):
        def ask(self, uids: Sequence[int]) -> Reply[str]:
            if len(self.asked) >= 6:
                self.refused = set(range(1, 200))
            return super().ask(uids)

    found = Narrowing(Dying(refused={90}), Notes()).run(HUNDRED)
    failed = [one for one in found.values() if isinstance(one, Problem)]
    assert failed
    assert all(isinstance(one, Fault) for one in failed)


def test_a_message_that_somebody_deleted_meanwhile_is_no_problem() -> None:
    found = Narrowing(Server(deleted={5}), Notes()).run([4, 5, 6])
    assert found == {4: "text 4", 6: "text 6"}


def test_the_suspects_outlive_a_kill_and_are_asked_for_apart() -> None:
    class Killed(Server):
        def reopen(self) -> None:
            super().reopen()
            if self.connections == 5:
                raise KeyboardInterrupt

    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        Narrowing(Killed(cut_at={50}), notes).run(HUNDRED)
    suspects = notes.noted[-1]
    assert 50 in suspects
    assert len(suspects) <= 13
    again = Server(cut_at={50})
    found = Narrowing(again, Notes(known=suspects)).run(HUNDRED)
    assert list(bad(found)) == [50]
    assert again.asked[0] == sorted(set(HUNDRED) - suspects)
    assert again.connections <= 5


def test_the_suspects_are_forgotten_when_it_is_over() -> None:
    notes = Notes()
    Narrowing(Server(cut_at={50}), notes).run(HUNDRED)
    assert notes.noted[-1] == set()


def test_without_a_memory_the_first_cut_is_told() -> None:
    with pytest.raises(Cut):
        Narrowing(Server(cut_at={50}), None).run(HUNDRED)


def test_new_connections_come_to_an_end() -> None:
    class Flaky(Server):
        """Sends one message, then the line is cut."""

        def ask(self, uids: Sequence[int]) -> Reply[str]:
            self.asked.append(list(uids))
            return Reply({uids[0]: "text"}, cut=Cut("cut"))

    server = Flaky()
    with pytest.raises(Cut):
        Narrowing(server, Notes()).run(HUNDRED)
    assert server.connections == CONNECTIONS + 1
