"""Keys: all of them are known, can be changed, and what cannot be is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.screen import Screen
from textual.widget import Widget
from tools.keys import PAGE, section

from crmmail import keymap, settings
from crmmail.app import CrmmailApp
from crmmail.cli import main
from crmmail.screens.help import HelpScreen, own_bindings
from crmmail.screens.record import RecordScreen
from crmmail.screens.records import RecordsScreen
from crmmail.settings import ConfigError
from crmmail.store.database import Store
from tests.screens.harness import press, settle, text


def configure(text: str) -> None:
    settings.config_path().write_text(text, "utf-8")


def problems(text: str) -> list[ConfigError]:
    configure(text)
    return keymap.checked(CrmmailApp, settings.config())[1]


@pytest.mark.parametrize(
    "keys", [(), ("enter",), ("enter", "enter"), ("slash",), ("question_mark",), ("F",)]
)
async def test_every_key_on_a_screen_is_in_the_table(
    app: CrmmailApp, keys: tuple[str, ...]
) -> None:
    known = {action.id: action for action in keymap.actions(CrmmailApp)}
    async with app.run_test(size=(160, 48)) as pilot:
        await press(pilot, *keys)
        screen = keymap.place(type(app.screen))
        seen = 0
        for node in (app.screen, *app.screen.query("*")):
            for binding in own_bindings(node):
                seen += 1
                assert binding.id in known, (node, binding)
                assert screen in known[binding.id or ""].screens, (node, binding)
        assert seen >= 3


def test_an_id_means_one_thing() -> None:
    seen: dict[str, set[str]] = {}
    for screen in keymap.screens():
        nodes: list[type[Screen[object]] | type[Widget]] = [screen, *keymap.panes(screen)]
        for node in nodes:
            for binding in own_bindings(node):
                assert binding.id, (node, binding)
                seen.setdefault(binding.id, set()).add(binding.action)
    assert {i: found for i, found in seen.items() if len(found) > 1} == {}


def test_the_readme_has_the_keys_that_there_are() -> None:
    assert section() in PAGE.read_text("utf-8"), "run `make keys`"


async def test_a_changed_key_works_and_the_old_one_does_not(store: Store) -> None:
    configure('[keys]\nlist.down = "ctrl+y,ctrl+n"\n"app.help" = "h"\n')
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(100, 60), notifications=True) as pilot:
        await settle(pilot)
        records = app.screen
        assert isinstance(records, RecordsScreen)
        await press(pilot, "j")
        assert records.shown.cursor == 0
        await press(pilot, "ctrl+y", "ctrl+n")
        assert records.shown.cursor == 2
        assert "? Help" not in text(app)
        await press(pilot, "h")
        assert isinstance(app.screen, HelpScreen)
        shown = text(app)
        assert "^y ^n" in shown
        assert "↓ j" not in shown
        assert "config.toml" not in shown


async def test_two_keys_can_change_places(store: Store) -> None:
    configure('[keys]\nlist.down = "k"\nlist.up = "j"\n')
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await press(pilot, "k", "k", "j")
        assert isinstance(app.screen, RecordsScreen)
        assert app.screen.shown.cursor == 1
        assert "bound to both" not in text(app)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('"list.dwon" = "j"', "'list.dwon' is no action. Did you mean 'list.down'?"),
        ('"x.y" = "j"', "'x.y' is no action. `crmmail keys` lists them."),
        ('"list.down" = "ctlr+j"', "'ctlr+j' is no key."),
        ('"list.down" = "downn"', "'downn' is no key."),
        ('"list.down" = "ctrl+i"', "'ctrl+i' cannot be told from 'tab' in a terminal."),
        ('"app.quit" = "x"', "would keep that letter from being typed"),
        ('"filter.leave" = "?"', "would keep that letter from being typed"),
    ],
)
def test_what_cannot_be_a_key_is_told(entry: str, words: str) -> None:
    [problem] = problems(f"# mine\n\n[keys]\n{entry}\n")
    assert problem.line == 4
    assert str(problem).startswith(f"{settings.config_path()}, line 4: ")
    assert words in str(problem)


@pytest.mark.parametrize(
    ("entries", "line", "names"),
    [
        # With the app, with the screen, with the same list, with another changed one.
        (['"list.down" = "ctrl+r"'], 2, ("'app.sync_now' (Sync now)", "'list.down' (Down)")),
        (['"list.down" = "/"'], 2, ("'agenda.filter' (", "'list.down' (Down)")),
        (['"list.down" = "k,down"'], 2, ("'list.up' (Up)", "'list.down' (Down)")),
        (['list.down = "ctrl+y"', 'list.up = "ctrl+y"'], 3, ("'list.down'", "'list.up'")),
        (['app.undo = "ctrl+q"'], 2, ("'app.quit' (Quit)", "'app.undo'")),
    ],
)
def test_a_clash_names_both_actions_and_the_line(
    entries: list[str], line: int, names: tuple[str, str]
) -> None:
    configure("\n".join(["[keys]", *entries]))
    usable, [problem] = keymap.checked(CrmmailApp, settings.config())
    assert problem.line == line
    assert "is bound to both" in str(problem)
    assert all(name in str(problem) for name in names), str(problem)
    assert len(usable) == len(entries) - 1


def test_panes_that_never_have_the_focus_together_may_share_a_key() -> None:
    assert problems('[keys]\nlist.down = "ctrl+n"\ntext.down = "ctrl+n"\n') == []


def test_a_key_may_be_moved_to_where_another_was() -> None:
    assert problems('[keys]\nlist.sort = "S"\nlist.reverse = "s"\n') == []


async def test_what_is_wrong_is_told_and_the_app_runs(store: Store) -> None:
    configure('theme = "pink"\ndensity = 1\n[keys]\nlist.down = "k"\nno.such = "z"\n')
    app = CrmmailApp(store, sync=False)
    async with app.run_test(size=(160, 60), notifications=True) as pilot:
        await settle(pilot)
        shown = " ".join(text(app).split())
        for number in (1, 2, 4, 5):
            assert f"line {number}:" in shown
        assert app.theme == "crmmail-dark"
        await press(pilot, "j", "enter")
        assert isinstance(app.screen, RecordScreen)


def test_keys_lists_every_action(capfd: pytest.CaptureFixture[str]) -> None:
    configure('[keys]\nlist.down = "ctrl+y"\nlist.up = "ctlr+p"\n')
    assert main(["keys", "--json"]) == 0
    out, err = capfd.readouterr()
    found = {one["id"]: one for one in json.loads(out)}
    assert found["list.down"] == {
        "id": "list.down",
        "keys": ["ctrl+y"],
        "default": ["down", "j"],
        "does": "Down",
        "where": "list",
        "screens": found["list.up"]["screens"],
    }
    assert {"record", "records"} <= set(found["list.up"]["screens"])
    assert found["list.up"]["keys"] == ["up", "k"]
    assert found["app.help"]["keys"][0] == "?"
    assert "line 3: 'ctlr+p' is no key" in err
    assert main(["keys"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "list.down\tctrl+y\tDown\tlist" in lines
    assert len(lines) == len(found)


def test_every_key_can_be_written_into_the_config_as_it_is_listed() -> None:
    for action in keymap.actions(CrmmailApp):
        for key in action.keys:
            assert "," not in key
            assert keymap.written(keymap._normal(key)) == key


def test_config_says_where_and_what_is_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    out, err = capfd.readouterr()
    assert out == f"{settings.config_path()}\n"
    assert "It is not there" in err
    assert not settings.config_path().exists()
    configure('theme = "nord"\ncolour = "x"\n')
    assert main(["config", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["path"], told["exists"]) == (str(settings.config_path()), True)
    assert (told["theme"], told["density"]) == ("nord", "comfortable")
    assert ["line 2: 'colour' is no setting" in one for one in told["problems"]] == [True]


def test_doctor_checks_the_config(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configure('[keys]\nlist.down = "k"\n')
    assert main(["doctor", "--offline", "--json"]) == 1
    [check] = [one for one in json.loads(capfd.readouterr().out) if one["check"] == "config"]
    assert check["ok"] is False
    assert "'k' is bound to both 'list.up'" in check["said"]
