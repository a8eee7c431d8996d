"""dump: the logical content of the store, to compare and to keep."""

from __future__ import annotations

from crmmail.cli.output import examples, open_store, write
from crmmail.store import dump as store_dump
from crmmail.text import in_json

EXAMPLES = examples("crmmail dump > before.jsonl", "diff before.jsonl <(crmmail dump)")


def dump() -> None:
    """Print all that the store says, sorted, one JSON object a line.

    Without row ids and times of sync: two stores that say the same print the same bytes.
    """
    with open_store() as store:
        for line in store_dump.dump(store.read()):
            write(in_json(line) + "\n")
