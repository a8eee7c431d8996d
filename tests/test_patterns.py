"""No pattern of the source takes long on a text from outside, whoever has made it up.

A pattern that begins anew at each character, and reads on to the end each time, takes a minute for
100,000 of them, in which nothing else runs.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crmmail
from crmmail import secrecy, text
from crmmail.sync import folder_names

_LENGTH = 20_000
_SECONDS = 0.5  # of computing: a pattern that reads all once takes a hundredth
_METHODS = "search|match|fullmatch|sub|finditer|findall|split"
_SHORT = {
    "crmmail.mail_names._TAG",  # of 200 characters
    "crmmail.sync.subjects._FORWARDED",  # of 20
}
"""Patterns whose text is cut before."""
_SEEDS = [
    *string.printable,
    *"\x07\x1b\x90\x9b\x9d\xe9",
    *("a.", "a@", "a:", "a/", "a=", "a,", "a-", "a\n", "\n ", "\r\n", " (", "(a", "[a", "<a", '"a'),
    *("//", 'a\\"', ";a=", "=?", "=?a?b?", "1:", "1,", "1.", "1 (", "&#1", "x://", "<!--", "<a "),
    *("\x1b[", "\x1b]"),
]


def _patterns() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Each pattern of a module, by its name, and how the module uses it."""
    for found in pkgutil.walk_packages(crmmail.__path__, "crmmail."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        source = Path(str(module.__file__)).read_text("utf-8")
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and re.search(rf"^{name} = ", source, re.MULTILINE):
                for how in sorted(set(re.findall(rf"\b{name}\.({_METHODS})\b", source))):
                    yield f"{found.name}.{name}", value, how
    for name in ("_UNSAFE", "_UNSAFE_BUT_NEWLINE", "_UNSAFE_TO_PRINT", "_NO_SPACES", "_SEQUENCE"):
        yield f"crmmail.text.{name}", re.compile(getattr(text, name)), "sub"


def _texts(pattern: re.Pattern[Any]) -> Iterator[Any]:
    for seed in _SEEDS:
        for before, after in (("", "\0"), ("a", "!")):
            made = f"{before}{seed * (_LENGTH // len(seed))}{after}"
            yield made.encode("latin-1") if isinstance(pattern.pattern, bytes) else made


def _applied(pattern: re.Pattern[Any], how: str, said: Any) -> None:
    if how == "sub":
        pattern.sub(said[:0], said)
    elif how == "finditer":
        assert all(one.end() <= len(said) for one in pattern.finditer(said))
    else:
        getattr(pattern, how)(said)


def _slowest(pattern: re.Pattern[Any], how: str) -> tuple[float, str]:
    """The most seconds that a text takes, and which one; the first that takes too many ends it."""
    worst = (0.0, "")
    for said in _texts(pattern):
        started = time.thread_time()
        _applied(pattern, how, said)
        worst = max(worst, (time.thread_time() - started, repr(said[:12])))
        if worst[0] > _SECONDS:
            break
    return worst


_ALL = [one for one in _patterns() if one[0] not in _SHORT]


@pytest.mark.parametrize(
    ("name", "pattern", "how"), _ALL, ids=[f"{one[0]}-{one[2]}" for one in _ALL]
)
def test_a_pattern_reads_a_text_once(name: str, pattern: re.Pattern[Any], how: str) -> None:
    seconds, said = _slowest(pattern, how)
    assert seconds < _SECONDS, f"{name} takes {seconds:.1f} s on {said}…"


def test_the_list_has_the_patterns_that_servers_and_strangers_reach() -> None:
    names = {name.removeprefix("crmmail.") for name, _, _ in _ALL}
    assert len(names) > 120
    assert {"text._SEQUENCE", "sync.addresslist._TOKEN", "sync.folder_names._STATUS"} <= names


@pytest.mark.parametrize(
    "said", ["x:" + "a" * 1_000_000, "a:" * 500_000, "//" * 500_000], ids=["a", "colons", "slashes"]
)
def test_a_long_address_is_masked_at_once(said: str) -> None:
    started = time.thread_time()
    assert secrecy.masked(f"{said}@host").endswith("…@host")
    assert secrecy.masked_words(said) == said
    assert time.thread_time() - started < _SECONDS


@pytest.mark.parametrize(
    "name",
    ["a" + " " * 40_000 + "b", "a" + " (" * 20_000, '"' + "\\" * 40_001],
    ids=["spaces", "parentheses", "an open quote"],
)
def test_a_line_of_folders_is_read_at_once_whatever_its_name(name: str) -> None:
    started = time.thread_time()
    folder_names._LIST.match(f'() "/" {name}'.encode())
    assert folder_names._STATUS.match(f"{name} (MESSAGES 1".encode()) is None
    assert time.thread_time() - started < _SECONDS
