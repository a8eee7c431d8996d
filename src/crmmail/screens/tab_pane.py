"""What the tabs of a record have in common."""

from __future__ import annotations

from array import array
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

    def __init__(self, store: Store) -> None:
        super().__init__(id=self.TITLE.lower())
        self.store = store
        self.kind = self.record_id = 0

    @property
    def record(self) -> tuple[int, int]:
        """The kind and the id of the record: what a thread has read may be of another by then."""
        return self.kind, self.record_id

    def turn_to(self, kind: int, record_id: int) -> None:
        """Be for a record, as if for the first time; reload() comes when the tab is shown."""
        self.kind, self.record_id = kind, record_id
        self.workers.cancel_node(self)
        self.entries.show(array("q"), keep=False)

    def reload(self) -> None:
        """Read again what the tab shows."""
        raise NotImplementedError

    def filter(self) -> bool:
        """Let the tab's rows be filtered while one types; whether that can be done."""
        return False

    def back(self) -> bool:
        """Whether there was something to go back to inside of the tab."""
        return False
