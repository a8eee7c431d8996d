"""Where crmmail keeps its files (XDG)."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "crmmail"


def data_dir() -> Path:
    """The folder of the store; CRMMAIL_DATA_DIR moves it. Made on first use, for its owner only."""
    return _own_dir(os.environ.get("CRMMAIL_DATA_DIR") or platformdirs.user_data_dir(_APP))


def config_dir() -> Path:
    """The folder of config.toml; CRMMAIL_CONFIG_DIR moves it. Made on first use."""
    return _own_dir(os.environ.get("CRMMAIL_CONFIG_DIR") or platformdirs.user_config_dir(_APP))


def store_path() -> Path:
    """The store's file."""
    return data_dir() / "crmmail.db"


def _own_dir(path: str) -> Path:
    folder = Path(path).expanduser()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
