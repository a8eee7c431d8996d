"""Values of the command line: each is checked before anything is done.

A value that an option cannot take is one sentence on stderr and exit code 2 (docs/cli.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from crmmail.accounts import credentials
from crmmail.cli.problems import ArgumentError, Exit
from crmmail.errors import CrmmailError
from crmmail.secrecy import masked
from crmmail.text import one_line

MOST = (1 << 63) - 1
"""The largest number that the store can hold."""
MANY = 1 << 31
"""More than any list has."""
_SHOWN = 60  # characters of a wrong value that are repeated
_LINE = 600  # characters of an error, at most
_LONG = re.compile(rf"\S{{{2 * _SHOWN},}}")

Checker = Callable[[typer.Context, typer.CallbackParam, Any], Any]
"""What typer calls with the value of an option or an argument."""


def run(app: typer.Typer, words: Sequence[str]) -> int:
    """Run a command; returns its exit code. A wrong command line raises ArgumentError."""
    try:
        _refuse_contradiction(_command(app), words)
        code: Any = _command(app)(list(words), prog_name="crmmail", standalone_mode=False)
    except typer.Abort:
        raise CrmmailError("Nothing was done.") from None
    except Exception as problem:
        if type(problem).__name__ == "NoArgsIsHelpError":  # typer has printed the command's help
            return Exit.USAGE
        if (said := _usage(problem)) is None:
            raise
        raise ArgumentError(said) from None
    return code if isinstance(code, int) else Exit.OK


def _refuse_contradiction(command: Any, words: Sequence[str]) -> None:
    """Refuse a switch that is given both ways: one of the two would silently win."""
    given = words[: words.index("--")] if "--" in words else words
    for word in given:
        command = getattr(command, "commands", {}).get(word, command)
    for param in command.params:
        for way, other in zip(param.opts, param.secondary_opts, strict=False):
            if way in given and other in given:
                raise ArgumentError(f"{way} and {other} contradict each other. Give one of them.")


_command = cache(typer.main.get_command)


def _usage(problem: Exception) -> str | None:
    """What typer says of a wrong command line, as one sentence; None for any other problem."""
    if not (hasattr(problem, "format_message") and hasattr(problem, "ctx")):
        return None
    param = getattr(problem, "param", None)
    if isinstance(problem, typer.BadParameter) and param is not None:
        if type(problem).__name__ == "MissingParameter":
            return f"{_name(param)}: it is missing."
        if getattr(param, "min", None) is not None:  # its words are those of a library of types
            return f"{_name(param)}: give a whole number from {param.min:,} to {param.max:,}."
        return f"{_name(param)}: {one_line(str(problem.message), _LINE) or 'it is missing.'}"
    said = one_line(str(problem.format_message()), _LINE).rstrip(".")
    stop = "" if said.endswith(("?", ")")) else "."
    command = problem.ctx.command_path if problem.ctx is not None else "crmmail"
    return f"{said}{stop} See: {command} --help"


def _name(param: Any) -> str:
    """An option as it is typed, an argument as the help calls it."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name.upper()).strip("[].")


def quoted(value: str) -> str:
    """A value that was typed, as an error repeats it: on one line, and not at any length."""
    line = one_line(masked(value), _SHOWN + 1)
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…")


def checked(check: Callable[[str], object]) -> Checker:
    """A callback for typer that refuses what `check` raises an error for, and an empty value.

    The command gets the value as it was typed. What was not given is not checked.
    """

    def callback(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
        if value is None or _is_default(ctx, param):
            return value
        for one in value if isinstance(value, list | tuple) else [value]:
            with of(_name(param)):
                if not str(one).strip():
                    raise CrmmailError("a value is missing.")
                check(str(one))
        return value

    return callback


def _is_default(ctx: typer.Context, param: typer.CallbackParam) -> bool:
    source = ctx.get_parameter_source(param.name or "")
    return source is None or source.name in ("DEFAULT", "DEFAULT_MAP")


def one_of(*among: str) -> Checker:
    """A callback for what takes these values only."""
    return checked(lambda value: choose(value, among))


def choose(value: str, among: Collection[str]) -> str:
    """The value, or an error that names those that there are."""
    if value not in among:
        raise CrmmailError(f"{quoted(value)} is not one of: {', '.join(among)}.")
    return value


def _anything(_value: str) -> None:
    """Any text will do, but for none."""


def argument(metavar: str, check: Checker, words: str) -> Any:
    """An argument of a command that is checked, with its help."""
    return typer.Argument(metavar=metavar, callback=check, help=words)


def option(*names: str, check: Checker, words: str, metavar: str | None = None) -> Any:
    """An option of a command that is checked, with its help; it is called as its parameter."""
    return typer.Option(*names, metavar=metavar, callback=check, help=words)


some = checked(_anything)
"""A callback for a text that cannot be empty."""


def is_file(value: str) -> None:
    """Refuse what cannot be the name of a file; `-` is standard output."""
    if value == "-":
        return
    try:
        found = Path(value).is_dir()
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else "it contains a zero byte"
        raise CrmmailError(f"{quoted(value)} cannot be a file: {said}.") from None
    if found:
        raise CrmmailError(f"{quoted(value)} is a directory.", "Give the name of a file.")


file = checked(is_file)
"""A callback for the name of a file, which may be there or not."""


def text(words: str, metavar: str | None = None) -> Any:
    """An option for a text that cannot be empty."""
    return option(check=some, words=words, metavar=metavar)


def choice(among: Collection[str], words: str) -> Any:
    """An option for one of several words, which its help names."""
    return option(check=one_of(*among), words=words, metavar="|".join(among))


def password_env(words: str, *names: str) -> Any:
    """An option for the environment variable with a password."""
    check = checked(credentials.environment_reference)
    return option(*names, check=check, words=words, metavar="NAME")


def password_command(words: str, *names: str) -> Any:
    """An option for a command that prints a password."""
    check = checked(credentials.command_reference)
    return option(*names, check=check, words=words, metavar="COMMAND")


@contextmanager
def of(option: str) -> Iterator[None]:
    """What is refused in this block is a wrong value of that option."""
    try:
        yield
    except ArgumentError:
        raise
    except CrmmailError as problem:
        words = " ".join(filter(None, (str(problem), problem.hint)))
        words = _LONG.sub(lambda found: f"{found[0][:_SHOWN]}…", words[:10_000])
        raise ArgumentError(f"{option}: {one_line(words, _LINE)}") from problem


Id = Annotated[int, typer.Argument(metavar="ID", min=0, max=MOST, help="Its id, from a list.")]
Limit = Annotated[int | None, typer.Option(min=0, max=MANY, help="At most so many.")]
