"""What the terminal sends is read as the keys that were typed (U1)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from textual import constants, events
from textual.message import Message

from crmmail import key_parser
from crmmail.key_parser import KeyParser, decoder
from tests.patience import until

LONG = "words that are longer than any sequence of a terminal"


def names(found: Iterable[Message]) -> list[str]:
    """Keys by their names, pasted text in quotes, all else by its class."""
    said = []
    for one in found:
        if isinstance(one, events.Key):
            said.append(one.key)
        elif isinstance(one, events.Paste):
            said.append(repr(one.text))
        else:
            said.append(type(one).__name__)
    return said


def read(*pieces: str) -> list[str]:
    """What is read of pieces that come one after the other, and then nothing more."""
    parser = KeyParser()
    found = [one for piece in pieces for one in parser.feed(piece)]
    rest: list[Message] = []

    def is_read() -> bool:
        rest.extend(parser.tick())
        return not parser.is_waiting

    until(is_read)
    return names([*found, *rest])


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b/te", ["escape", "slash", "t", "e"]),
        ("?\x1b[B\x1b/t", ["question_mark", "down", "escape", "slash", "t"]),
        ("\x1b1\x1b2", ["escape", "1", "escape", "2"]),
        ("\x1bj", ["escape", "j"]),
        ("\x1bé", ["escape", "é"]),
        ("\x1b\r", ["escape", "enter"]),
        ("\x1b\ts", ["escape", "tab", "s"]),
        ("\x1b\x13", ["escape", "ctrl+s"]),
        ("\x1b\x1b[Bx", ["escape", "down", "x"]),
        ("\x1bOé-", ["escape", "O", "é", "minus"]),
        ("x\x1b", ["x", "escape"]),
        (f"\x1bn{LONG}", ["escape", "n", *names(KeyParser().feed(LONG))]),
    ],
    ids=repr,
)
def test_escape_and_the_key_after_it_are_two_keys(sent: str, keys: list[str]) -> None:
    assert read(sent) == keys


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1bOP", ["f1"]),
        ("\x1b[[A", ["f1"]),
        ("\x1b[15~", ["f5"]),
        ("\x1b[Z", ["shift+tab"]),
        ("\x1bb\x1bf", ["ctrl+left", "ctrl+right"]),
        ("\x1b\x7f", ["ctrl+w"]),
        ("\x1b[1;3D", ["alt+left"]),
        ("\x1b[27u", ["escape"]),
        ("\x1b[<0;3;3M", ["MouseDown"]),
        ("\x1b[I", ["AppFocus"]),
        ("\x1b[?2026;2$y", ["TerminalSupportsSynchronizedOutput"]),
        ("\x1b[3;4R", ["CursorPosition"]),
    ],
    ids=repr,
)
def test_what_a_terminal_sends_for_one_key_stays_one(sent: str, keys: list[str]) -> None:
    assert read(sent) == keys
    assert read(*sent) == keys  # byte by byte


def test_the_linux_console_has_a_shift_tab_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert read("\x1b\ts") == ["shift+tab", "s"]


@pytest.mark.parametrize("sent", ["\x1b[99;99X", "\x1b[?62;22c", "\x1b[>0;276;0c", "\x1b[8;24;80t"])
def test_an_unknown_sequence_is_no_key(sent: str) -> None:
    assert read(f"{sent}y") == ["y"]


@pytest.mark.parametrize(
    "sent",
    ["\x1b[97;1:3u", "\x1b[1114112u", "\x1b[99999999999u", "\x1b[:R", "\x1b[48;;1114112u"],
    ids=repr,
)
def test_a_key_that_no_keyboard_has_ends_nothing(sent: str) -> None:
    assert read(f"{sent}y") == ["y"]


ANSWERS = [
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]4;1;rgb:dddd/0000/0000\x1b\\",
    "\x1b]52;c;RHhCQW4=\x07",
    "\x1bP>|XTerm(388)\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
]


@pytest.mark.parametrize("sent", ANSWERS, ids=repr)
def test_an_answer_of_the_terminal_is_no_key(sent: str) -> None:
    assert read(f"x{sent}y") == ["x", "y"]
    assert read(*f"x{sent}y") == ["x", "y"]  # byte by byte


def test_what_only_begins_like_an_answer_is_typed() -> None:
    assert read("\x1b]2") == ["escape", "right_square_bracket", "2"]
    assert read("\x1b[2") == ["escape", "left_square_bracket", "2"]


@pytest.mark.parametrize("sent", [b"\xff", b"\xe9", b"\xc3"])
def test_a_byte_that_is_not_utf_8_is_one_unknown_character(sent: bytes) -> None:
    assert decoder("utf-8")().decode(sent + b"b") == "\N{REPLACEMENT CHARACTER}b"


PASTED = "two\nlines \x1bD \x1b[B \x1b[200~ of text"
SENT = f"ab\x1b[200~{PASTED}\x1b[201~c"


def pieces(size: int) -> list[str]:
    return [SENT[start : start + size] for start in range(0, len(SENT), size)]


def test_an_escape_in_a_pasted_text_is_no_key() -> None:
    assert read(SENT) == ["a", "b", repr(PASTED), "c"]


@pytest.mark.parametrize("size", range(1, 30))
def test_a_paste_can_come_in_pieces(size: int) -> None:
    assert read(*pieces(size)) == ["a", "b", repr(PASTED), "c"]


def test_two_pastes_and_what_is_typed_between_them_are_in_order() -> None:
    sent = "\x1b[200~one\x1b[201~x\x1b[200~two\x1b[201~"
    assert read(sent) == ["'one'", "x", "'two'"]


@pytest.fixture
def pastes_end_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_parser, "_PASTE_REST", 0.01)


def rested(parser: KeyParser) -> list[str]:
    """What is read of what has come, when nothing more comes."""
    found: list[Message] = []

    def is_read() -> bool:
        found.extend(parser.tick())
        return not parser.is_waiting

    until(is_read)
    return names(found)


@pytest.mark.parametrize("end", ["", "\x1b", "\x1b[", "\x1b[2", "\x1b[20", "\x1b[201"], ids=repr)
def test_a_paste_without_its_end_is_taken_when_nothing_more_comes(
    pastes_end_soon: None, end: str
) -> None:
    parser = KeyParser()
    assert names(parser.feed(f"a\x1b[200~one two{end}")) == ["a"]
    assert rested(parser) == ["'one two'"]
    assert [*names(parser.feed("j\x1b[Bq")), *rested(parser)] == ["j", "down", "q"]
    assert names(parser.feed("Dx")) == ["D", "x"]


@pytest.fixture
def stalled(pastes_end_soon: None, monkeypatch: pytest.MonkeyPatch) -> KeyParser:
    """A parser that has read the first part of a pasted text, and nothing more for a second."""
    monkeypatch.setattr(key_parser, "_AT_ONCE", 10.0)  # what is fed here comes at once
    parser = KeyParser()
    assert names(parser.feed("\x1b[200~one")) == []
    assert rested(parser) == ["'one'"]
    return parser


@pytest.mark.parametrize(
    "pieces",
    [
        ["D x B A n\x1b[201~j"],
        ["D x ", "B A n\x1b[201~j"],
        ["D x ", "B A", " n\x1b[20", "1~j"],
        ["D x B A n", "\x1b[201~j"],
        ["D x B A n\x1b", "[201~j"],
        [*"D x B A n\x1b[201~", "j"],
    ],
    ids=repr,
)
def test_the_rest_of_a_paste_that_was_taken_too_soon_is_no_key(
    stalled: KeyParser, pieces: list[str]
) -> None:
    found = [name for piece in pieces for name in names(stalled.feed(piece))]
    assert found == ["'D x B A n'", "j"]
    assert names(stalled.feed("Dx")) == ["D", "x"]


def test_a_paste_that_stalls_again_and_again_is_no_key(stalled: KeyParser) -> None:
    assert [*names(stalled.feed("D x ")), *rested(stalled)] == ["'D x '"]
    assert [*names(stalled.feed("\x1b[31mB A")), *rested(stalled)] == ["'\\x1b[31mB A'"]
    assert names(stalled.feed(" n\x1b[201~j")) == ["' n'", "j"]


def test_two_pastes_in_a_row_that_stall_are_no_keys(stalled: KeyParser) -> None:
    assert names(stalled.feed("D x\x1b[201~\x1b[200~tw")) == ["'D x'"]
    assert rested(stalled) == ["'tw'"]
    assert names(stalled.feed("o D")) == []
    assert names(stalled.feed(" x\x1b[201~j")) == ["'o D x'", "j"]


def test_the_rest_of_a_paste_without_its_end_and_another_one_are_no_keys(
    stalled: KeyParser,
) -> None:
    assert names(stalled.feed("D x\x1b[200~two\x1b[201~j")) == ["'D x'", "'two'", "j"]


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
def test_a_paste_that_stalls_in_the_mark_at_its_end_is_whole(
    pastes_end_soon: None, cut: int
) -> None:
    parser = KeyParser()
    assert names(parser.feed("\x1b[200~one" + "\x1b[201~"[:cut])) == []
    assert rested(parser) == ["'one'"]
    assert names(parser.feed("\x1b[201~"[cut:] + "jk")) == ["j", "k"]


@pytest.mark.parametrize("rest", [[b"\xa9 D x\x1b[201~j"], [b"\xa9", b" D x", b"\x1b[201~j"]])
def test_a_paste_that_stalls_in_a_character_is_whole(stalled: KeyParser, rest: list[bytes]) -> None:
    decode = decoder("utf-8")().decode
    assert decode(b"\xc3") == ""
    found = [name for piece in rest for name in names(stalled.feed(decode(piece)))]
    assert found == ["'é D x'", "j"]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("j", ["j"]),
        ("jjj", ["j", "j", "j"]),
        ("\x1b", ["escape"]),
        ("\x1bj", ["escape", "j"]),
        ("j\x1bOP", ["j", "f1"]),
        ("text\x13", ["t", "e", "x", "t", "ctrl+s"]),
        ("\x1b[B\x1b[<0;3;3M", ["down", "MouseDown"]),
        ("\x1b[I", ["AppFocus"]),
    ],
    ids=repr,
)
def test_after_a_paste_whose_end_is_lost_keys_are_keys(
    pastes_end_soon: None, sent: str, keys: list[str]
) -> None:
    parser = KeyParser()
    assert names(parser.feed("\x1b[200~one")) == []
    assert rested(parser) == ["'one'"]
    assert [*names(parser.feed(sent)), *rested(parser)] == keys


def test_once_somebody_types_again_a_burst_is_keys(pastes_end_soon: None) -> None:
    parser = KeyParser()
    assert names(parser.feed("\x1b[200~one")) == []
    assert rested(parser) == ["'one'"]
    assert [*names(parser.feed("j")), *rested(parser)] == ["j"]
    assert names(parser.feed("Dx")) == ["D", "x"]


@pytest.mark.parametrize("late", ["\x1b[201~", "\x1b[201~\x1b[201~"], ids=repr)
def test_an_end_that_comes_late_is_no_key(pastes_end_soon: None, late: str) -> None:
    parser = KeyParser()
    assert names(parser.feed("\x1b[200~one")) == []
    assert rested(parser) == ["'one'"]
    assert [*names(parser.feed(f"{late}j")), *rested(parser)] == ["j"]


def test_another_paste_after_one_without_its_end_is_one_of_its_own(pastes_end_soon: None) -> None:
    parser = KeyParser()
    assert names(parser.feed("\x1b[200~one")) == []
    assert rested(parser) == ["'one'"]
    assert names(parser.feed("j\x1b[200~two\x1b[201~k")) == ["j", "'two'", "k"]


@pytest.mark.parametrize("size", [7, 10, 100])
def test_of_a_paste_that_is_too_long_the_beginning_is_taken_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(key_parser, "LONGEST_PASTE", 10)
    sent = f"\x1b[200~{'Dx' * 50}\x1b[201~j"
    found = read(*(sent[start : start + size] for start in range(0, len(sent), size)))
    assert found == ["'DxDxDxDxDx'", "PasteCut", "j"]


def test_a_paste_of_just_the_longest_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_parser, "LONGEST_PASTE", 10)
    assert read("\x1b[200~0123456789\x1b[201~") == ["'0123456789'"]


def test_escape_waits_no_longer_than_the_terminals_own_pause() -> None:
    assert constants.ESCAPE_DELAY <= 0.1
