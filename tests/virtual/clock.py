"""An asyncio loop whose time jumps to the next thing that is due."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
GENESIS_MS = 1_700_000_000_000


class Stuck(Exception):
    """Everybody waits for something that nobody will bring."""


class _Jump(selectors.DefaultSelector):
    """Instead of waiting, moves the loop's clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready; when nothing is, `timeout` seconds are over at once."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stuck("nothing is scheduled and nobody can wake the loop")
            self.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at 0 s and never sleeps. One thread only: nothing from outside can wake it."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jump.now

    def now_ms(self) -> int:
        """Return the virtual wall clock, UTC ms."""
        return GENESIS_MS + round(self._jump.now * 1000)


def run(main: Coroutine[Any, Any, Result], loop: VirtualLoop) -> Result:
    """Run a coroutine to its end on virtual time and close the loop; what it left running is cancelled."""
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
