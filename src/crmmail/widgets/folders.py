"""Completing the path of a folder while it is typed."""

from __future__ import annotations

from pathlib import Path

from textual.suggester import Suggester

_MOST = 2_000  # entries of a folder that are looked at


class FolderSuggester(Suggester):
    """Suggests the first folder that begins as the last part of the path does."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The path, completed to a folder, or None."""
        head, slash, begun = value.rpartition("/")
        if not slash or not begun:
            return None
        names = []
        try:
            entries = Path(head or "/").expanduser().iterdir()
            for _, entry in zip(range(_MOST), entries, strict=False):
                if entry.name.startswith(begun) and entry.is_dir():
                    names.append(entry.name)
        except (OSError, RuntimeError, ValueError):  # `~name` of a user who does not exist
            return None
        return f"{head}/{min(names)}/" if names else None
