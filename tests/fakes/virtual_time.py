"""An asyncio loop whose clock jumps to the next deadline instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Jumping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Look without waiting; the time that would have been waited has passed."""
        if timeout is not None and timeout > 0:
            self.time += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that runs hours in a moment, the same way each time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time

    def stand(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as when a call blocks."""
        self._jumping.time += seconds
