"""Copying, and saying where the copy is; a terminal does not tell whether it took one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from textual.widget import Widget

from crmmail.widgets.pieces import safe

_SECONDS = 3.0  # a tool that takes longer has no clipboard to write to


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that takes a copy on its stdin, and where the copy is then."""

    place: str
    command: tuple[str, ...]
    older: tuple[str, ...] = ()  # for a version that does not know the first


def tools(environment: Mapping[str, str]) -> Iterator[Tool]:
    """The programs of this session that keep copies: tmux, and one of the desktop."""
    if environment.get("TMUX") and shutil.which("tmux"):
        load = ("tmux", "load-buffer")
        yield Tool("tmux's buffer", (*load, "-w", "-"), (*load, "-"))
    wanted = {
        "pbcopy": sys.platform == "darwin",
        "wl-copy": bool(environment.get("WAYLAND_DISPLAY")),
        "xclip": bool(environment.get("DISPLAY")),
        "xsel": bool(environment.get("DISPLAY")),
        "clip.exe": bool(environment.get("WSL_DISTRO_NAME")),
    }
    options = {"xclip": ("-selection", "clipboard"), "xsel": ("--clipboard", "--input")}
    for name, usable in wanted.items():
        if usable and shutil.which(name):
            yield Tool(f"the clipboard ({name})", (name, *options.get(name, ())))


def copy(widget: Widget, text: str) -> None:
    """Copy a text by all that keeps copies here, and say by which, in a thread."""
    widget.app.copy_to_clipboard(text)  # OSC 52, and what ctrl+v pastes in crmmail
    work = partial(_copy, widget, text)
    widget.run_worker(work, group="clipboard", thread=True, exit_on_error=False)


def _copy(widget: Widget, text: str) -> None:
    said = words(text, os.environ)
    with suppress(RuntimeError):  # the app is closing
        widget.app.call_from_thread(widget.notify, safe(said), timeout=6, markup=False)


def words(text: str, environment: Mapping[str, str]) -> str:
    """Copy a text, and say where it is: only what a program has confirmed is claimed."""
    places = []
    for tool in tools(environment):
        if _took(tool.command, text) or (tool.older and _took(tool.older, text)):
            places.append(tool.place)
            if not tool.older:
                break  # one clipboard of the desktop
    if places:
        return f"Copied to {' and '.join(places)}: {text}"
    return f"Sent to the terminal (OSC 52), which does not say whether it copies: {text}"


def _took(command: tuple[str, ...], text: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - one of the list above
            command,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
