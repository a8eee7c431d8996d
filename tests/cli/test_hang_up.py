"""The app ends with its terminal, whoever stands between them."""

from __future__ import annotations

import os
import pty
import select
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE, until


@pytest.mark.parametrize("wrapper", ["exec {}", 'trap "" HUP; {}', "trap : HUP; {} & wait; wait"])
def test_the_app_ends_when_its_terminal_is_gone(wrapper: str, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    app = f'{sys.executable} -c "{_APP.format(note)}" </dev/tty'
    pid, terminal = pty.fork()
    if pid == 0:
        os.execlp("sh", "sh", "-c", wrapper.format(app))
    seen = b""
    while b"People" not in seen:
        assert select.select([terminal], [], [], PATIENCE)[0], seen
        seen += os.read(terminal, 65_536)
    os.close(terminal)
    until(lambda: not _lives(int(note.read_text())), lambda: "it goes on without a terminal")
    os.waitpid(pid, 0)


_APP = (
    "import os, pathlib; pathlib.Path('{}').write_text(str(os.getpid())); "
    "from crmmail.cli import main; main([])"
)


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


_DEMO = (
    "import os, pathlib; pathlib.Path('{}').write_text(str(os.getpid())); {}"
    "from crmmail.cli import main; main(['demo'])"
)
_OPENS = "from crmmail import temporary; temporary.make('files'); "
_STUCK = (
    "import time; from crmmail import app; "
    "app.CrmmailApp.on_unmount = lambda self: time.sleep(600); "
)


@pytest.mark.parametrize("wrapper", ["exec {}", 'trap "" HUP; {}', "trap : HUP; {} & wait; wait"])
@pytest.mark.parametrize("before", [_OPENS, _STUCK])
def test_no_folder_stays_when_the_terminal_of_the_demo_is_gone(
    wrapper: str, before: str, tmp_path: Path
) -> None:
    note, folder = tmp_path / "pid", tmp_path / "temporary"
    folder.mkdir()
    app = f'{sys.executable} -c "{_DEMO.format(note, before)}" </dev/tty'
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TMPDIR"] = str(folder)
        os.execlp("sh", "sh", "-c", wrapper.format(app))
    seen = b""
    while b"People" not in seen or not any(folder.iterdir()):
        assert select.select([terminal], [], [], PATIENCE)[0], seen
        seen += os.read(terminal, 65_536)
    assert any(one.name.startswith("crmmail-demo-") for one in folder.iterdir())
    os.close(terminal)
    until(lambda: not _lives(int(note.read_text())), lambda: "it goes on without a terminal")
    assert list(folder.iterdir()) == []
    os.waitpid(pid, 0)
