"""config.toml: what it may say, and what is said of the rest."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from crmmail import settings
from crmmail.settings import Preferences


def write(text: str | bytes) -> None:
    data = text.encode() if isinstance(text, str) else text
    settings.config_path().write_bytes(data)


def test_without_a_file_all_is_default_and_no_file_is_made() -> None:
    found = settings.config()
    assert found.preferences == Preferences()
    assert found.problems == ()
    assert not settings.config_path().exists()


def test_every_field_has_words_under_it() -> None:
    source = Path(settings.__file__).read_text("utf-8")
    for name in Preferences.__dataclass_fields__:
        after = source.split(f"\n    {name}: ", 1)[1].split("\n", 2)[1]
        assert after.strip().startswith('"""'), name


def test_what_it_says_is_read() -> None:
    write(
        'theme = "crmmail-light"\ndensity = "compact"\n\n'
        '[keys]\n"list.down" = "j, down"\nlist.up = "k"\n\n[keys.thread]\nfold = "enter"\n'
    )
    found = settings.config()
    assert found.problems == ()
    assert found.preferences.theme == "crmmail-light"
    assert found.preferences.density == "compact"
    assert found.preferences.keys == {
        "list.down": "j, down",
        "list.up": "k",
        "thread.fold": "enter",
    }
    assert [found.key_line(i) for i in ("list.down", "list.up", "thread.fold")] == [5, 6, 9]


def test_a_byte_order_mark_is_no_error() -> None:
    write(b'\xef\xbb\xbftheme = "nord"\r\n')
    assert settings.config().preferences.theme == "nord"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            "\ncolour = 1\n",
            2,
            "'colour' is no setting. There are: theme, density, oauth, keys, tim",
        ),
        ("theme = 3\n", 1, "theme must be a text in quotes."),
        ("# one\n\ndensity = 'tight'\n", 3, "density is comfortable or compact, not 'tight'."),
        ("timeouts = 5\n", 1, "timeouts must be a table: [timeouts]."),
        ("[timeouts]\nwrite = 5\n", 2, "'write' is not a time-out. There are: connect, read."),
        ("[timeouts]\nread = '5'\n", 2, "timeouts.read must be a number of seconds"),
        ("[timeouts]\nread = true\n", 2, "timeouts.read must be a number of seconds"),
        ("[timeouts]\nread = 0\n", 2, "timeouts.read must be a number of seconds"),
        ("[timeouts]\nread = nan\n", 2, "timeouts.read must be a number of seconds"),
        ("keys = 'j'\n", 1, "keys must be a table: [keys]."),
        ("oauth = 'j'\n", 1, "oauth must be a table: [oauth]."),
        ("[oauth]\ngoogle = 'x'\n", 2, "oauth.google must be a table: [oauth.google]."),
        ("[oauth.google]\nsecret = 'x'\n", 2, "'secret' is no setting of it. There are: client_id"),
        ("[oauth.google]\nclient_id = 7\n", 2, "client_id must be a text in quotes."),
        ("[keys]\nlist.down = 4\n", 2, "list.down must be keys in quotes"),
        ("[keys]\n'list.down' = 'j,,k'\n", 2, "list.down must be keys in quotes"),
        ("[keys]\n'list.down' = ''\n", 2, "list.down must be keys in quotes"),
        ("theme = 'x'\ntheme\n", 2, "this is no TOML"),
        ("theme = 'x'\n\n[keys", 3, "this is no TOML"),
    ],
)
def test_an_error_names_file_and_line_and_leaves_the_default(
    text: str, line: int, words: str
) -> None:
    write(text)
    found = settings.config()
    [problem] = found.problems
    assert problem.line == line
    assert str(problem).startswith(f"{settings.config_path()}, line {line}: ")
    assert words in str(problem)
    assert found.preferences.density == "comfortable"
    assert not found.preferences.keys


def test_time_outs_come_from_the_file_and_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.timeouts() == settings.Timeouts(connect=20, read=60)
    write("[timeouts]\nconnect = 7\nread = 90.5\n")
    assert settings.timeouts() == settings.Timeouts(connect=7, read=90.5)
    monkeypatch.setenv("CRMMAIL_READ_TIMEOUT", "3")
    monkeypatch.setenv("CRMMAIL_CONNECT_TIMEOUT", "soon")
    assert settings.timeouts() == settings.Timeouts(connect=7, read=3)


def test_one_bad_line_does_not_spoil_the_others() -> None:
    write("theme = 'nord'\nwrong = 1\n[keys]\nlist.down = 'n'\nlist.up = 7\n")
    found = settings.config()
    assert [problem.line for problem in found.problems] == [2, 5]
    assert found.preferences.theme == "nord"
    assert found.preferences.keys == {"list.down": "n"}


def test_a_file_that_is_no_text() -> None:
    write(b"theme = '\xff\xfe'\n")
    [problem] = settings.config().problems
    assert "is no UTF-8 text" in str(problem)


def test_a_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is made up: root, who may run the tests, may read everything."""

    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    write("theme = 'nord'\n")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    [problem] = settings.config().problems
    assert "cannot be read: Permission denied" in str(problem)


def test_a_folder_in_its_place() -> None:
    settings.config_path().mkdir()
    [problem] = settings.config().problems
    assert "cannot be read" in str(problem)


def test_what_is_remembered_is_there_at_the_next_start() -> None:
    assert settings.remembered("theme") == ""
    settings.remember(theme="nord")
    settings.remember(other="x")
    assert (settings.remembered("theme"), settings.remembered("other")) == ("nord", "x")
    (settings.data_dir() / "state.json").write_text("[1")
    assert settings.remembered("theme") == ""
    settings.remember(theme="nord")
    assert settings.remembered("theme") == "nord"
