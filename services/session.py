"""Clicks become commands: posted to the engine, answered by it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from trading.bus import Bus
from trading.events import Command, CommandAnswered, StateSaved

ANSWER_TIMEOUT_S = 10.0


class SessionService:
    """Posts commands and matches answers to those who wait."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Future[CommandAnswered]]] = {}
        self._lock = threading.Lock()
        self._answers: list[CommandAnswered] = []
        bus.subscribe(CommandAnswered, self._answers.append)
        bus.subscribe(StateSaved, self._on_saved)

    async def send(self, kind: str, nonce: str, version: int | None = None, **arguments: Any) -> CommandAnswered:
        """Post a command and wait for the engine's answer; says so when none comes in time."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[CommandAnswered] = loop.create_future()
        with self._lock:
            if nonce in self._waiting:
                return CommandAnswered(nonce, kind, False, "this command is on its way already")
            self._waiting[nonce] = (loop, future)
        self._bus.post(Command(kind, nonce, version, arguments))
        try:
            return await asyncio.wait_for(future, ANSWER_TIMEOUT_S)
        except TimeoutError:
            return CommandAnswered(nonce, kind, False, "the engine has not answered; look at the log first")
        finally:
            with self._lock:
                self._waiting.pop(nonce, None)

    def _on_saved(self, _: StateSaved) -> None:
        """Hand out answers only now: what they promise is durable."""
        for answer in self._answers:
            with self._lock:
                waiting = self._waiting.get(answer.nonce)
            if waiting is not None:
                loop, future = waiting
                loop.call_soon_threadsafe(_settle, future, answer)
        self._answers.clear()


def _settle(future: asyncio.Future[CommandAnswered], answer: CommandAnswered) -> None:
    if not future.done():
        future.set_result(answer)
