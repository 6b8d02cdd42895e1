"""The thread that talks to a venue: one event loop that reconciles, works, settles and closes."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from trading.domain.venue import Books, VenueStatus
from trading.errors import StateFailed

log = logging.getLogger(__name__)

START_S = 60.0
STOP_S = 10.0
SETTLE_S = 10.0
LOOK_S = 1.0
FIRST_S, LONGEST_S = 1.0, 30.0


class VenueThread:
    """Runs a broker's coroutines (`recover`, `run`, `settle`) on a loop of its own, and closes its venue there.

    `look` is called there every second. `failed` hears, there too, when the broker's work ends with an error: it
    begins anew after a pause, and stops and exits go on.
    """

    def __init__(self, broker: Any, venue: Any, failed: Callable[[str], None], look: Callable[[], None]) -> None:
        self._broker, self._venue, self._failed, self._look = broker, venue, failed, look
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self, books: Books, within_s: float = START_S) -> None:
        """Reconcile; return when the account can be traded, and go on working.

        Raises
        ------
        CockpitError
            As the broker's `recover`; StateFailed when it takes too long. Nothing is left running then.
        """
        recovered: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(books, recovered), name="venue", daemon=True)
        self._thread.start()
        try:
            recovered.result(within_s)
        except TimeoutError:
            self.stop()
            raise StateFailed(f"the account could not be reconciled within {within_s:g} s: nothing is traded") from None
        except BaseException:
            self.stop()
            raise

    def settle(self, within_s: float = SETTLE_S) -> bool:
        """Cancel entries, keep stops, wait for what is on its way; return whether nothing is left open."""
        loop = self._loop
        if loop is None or self._thread is None or not self._thread.is_alive():
            return False
        asked = asyncio.run_coroutine_threadsafe(self._broker.settle(), loop)
        try:
            return bool(asked.result(within_s + 1.0))
        except Exception as error:
            log.warning("settling failed: %s: %s", type(error).__name__, error)
            return False

    def stop(self) -> None:
        """Stop within seconds; what was sent and not answered is asked for at the next start."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)
        if self._thread is not None:
            self._thread.join(STOP_S)

    def status(self) -> VenueStatus:
        """Return how the broker stands."""
        status: VenueStatus = self._broker.status()
        return status

    def _run(self, books: Books, recovered: Future[None]) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._work(books, recovered))

    async def _work(self, books: Books, recovered: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        stopped, looking = asyncio.ensure_future(self._stop.wait()), asyncio.ensure_future(self._keep_looking())
        try:
            if await self._recovered(books, recovered, stopped):
                await self._until(stopped)
        finally:
            stopped.cancel()
            await _cancelled(looking)
            with suppress(Exception):
                await self._venue.close()

    async def _recovered(self, books: Books, recovered: Future[None], stopped: asyncio.Future[Any]) -> bool:
        work = asyncio.ensure_future(self._broker.recover(books))
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await _cancelled(work)
            return False
        error = work.exception()
        if error is not None:
            recovered.set_exception(error)
            return False
        recovered.set_result(None)
        return True

    async def _until(self, stopped: asyncio.Future[Any]) -> None:
        """Let the broker work until it is stopped; when its work ends with an error, say so and begin it anew."""
        pause = FIRST_S
        while not self._stop_is_set():
            work = asyncio.ensure_future(self._broker.run())
            await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
            if work.done() and not work.cancelled() and not self._stop_is_set():
                error = work.exception()
                log.error("the connection to the venue failed", exc_info=error)
                self._failed(f"{type(error).__name__}: {error}" if error else "it ended by itself")
                await asyncio.wait((stopped,), timeout=pause)
                pause = min(LONGEST_S, pause * 2)
            await _cancelled(work)

    async def _keep_looking(self) -> None:
        while True:
            try:
                self._look()
            except Exception:
                log.exception("a look at the venue failed")
            await asyncio.sleep(LOOK_S)

    def _stop_is_set(self) -> bool:
        return self._stop is not None and self._stop.is_set()


async def _cancelled(work: asyncio.Future[Any]) -> None:
    work.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await work
