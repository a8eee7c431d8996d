"""Every key of crmmail by the id of its action, and checking those that the user wants."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeGuard

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_DISPLAY_ALIASES, Keys, format_key
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

import crmmail.screens
from crmmail.screens.help import does, keys_of, own_bindings, place, rebound
from crmmail.screens.tab_pane import TabPane
from crmmail.settings import Config, ConfigError

_NAMED = {key.value for key in Keys} | {"newline"}
_MODIFIERS = ("ctrl", "shift", "alt", "meta", "super", "hyper")
# What a terminal sends for these is another key.
_SAME = {
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+j": "enter",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that keys do."""

    id: str
    keys: tuple[str, ...]
    does: str
    place: str  # where the keys are bound: a pane, a screen, everywhere
    screens: tuple[str, ...]  # on which screens that is


@dataclass(frozen=True, slots=True)
class _Bound:
    """A binding of one node of a screen."""

    node: type[DOMNode]
    binding: Binding

    @property
    def id(self) -> str:
        return self.binding.id or ""


def actions(app: type[App[str]], keymap: Mapping[str, str] | None = None) -> list[Action]:
    """Every action that has keys, by place and in the order in which help shows them."""
    places: dict[str, tuple[str, Binding]] = {}
    on: dict[str, list[str]] = {}
    for screen, bounds in _table(app).items():
        for bound in bounds:
            defining = _definer(bound.node, bound.id)
            places.setdefault(bound.id, (place(defining), bound.binding))
            on.setdefault(bound.id, []).append(place(screen))
    found = [
        Action(
            i,
            tuple(map(written, keys_of(rebound([binding], keymap or {})[0]))),
            does(binding),
            where,
            tuple(sorted(set(on[i]))),
        )
        for i, (where, binding) in places.items()
    ]
    order = list(dict.fromkeys(where for where, _ in places.values()))
    return sorted(found, key=lambda action: order.index(action.place))


def checked(app: type[App[str]], config: Config) -> tuple[dict[str, str], list[ConfigError]]:
    """The keys of config.toml that can be used, by action, and what is wrong with the others."""
    wanted = config.preferences.keys
    if not wanted:
        return {}, []
    table = _table(app)
    known = {bound.id: bound for bounds in table.values() for bound in bounds}
    keymap: dict[str, str] = {}
    problems: list[ConfigError] = []
    for name, keys in wanted.items():
        if words := _unusable(name, keys, known):
            problems.append(ConfigError(config.key_line(name), words))
        else:
            keymap[name] = _normal(keys)
    while clash := next(_clashes(table, keymap, config), None):
        guilty, words = clash
        problems.append(ConfigError(config.key_line(guilty), words))
        del keymap[guilty]
    return keymap, problems


def written(key: str) -> str:
    """A key as config.toml takes it: the character itself where it is one."""
    shown = format_key(key)
    plain = len(shown) == 1 and key not in KEY_DISPLAY_ALIASES and shown != ","
    return shown if plain else key


def screens() -> list[type[Screen[object]]]:
    """Every screen of crmmail; this imports them all."""
    found: list[type[Screen[object]]] = []
    for info in pkgutil.iter_modules(crmmail.screens.__path__, "crmmail.screens."):
        module = importlib.import_module(info.name)
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Screen)
            and value.__module__ == module.__name__
        ]
    bases = {base for screen in found for base in screen.__mro__[1:]}
    return [screen for screen in found if screen not in bases]


def panes(screen: type[Screen[object]]) -> list[type[Widget]]:
    """The widgets with keys that a screen can hold: those that its module names, and so on."""
    found: dict[type[Widget], None] = {}
    todo = [cls.__module__ for cls in screen.__mro__]
    while todo:
        for value in vars(sys.modules[todo.pop(0)]).values():
            if _is_pane(value) and value not in found:
                found[value] = None
                todo.append(value.__module__)
    return [pane for pane in found if own_bindings(pane)]


def _is_pane(value: object) -> TypeGuard[type[Widget]]:
    """Whether a value is a class of crmmail's that can be a part of a screen."""
    return (
        isinstance(value, type)
        and issubclass(value, Widget)
        and not issubclass(value, Screen)
        and value.__module__.startswith("crmmail.")
    )


@cache
def _table(app: type[App[str]]) -> dict[type[Screen[object]], list[_Bound]]:
    """All that is bound on each screen: by its panes, by itself, by the app."""
    table = {}
    for screen in sorted(screens(), key=lambda one: (issubclass(one, ModalScreen), one.__name__)):
        nodes: list[type[DOMNode]] = [*panes(screen), screen, app]
        table[screen] = [
            _Bound(node, replace(binding, key=_normal(binding.key)))
            for node in nodes
            for binding in own_bindings(node)
            # A dialog keeps the app's keys out, but for those that come first.
            if node is not app or binding.priority or not issubclass(screen, ModalScreen)
        ]
    return table


def _definer(node: type[DOMNode], name: str) -> type[DOMNode]:
    """The class of a node's that gives it a binding."""
    for cls in node.__mro__:
        for binding in vars(cls).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id == name:
                return cls
    return node


def _normal(keys: str) -> str:
    """Keys as Textual calls them: `?` is question_mark."""
    return ",".join(one.key for one in Binding.make_bindings([Binding(keys, "")]))


def _unusable(name: str, keys: str, known: Mapping[str, _Bound]) -> str:
    """Why an action cannot have these keys, whatever else has; "" when it can."""
    bound = known.get(name)
    if bound is None:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        return f"{name!r} is no action.{meant} `crmmail keys` lists them."
    for key in _normal(keys).split(","):
        *modifiers, last = key.split("+")
        if not _is_key(last) or any(one not in _MODIFIERS for one in modifiers):
            return f"{key!r} is no key. Examples: j, ?, comma, down, pagedown, f5, ctrl+r."
        if key in _SAME:
            return f"{key!r} cannot be told from {_SAME[key]!r} in a terminal."
        types = bound.binding.priority or issubclass(bound.node, Input | TextArea)
        if types and (len(written(key)) == 1 or key == "space"):
            return f"{key!r} for {name!r} would keep that letter from being typed: add ctrl+."
    return ""


def _is_key(name: str) -> bool:
    return len(name) == 1 or name in _NAMED or len(format_key(name)) == 1


def _clashes(
    table: Mapping[type[Screen[object]], list[_Bound]],
    keymap: Mapping[str, str],
    config: Config,
) -> Iterator[tuple[str, str]]:
    """Changed keys that something else on a screen has: whose change is to go, and why.

    What crmmail itself binds twice, so that one hides the other, is meant.
    """
    for screen, bounds in table.items():
        for bound in bounds:
            if bound.id not in keymap:
                continue
            for other in bounds:
                if other.id == bound.id or not _meet(bound.node, other.node):
                    continue
                before = _keys(bound, {}) & _keys(other, {})
                if twice := sorted((_keys(bound, keymap) & _keys(other, keymap)) - before):
                    last = max(
                        (one for one in (bound, other) if one.id in keymap),
                        key=lambda one: config.key_line(one.id),
                    )
                    first = other if last is bound else bound
                    yield (
                        last.id,
                        f"{written(twice[0])!r} is bound to both {first.id!r} "
                        f"({does(first.binding)}) and {last.id!r} ({does(last.binding)}), "
                        f"on the screen {place(screen)!r}. {last.id!r} keeps its default.",
                    )


def _keys(bound: _Bound, keymap: Mapping[str, str]) -> set[str]:
    return set(keymap.get(bound.id, bound.binding.key).split(","))


def _meet(one: type[DOMNode], other: type[DOMNode]) -> bool:
    """Whether a key can reach both: of two panes side by side only one has the focus."""
    for node in (one, other):
        if not issubclass(node, Widget) or issubclass(node, Screen):
            return True
    if issubclass(one, TabPane) != issubclass(other, TabPane):  # it may hold the other
        return True
    return issubclass(one, other) or issubclass(other, one)
