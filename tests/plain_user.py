"""Running crmmail as somebody who may not read everything: root may, and tests often are root."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

from tests.patience import PATIENCE

_DROP = 24  # PR_CAPBSET_DROP of prctl(2)
_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


def crmmail(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command for which the modes of files hold, also as root."""
    return subprocess.run(
        [sys.executable, "-m", "crmmail", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=_obey_modes,
    )


def _obey_modes() -> None:
    if os.getuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in _OVERRIDES:
            libc.prctl(_DROP, capability, 0, 0, 0)
