"""demo: the app on a sample mailbox, offline, gone when it ends."""

from __future__ import annotations

from crmmail import temporary
from crmmail.cli.output import examples
from crmmail.cli.problems import need_terminal

EXAMPLES = examples("crmmail demo")


def demo() -> None:
    """Open the app on a sample mailbox behind a mail server of its own. Needs no network.

    Your own store is not touched, and nothing stays behind.
    """
    need_terminal()
    from crmmail.app import run
    from crmmail.demo.run import Demo

    with temporary.folder("demo") as folder, Demo(folder) as sample:
        sample.start_deliveries()
        run(sample.store_path)
