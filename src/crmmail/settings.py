"""Where crmmail keeps its files (XDG), and what config.toml says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from crmmail import own_files
from crmmail.errors import CrmmailError

_APP = "crmmail"
_MOVED = "CRMMAIL_DATA_DIR and CRMMAIL_CONFIG_DIR name other folders."
OAUTH_KEYS = ("client_id", "client_secret", "authorize_url", "token_url", "device_url", "scope")
LIMITS = ("connect", "read")
DENSITIES = ("comfortable", "compact")
_PART = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_DOTTED = rf"\s*({_PART})((?:\s*\.\s*(?:{_PART}))*)\s*"
_HEADER = re.compile(rf"^\s*\[{_DOTTED}\]")
_ENTRY = re.compile(rf"^{_DOTTED}=")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How many seconds to wait for a server."""

    connect: float = 20.0
    """To take a connection."""
    read: float = 60.0
    """To send something, once it was asked."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the user wants to be different; every field has a default."""

    theme: str = ""
    """The colours: a name from the command palette's themes, such as crmmail-light."""
    density: str = "comfortable"
    """comfortable, or compact: no frames around the panes, more rows."""
    oauth: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What crmmail is called where it signs in with tokens: [oauth.google], [oauth.microsoft]."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Other keys for an action: its id, and its keys apart by commas. `crmmail keys` lists them."""
    timeouts: Timeouts = Timeouts()
    """How long to wait for a server: [timeouts]."""


class ConfigError(CrmmailError):
    """Something in config.toml cannot be used; its default is."""

    def __init__(self, line: int, message: str) -> None:
        at = f"{config_path()}, line {line}" if line else str(config_path())
        super().__init__(f"{at}: {message}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Config:
    """What config.toml says, what is wrong with it, and in which line each thing stands."""

    preferences: Preferences = Preferences()
    problems: tuple[ConfigError, ...] = ()
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def key_line(self, binding: str) -> int:
        """The line that gives an action its keys; 0 where it is not known."""
        return self.lines.get(("keys", *binding.split(".")), 0)


def data_dir() -> Path:
    """The folder of the store; CRMMAIL_DATA_DIR moves it. Made on first use, for its owner only."""
    return _own_dir(os.environ.get("CRMMAIL_DATA_DIR") or platformdirs.user_data_dir(_APP))


def config_dir() -> Path:
    """The folder of config.toml; CRMMAIL_CONFIG_DIR moves it. Made on first use."""
    return _own_dir(os.environ.get("CRMMAIL_CONFIG_DIR") or platformdirs.user_config_dir(_APP))


def store_path() -> Path:
    """The store's file."""
    return data_dir() / "crmmail.db"


def config_path() -> Path:
    """The file of preferences; crmmail never makes it."""
    return config_dir() / "config.toml"


def config() -> Config:
    """Read config.toml. Never raises: what cannot be used is among the problems."""
    try:
        text = config_path().read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Config()
    except OSError as problem:
        return Config(problems=(ConfigError(0, f"cannot be read: {problem.strerror}."),))
    except UnicodeDecodeError:
        return Config(problems=(ConfigError(0, "is no UTF-8 text."),))
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        return Config(problems=(_syntax(str(problem), text),))
    return _checked(found, _lines(text))


def timeouts() -> Timeouts:
    """How long to wait for a server: CRMMAIL_CONNECT_TIMEOUT and CRMMAIL_READ_TIMEOUT, else what
    config.toml says.
    """
    said = config().preferences.timeouts
    for name in LIMITS:
        value = os.environ.get(f"CRMMAIL_{name.upper()}_TIMEOUT", "")
        with suppress(ValueError):
            if value and _is_limit(seconds := float(value)):
                said = replace(said, **{name: seconds})
    return said


def remembered(name: str) -> str:
    """What the app was told to remember, such as the theme; "" for nothing."""
    try:
        found = json.loads(_state_path().read_bytes())
    except (OSError, ValueError):
        return ""
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def remember(**values: str) -> None:
    """Remember some values for the next start; a disk that takes none is no reason to stop."""
    path = _state_path()
    with suppress(OSError):
        try:
            known = json.loads(path.read_bytes())
        except (OSError, ValueError):
            known = {}
        told = {**(known if isinstance(known, dict) else {}), **values}
        own_files.put(path, json.dumps(told).encode())


def _state_path() -> Path:
    return data_dir() / "state.json"


def _own_dir(path: str) -> Path:
    try:
        folder = Path(path).expanduser()
    except RuntimeError:
        user = path.partition("/")[0][1:]
        raise CrmmailError(f"There is no user {user}: {path} is not a folder.", _MOVED) from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as problem:
        raise CrmmailError(
            f"{folder} cannot be a folder: a file is in its place.", f"Move the file away. {_MOVED}"
        ) from problem
    except OSError as problem:
        said = f"The folder {folder} cannot be made: {problem.strerror}."
        raise CrmmailError(said, f"Make it yourself. {_MOVED}") from problem
    return folder


def _syntax(said: str, text: str) -> ConfigError:
    at = _AT_LINE.search(said)
    line = int(at[1] or text.count("\n") + 1) if at else 0
    return ConfigError(line, f"this is no TOML: {_AT_LINE.sub('', said)}. Defaults are used.")


def _checked(found: dict[str, Any], lines: Mapping[tuple[str, ...], int]) -> Config:
    problems: list[ConfigError] = []
    wanted: dict[str, Any] = {}
    for name, value in found.items():
        line = lines.get((name,), 0)
        if name == "keys" and isinstance(value, dict):
            wanted["keys"] = dict(_keys(value, lines, problems))
        elif name == "oauth" and isinstance(value, dict):
            wanted["oauth"] = dict(_oauth(value, lines, problems))
        elif name not in Preferences.__dataclass_fields__:
            known = ", ".join(Preferences.__dataclass_fields__)
            problems.append(ConfigError(line, f"{name!r} is no setting. There are: {known}."))
        elif name == "timeouts" and isinstance(value, dict):
            wanted["timeouts"] = Timeouts(**dict(_timeouts(value, lines, problems)))
        elif name in ("keys", "oauth", "timeouts"):
            problems.append(ConfigError(line, f"{name} must be a table: [{name}]."))
        elif not isinstance(value, str):
            problems.append(ConfigError(line, f"{name} must be a text in quotes."))
        elif name == "density" and value not in DENSITIES:
            words = f"density is {' or '.join(DENSITIES)}, not {value!r}."
            problems.append(ConfigError(line, words))
        else:
            wanted[name] = value
    return Config(Preferences(**wanted), tuple(problems), lines)


def _timeouts(
    table: dict[str, Any], lines: Mapping[tuple[str, ...], int], problems: list[ConfigError]
) -> Iterator[tuple[str, float]]:
    for name, value in table.items():
        line = lines.get(("timeouts", name), 0)
        if name not in LIMITS:
            words = f"{name!r} is not a time-out. There are: {', '.join(LIMITS)}."
            problems.append(ConfigError(line, words))
        elif not _is_limit(value):
            words = f"timeouts.{name} must be a number of seconds, from 1 to 3600."
            problems.append(ConfigError(line, words))
        else:
            yield name, float(value)


def _is_limit(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 3600


def _oauth(
    table: dict[str, Any], lines: Mapping[tuple[str, ...], int], problems: list[ConfigError]
) -> Iterator[tuple[str, dict[str, str]]]:
    for name, entries in table.items():
        if not isinstance(entries, dict):
            words = f"oauth.{name} must be a table: [oauth.{name}]."
            problems.append(ConfigError(lines.get(("oauth", name), 0), words))
            continue
        good = {}
        for key, value in entries.items():
            line = lines.get(("oauth", name, key), 0)
            if key not in OAUTH_KEYS:
                known = ", ".join(OAUTH_KEYS)
                problems.append(
                    ConfigError(line, f"{key!r} is no setting of it. There are: {known}.")
                )
            elif not isinstance(value, str) or not value:
                problems.append(ConfigError(line, f"{key} must be a text in quotes."))
            else:
                good[key] = value
        yield name, good


def _keys(
    table: dict[str, Any],
    lines: Mapping[tuple[str, ...], int],
    problems: list[ConfigError],
    before: tuple[str, ...] = (),
) -> Iterator[tuple[str, str]]:
    """The entries of [keys]: `"list.down" = …`, `list.down = …` and [keys.list] are the same."""
    for name, value in table.items():
        path = (*before, *name.split("."))
        if isinstance(value, dict):
            yield from _keys(value, lines, problems, path)
        elif isinstance(value, str) and all(key.strip() for key in value.split(",")):
            yield ".".join(path), value
        else:
            words = f'{".".join(path)} must be keys in quotes, apart by commas, such as "j,down".'
            problems.append(ConfigError(lines.get(("keys", *path), 0), words))


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The line of each entry and table; a dot inside quotes counts as one outside."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _path(header)
            found.setdefault(table, number)
        elif entry := _ENTRY.match(line):
            found.setdefault(table + _path(entry), number)
    return found


def _path(match: re.Match[str]) -> tuple[str, ...]:
    parts = re.findall(_PART, match[1] + match[2])
    return tuple(".".join(part.strip("\"'") for part in parts).split("."))
