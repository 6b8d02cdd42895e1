"""A cockpit in a process of its own, to be killed: it arms itself and buys when it is told to on its input.

Run by test_orders: `python -m tests.faults.child FOLDER URL`.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tests.faults.scene import Scene


def main(folder: str, url: str) -> None:
    """Trade on an exchange of another process until killed."""
    exchange = SimpleNamespace(urls={"rest": url, "streams": url.replace("http", "ws")})
    scene = Scene(Path(folder), cast(Any, exchange)).start()
    print("armed", flush=True)
    for word in sys.stdin:
        scene.say(word.strip())


if __name__ == "__main__":
    main(*sys.argv[1:])
