"""Foreign text is made safe: the quick ways of doing that give what the full patterns give."""

from __future__ import annotations

import re

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
