"""Run a script that ends with whoever started it: `python -m services.rehearsal.leash SCRIPT ARGUMENTS...`.

The other end of standard input closes when that process ends, also by kill -9.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading

ORPHANED = 3


def main(arguments: list[str]) -> None:
    """Watch standard input and run the script."""
    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()
    sys.argv = arguments
    runpy.run_path(arguments[0], run_name="__main__")


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    main(sys.argv[1:])
