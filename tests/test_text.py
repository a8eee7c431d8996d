"""Foreign text is made safe: the quick ways of doing that give what the full patterns give."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmmail import text

_LETTERS = "ab \t\r\n\x0b\x0c\x1b\x1c\x7f\x85\xad\u200b\u2028é中\ue000\U000e0101"
_RAW = st.text(st.sampled_from(_LETTERS)) | st.text(st.sampled_from("ab, \r\n"))


@given(_RAW, st.sampled_from((3, 1_000)))
def test_one_line_is_what_the_patterns_leave(raw: str, limit: int) -> None:
    spaced = text._SPACES.sub(" ", raw[: 2 * limit])
    assert text.one_line(raw, limit) == re.sub(text._UNSAFE, "", spaced).strip()[:limit]


@given(_RAW, st.sampled_from((3, 1_000)))
def test_a_block_is_what_the_patterns_leave(raw: str, limit: int) -> None:
    lines = text._LINE_ENDS.sub("\n", raw[:limit]).expandtabs(8)
    assert text.block(raw, limit) == re.sub(text._UNSAFE_BUT_NEWLINE, "", lines)


@pytest.mark.parametrize(
    ("copied", "left"),
    [
        ("\x1b[31mred\x1b[0m and plain", "red and plain"),
        ("\x1b[1;38;5;208mbold\x1b[m", "bold"),
        ("\x9b4munderlined\x9b24m", "underlined"),
        ("\x1b]8;;https://acme.example\x1b\\Acme\x1b]8;;\x1b\\ Ltd", "Acme Ltd"),
        ("\x1b]0;a title\x07$ ls", "$ ls"),
        ("\x1b(Bwords\x1b[K", "words"),
        ("\x1b[?25lwords\x1b[2 q", "words"),
        ("[31m is typed, 5 [h] too", "[31m is typed, 5 [h] too"),
        ("no end \x1b]0;of a title", "no end \x1b]0;of a title"),
        ("two\nlines \x1b[A", "two\nlines "),
        ("größer\x1b[0m", "größer"),
        ("\x9d0;a title\x9c$ ls", "$ ls"),
        ("\x9dno end \x9d0;a title\x07$ ls", "\x9dno end $ ls"),
    ],
    ids=repr,
)
def test_whole_sequences_leave_a_copied_text(copied: str, left: str) -> None:
    assert text.without_sequences(copied) == left
