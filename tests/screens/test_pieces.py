"""Text in pieces: widths in cells, breaks, and nothing that a terminal obeys."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from crmmail.widgets.pieces import fit, fit_pieces, safe, slice_pieces, wrap

ANY_TEXT = st.text(st.characters(codec=None), max_size=60) | st.text(
    st.sampled_from("ab \u0301漢字👍\u200d\ufe0f\u202e\x1b\x9b\t\n"), max_size=60
)


@given(ANY_TEXT)
def test_nothing_unsafe_is_drawn(text: str) -> None:
    allowed = {"\u200c"}
    assert not [
        c
        for c in safe(text)
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in allowed
    ]


@given(ANY_TEXT, st.integers(0, 30), st.booleans())
def test_a_fitted_text_has_its_width(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right)) == width


@given(st.lists(st.tuples(ANY_TEXT, st.just("text")), max_size=4), st.integers(0, 40))
def test_fitted_pieces_have_their_width(pieces: list[tuple[str, str]], width: int) -> None:
    assert sum(cell_len(text) for text, _ in fit_pieces(pieces, width)) == width


@given(ANY_TEXT.map(safe), st.integers(2, 30), st.integers(0, 8))
def test_wrapped_lines_fit_and_lose_only_spaces(text: str, width: int, hang: int) -> None:
    spans = wrap(text, width, hang)
    for start, end in spans:
        assert cell_len(text[start:end]) <= width
    kept = "".join(text[start:end] for start, end in spans)
    assert kept.replace(" ", "") == text.replace(" ", "")


def test_lines_break_at_spaces_and_words_where_they_must() -> None:
    def broken(text: str, width: int) -> list[str]:
        return [text[start:end] for start, end in wrap(text, width)]

    assert broken("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert broken("  indented words stay", 12) == ["  indented", "words stay"]
    assert broken("abcdefghijkl", 5) == ["abcde", "fghij", "kl"]
    assert broken("漢字漢字漢", 5) == ["漢字", "漢字", "漢"]


def test_a_line_of_a_quarter_megabyte_wraps_at_once() -> None:
    spans = wrap("wörter " * 36_000, 80)
    assert len(spans) > 3_000


def test_slices_keep_the_roles() -> None:
    pieces = (("abc", "text"), ("def", "muted"))
    assert list(slice_pieces(pieces, 2, 5)) == [("c", "text"), ("de", "muted")]
