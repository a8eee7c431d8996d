"""No name of ours is one that Textual looks up by itself, unless that is meant."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from functools import cache

import pytest
from textual.message import Message
from textual.message_pump import MessagePump
from textual.reactive import Reactive
from textual.widget import Widget

import crmmail

PREFIXES = ("key_", "action_", "watch_", "validate_", "compute_", "on_")
"""What Textual puts before a name that it looks up, with and without an underscore before it."""

MEANT = {
    "Bar._size_updated",
    "Ending._fatal_error",
    "Ending._handle_exception",
    "Guarded._dispatch_message",
    "PieceView._size_updated",
    "PieceView._vertical_scrollbar",
    "StoreScreen._compositor_refresh",
    "ToastsApp._refresh_notifications",
}
"""Private names of Textual's that are replaced or used on purpose."""

WRITTEN = set(vars(type("Plain", (Widget,), {"_decorated_handlers": {}})))
"""What Textual writes into each class that it makes."""


def classes() -> Iterator[type[MessagePump]]:
    """All our classes that have messages: the app, the screens, the widgets."""
    found: dict[str, type[MessagePump]] = {}
    for module in pkgutil.walk_packages(crmmail.__path__, "crmmail."):
        if module.name.endswith("__main__"):
            continue
        for one in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(one) and issubclass(one, MessagePump) and is_ours(one):
                found[f"{one.__module__}.{one.__qualname__}"] = one
    yield from found.values()


def is_ours(one: type) -> bool:
    return one.__module__.split(".")[0] == "crmmail"


def assigned(one: type) -> set[str]:
    """The attributes that the methods of a class give to `self`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


@cache
def names(one: type) -> frozenset[str]:
    """All names that a class defines: methods, class attributes, attributes of its instances."""
    return frozenset(assigned(one) | set(vars(one)))


@cache
def handlers() -> frozenset[str]:
    """The names by which Textual calls handlers of messages."""

    def below(kind: type[Message]) -> Iterator[type[Message]]:
        yield kind
        for one in kind.__subclasses__():
            yield from below(one)

    return frozenset(getattr(kind, "handler_name", "") for kind in below(Message))


def is_meant(one: type, name: str, prefix: str, rest: str) -> bool:
    """Whether a name is what Textual takes it for."""
    value = inspect.getattr_static(one, name, None)
    if prefix == "on_":
        return inspect.isfunction(value) and (name in handlers() or name == "on_event")
    if prefix == "action_":
        return inspect.isfunction(value)
    if prefix in {"watch_", "validate_", "compute_"}:
        reactive = inspect.getattr_static(one, rest, None)
        return inspect.isfunction(value) and isinstance(reactive, Reactive)
    return False


ALL = sorted(classes(), key=lambda one: (one.__module__, one.__qualname__))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.__qualname__)
def test_a_name_with_a_prefix_of_textual_s_is_what_textual_takes_it_for(
    one: type[MessagePump],
) -> None:
    wrong = [
        name
        for name in names(one)
        for prefix in PREFIXES
        if name.removeprefix("_").startswith(prefix)
        and not is_meant(one, name, prefix, name.removeprefix("_").removeprefix(prefix))
    ]
    assert wrong == []


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.__qualname__)
def test_no_private_name_is_one_of_textual_s_own(one: type[MessagePump]) -> None:
    theirs: set[str] = set()
    for base in one.__mro__:
        if base.__module__.split(".")[0] == "textual":
            theirs |= names(base)
    private = {name for name in names(one) if name.startswith("_") and not name.endswith("__")}
    taken = {f"{one.__qualname__}.{name}" for name in (private & theirs) - WRITTEN}
    assert taken - MEANT == set()


def test_there_are_classes_to_look_at() -> None:
    found = {one.__qualname__ for one in ALL}
    assert {"CrmmailApp", "RecordScreen", "FormScreen", "StatusLine", "Prompt"} <= found
