"""A copy is claimed only where a program has confirmed it, and it is said which."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmmail.screens import clipboard

TEXT = "https://acme.example/é?a=1"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that alone is on the PATH, but for the programs of the system."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def program(folder: Path, name: str, body: str = "") -> Path:
    """A program that keeps its arguments and its stdin; returns the file that it writes."""
    kept = folder / f"{name}.kept"
    file = folder / name
    file.write_text(f'#!/bin/sh\n{body}\n{{ echo "$*"; cat; }} > {kept}\n')
    file.chmod(0o755)
    return kept


@pytest.mark.parametrize(
    ("name", "variable", "options"),
    [
        ("wl-copy", "WAYLAND_DISPLAY", ""),
        ("xclip", "DISPLAY", "-selection clipboard"),
        ("xsel", "DISPLAY", "--clipboard --input"),
        ("clip.exe", "WSL_DISTRO_NAME", ""),
    ],
)
def test_a_tool_of_the_desktop_takes_the_copy(
    programs: Path, name: str, variable: str, options: str
) -> None:
    kept = program(programs, name)
    assert clipboard.words(TEXT, {variable: "x"}) == f"Copied to the clipboard ({name}): {TEXT}"
    assert kept.read_text() == f"{options}\n{TEXT}"


def test_inside_tmux_its_buffer_takes_the_copy_and_so_does_the_desktop(programs: Path) -> None:
    kept = program(programs, "tmux")
    program(programs, "wl-copy")
    assert clipboard.words(TEXT, {"TMUX": "x"}) == f"Copied to tmux's buffer: {TEXT}"
    assert kept.read_text() == f"load-buffer -w -\n{TEXT}"
    both = clipboard.words(TEXT, {"TMUX": "x", "WAYLAND_DISPLAY": "y"})
    assert both == f"Copied to tmux's buffer and the clipboard (wl-copy): {TEXT}"


def test_an_older_tmux_takes_it_in_its_own_way(programs: Path) -> None:
    kept = program(programs, "tmux", '[ "$2" = -w ] && exit 1')
    assert clipboard.words(TEXT, {"TMUX": "x"}) == f"Copied to tmux's buffer: {TEXT}"
    assert kept.read_text() == f"load-buffer -\n{TEXT}"


@pytest.mark.parametrize("environment", [{}, {"DISPLAY": ":0"}, {"TMUX": "x"}])
def test_nothing_is_claimed_that_is_not_known(programs: Path, environment: dict[str, str]) -> None:
    for name in ("tmux", "xclip", "xsel"):
        program(programs, name, "exit 1")
    said = clipboard.words(TEXT, environment)
    assert said == f"Sent to the terminal (OSC 52), which does not say whether it copies: {TEXT}"


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[str]:
    """A real tmux with its default settings; what TMUX is inside it."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "tmux"
    run = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    subprocess.run([*run, "new-session", "-d", "-s", "one", "cat"], check=True)
    yield f"{socket},1,0"
    subprocess.run([*run, "kill-server"], check=True)


def test_a_real_tmux_pastes_what_was_copied(tmux: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", tmux)
    assert clipboard.words(TEXT, {"TMUX": tmux}) == f"Copied to tmux's buffer: {TEXT}"
    socket = tmux.partition(",")[0]
    shown = subprocess.run(["tmux", "-S", socket, "show-buffer"], check=True, capture_output=True)
    assert shown.stdout.decode() == TEXT
