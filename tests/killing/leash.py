"""No process of a campaign outlives the one that started it, however that ends (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of linux/prctl.h."""


def end_with_parent() -> None:
    """Be killed when the parent ends."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(3)
