"""Trade without a screen: replays run to the end of their candles, live feeds until they are stopped."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from trading.engine import Engine
from trading.events import CandleClosed, Event
from trading.ports import Feed

PROGRESS_AFTER_S = 2.0


class Interrupted(Exception):
    """The run was stopped before its end; what was done is kept."""


def run_replay(engine: Engine, feed: Feed, n_bars: int) -> None:
    """Feed every candle through the engine on this thread and make the end durable.

    Raises
    ------
    Interrupted
        On SIGINT or SIGTERM: the account is saved, and the same command goes on from there.
    """
    with stop_on_signals() as stop, _progress(n_bars) as bar:
        def post(event: Event) -> None:
            engine.handle(event)
            if type(event) is CandleClosed:
                bar.update()

        feed.run(post, dict(engine.cursor), stop)
        engine.save()
        if stop.is_set():
            raise Interrupted


class Console:
    """Stands where a screen would: says bad news on standard error and ends the wait."""

    def __init__(self) -> None:
        self.is_dirty = False
        self._over = threading.Event()

    def refresh(self) -> None:
        """Nothing to draw."""

    def halt(self, reason: str) -> None:
        """Say that the engine stopped, and stop waiting."""
        print(f"halted: {reason}", file=sys.stderr)
        self._over.set()

    def feed_failed(self, reason: str) -> None:
        """Say that the feed ended with an error, and stop waiting."""
        print(f"the feed failed: {reason}", file=sys.stderr)
        self._over.set()

    def wait(self, stop: threading.Event | None = None) -> bool:
        """Block until `stop` (by default SIGINT or SIGTERM) or bad news; return whether a person stopped it."""
        if stop is None:
            with stop_on_signals() as signalled:
                return self.wait(signalled)
        while not self._over.is_set() and not stop.wait(0.2):
            pass
        return not self._over.is_set()


@contextmanager
def on_signals(action: Callable[[], None]) -> Iterator[None]:
    """Call `action` on SIGINT and SIGTERM, instead of what they did before."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: action()) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Return an event that SIGINT and SIGTERM set while the block runs."""
    stop = threading.Event()
    with on_signals(stop.set):
        yield stop


def _progress(n_bars: int) -> Any:
    return tqdm(total=n_bars, unit=" bars", unit_scale=True, delay=PROGRESS_AFTER_S, mininterval=0.5,
                disable=None, file=sys.stderr)
