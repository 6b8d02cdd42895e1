"""An event loop of one's own, that ends when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Event as Stop
from threading import Thread
from typing import Any, TypeVar

from trading.errors import FeedFailed

POLL_S = 0.1

Result = TypeVar("Result")


def run_alone(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a new loop on this thread, like `asyncio.run` but without waiting for a hanging DNS lookup."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_cancel(asyncio.all_tasks(loop)))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run_aside(main: Callable[[], Coroutine[Any, Any, Result]], name: str, patience_s: float | None = None) -> Result:
    """Run a coroutine in a loop on another thread and return its result: works whether or not a loop runs here.

    Raises
    ------
    FeedFailed
        If it is not done after `patience_s`.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(run_alone(main()))
        except BaseException as error:  # handed to the caller's thread
            errors.append(error)

    thread = Thread(target=target, name=name, daemon=True)
    thread.start()
    thread.join(patience_s)
    if errors:
        raise errors[0]
    if not results:
        raise FeedFailed(f"{name}: no answer within {patience_s} s")
    return results[0]


async def until_stopped(work: Coroutine[Any, Any, None], stop: Stop) -> None:
    """Run a coroutine, and cancel it when a thread sets `stop`; its own errors are raised."""
    task = asyncio.ensure_future(work)
    while not stop.is_set() and not task.done():
        await asyncio.wait({task}, timeout=POLL_S)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()
