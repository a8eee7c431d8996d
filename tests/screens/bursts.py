"""Keys that are written at once, and where the app is afterwards."""

from __future__ import annotations

import re

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.widgets._toast import Toast

from crmmail import key_queue
from crmmail.app import CrmmailApp
from crmmail.store.database import Store
from crmmail.store.dump import dump
from tests.patience import PATIENCE

SPECIAL = {"slash": "/", "at": "@", "question_mark": "?", "comma": ",", "space": " "}


@pytest.fixture(autouse=True)
def keys_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys wait for what takes long on a busy machine too."""
    for name in ("PATIENCE", "_MESSAGES"):
        monkeypatch.setattr(key_queue, name, PATIENCE)


def stroke(key: str) -> events.Key:
    """A key as the driver of a terminal makes it."""
    if key in SPECIAL:
        return events.Key(key, SPECIAL[key])
    if len(key) == 1:
        return events.Key(_character_to_key(key), key)
    return events.Key(key, None)


def write(app: CrmmailApp, *keys: str) -> None:
    """Write keys at once."""
    for key in keys:
        app.post_message(stroke(key))


def kept(store: Store) -> list[str]:
    """What the store has, without the times at which it was written."""
    return sorted(
        re.sub(r'"(at|created|changed|\w+_at)": ?[\d.null]+', "", line)
        for line in dump(store.read())
    )


def place(app: CrmmailApp) -> tuple[object, ...]:
    """Where the app is: the screens, what has the keys, what is drawn but for toasts."""
    for screen in app.screen_stack:
        screen.query(Toast).remove()
    focused = app.focused
    return (
        [type(screen).__name__ for screen in app.screen_stack],
        (type(focused).__name__, focused.id) if focused is not None else None,
    )


def rows(drawn: str) -> list[str]:
    """The rows of a screen without the end of a scroll bar, which moves while a list is read."""
    return [re.sub("[▁▂▃▄▅▆▇█]", " ", row) for row in drawn.splitlines()]
