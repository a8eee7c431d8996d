"""What the tabs of a record have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import getters
from textual.containers import Vertical

from crmmail.store.database import Store
from crmmail.widgets.window_list import WindowList


class TabPane(Vertical):
    """One tab of a record: a list, and what belongs to it."""

    TITLE: ClassVar[str] = ""
    """The name of the tab; the pane's id is the same in lower case."""
    entries: getters.query_one[WindowList[Any]] = getters.query_one(".-entries", WindowList)
    """The list that has the keys when the tab is shown."""

    def __init__(self, store: Store, kind: int, record_id: int) -> None:
        super().__init__(id=self.TITLE.lower())
        self.store = store
        self.kind = kind
        self.record_id = record_id

    def reload(self) -> None:
        """Read again what the tab shows."""
        raise NotImplementedError

    def back(self) -> bool:
        """Whether there was something to go back to inside of the tab."""
        return False
