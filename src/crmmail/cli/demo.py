"""demo: the app on a sample mailbox, offline, gone when it ends."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path

from crmmail.cli.output import examples
from crmmail.errors import CrmmailError

EXAMPLES = examples("crmmail demo")


def demo() -> None:
    """Open the app on a sample mailbox behind a mail server of its own. Needs no network.

    Your own store is not touched, and nothing stays behind.
    """
    if find_spec("pymap") is None:
        raise CrmmailError(
            "The demo's mail server is not installed.", "Install it: pip install 'crmmail[demo]'"
        )
    from crmmail.app import run
    from crmmail.demo.run import Demo

    with (
        tempfile.TemporaryDirectory(prefix="crmmail-demo-") as folder,
        Demo(Path(folder)) as sample,
    ):
        sample.start_deliveries()
        run(sample.store_path)
