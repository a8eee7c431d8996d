"""Typed text that is not stored: leaving asks (U7), what ends the app keeps it (F8)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crmmail import own_files
from crmmail.following import FollowingApp
from crmmail.screens.question import QuestionScreen, TypingScreen
from crmmail.store import files


class UnsavedApp(FollowingApp, inherit_bindings=False):
    """An app that loses no typed text unasked."""

    typed_at: Path | None = None
    """Where the text is that stood in forms when the app was ended."""

    async def action_quit(self) -> None:
        self.leave_all(self.exit, "Quit, and discard what you typed?")

    def leave_all(self, then: Callable[[], object], words: str) -> None:
        """Do what leaves every screen; where that loses text, ask first, and once.

        What is wanted again while it is asked is confirmed. Another question gives way.
        """
        forms = (one for one in self.screen_stack if isinstance(one, TypingScreen))
        losing = next((one for one in forms if one.would_lose), None)
        asked = self.screen if isinstance(self.screen, QuestionScreen) else None
        if losing is None:
            then()
        elif asked is not None and asked.words == words:
            asked.action_answer(yes=True)
        else:
            if asked is not None:
                asked.action_answer(yes=False)
            losing.discard(then, words)

    def on_mount(self) -> None:
        if kept := files.unsaved(self.store.path):
            self.call_after_refresh(self._tell_kept, kept)

    def _tell_kept(self, kept: list[Path]) -> None:
        """Say where the text is that an end without a question has left."""
        words = f"Text that you typed in a form and did not save is in {kept[0]}."
        if len(kept) > 1:
            words += f" {len(kept) - 1} more of this kind are beside it."
        words += " This is said at each start until the file is deleted."
        self.notify(words, timeout=12, markup=False)

    def keep_unsaved(self) -> None:
        with suppress(Exception):  # the app ends for another reason
            self.keep_typed()

    def keep_typed(self) -> None:
        """Write what stands in forms and is not stored, but no password, to a file."""
        forms = (one for one in self.screen_stack if isinstance(one, TypingScreen))
        typed = "\n\n".join(filter(None, map(_typed, forms)))
        if typed and self.typed_at is None:
            path = files.free_name(self.store.path, f"{files.UNSAVED}-{files.dated('.txt')}")
            with own_files.new_file(path) as file:
                file.write(f"{typed}\n".encode())
            self.typed_at = path


def _typed(form: TypingScreen) -> str:
    """What stands in a form that would be lost with it.

    An error may have ended the app, and this form may be in pieces: others have their text still.
    """
    with suppress(Exception):
        if not form.would_lose:
            return ""
    with suppress(Exception):
        return form.unsaved()
    return ""
