"""The account's events for ever: subscribed to again and again, for as long as someone listens."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from trading.binance.client import BinanceClient
from trading.binance.ws_api import SUBSCRIBED, StreamLost, Subscription
from trading.domain.venue import Purpose

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How patient to be with the user stream. Times in seconds.

    Attributes
    ----------
    connect_s : to open a connection; `answer_s` : for the answer to a request on it
    ping_s : silence after which the connection is asked whether it lives; `pong_s` : for the answer to that
    echo_s : how long after an order's answer by REST its event may take before the stream counts as mute
    renew_s : age at which a connection is replaced; the venue ends it after 24 h
    backoff_s, backoff_cap_s : first and longest pause before a new attempt, halved at most by jitter
    steady_s : a connection that lived so long resets the back-off
    seed : of the jitter
    """

    connect_s: float = 5.0
    answer_s: float = 5.0
    ping_s: float = 1.0
    pong_s: float = 3.0
    echo_s: float = 5.0
    renew_s: float = 23 * 3600.0
    backoff_s: float = 1.0
    backoff_cap_s: float = 30.0
    steady_s: float = 30.0
    seed: int = 0


class UserStream:
    """Events of one account (see `trading.domain.venue.Venue.user_events`).

    `state` is for the screen: live, or why it is not; `n_subscribed` counts subscriptions.
    """

    def __init__(self, client: Callable[[], BinanceClient], options: StreamOptions | None = None) -> None:
        self._client = client
        self._options = options or StreamOptions()
        self._rng = random.Random(self._options.seed)
        self._current: Subscription | None = None
        self._n_short = 0
        self.n_subscribed = 0
        self.state = "connecting"

    async def events(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield events. A task of its own keeps the connection, so that a slow listener does not break it."""
        events: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        keeper = asyncio.create_task(self._keep(events.put_nowait), name="user-stream")
        keeper.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            keeper.result()
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    def renew(self, why: str) -> None:
        """Replace the connection: someone knows that events are missing, or that time has jumped."""
        if self._current is not None:
            self._current.end(why, is_planned=True)

    def heard(self) -> tuple[Subscription | None, int]:
        """Return a mark of what came so far, for `expect_more`."""
        current = self._current
        return current, current.n_events if current else 0

    def expect_more(self, mark: tuple[Subscription | None, int]) -> None:
        """Count the stream as mute if nothing comes since a mark within `echo_s`: REST knows of an event."""
        if mark[0] is not None and self.heard() == mark:
            asyncio.get_running_loop().call_later(self._options.echo_s, self._check, mark)

    def _check(self, mark: tuple[Subscription | None, int]) -> None:
        if self.heard() == mark:
            self.renew(f"mute: REST knows of an event that did not come within {self._options.echo_s:g} s")

    async def _keep(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        while True:
            began = _clock()
            try:
                await self._run_once(take)
            except StreamLost as lost:
                self._current = None
                pause_s = self._pause_s(lost, _clock() - began)
                self.state = f"connecting: {lost}"
                log.warning("user stream: %s; again in %.1f s", lost, pause_s)
            await asyncio.sleep(pause_s)

    async def _run_once(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        options = self._options
        opening = Subscription.subscribed(self._client(), take, options.connect_s, options.answer_s)
        async with opening as subscription:
            self._current, self.state = subscription, "live"
            self.n_subscribed += 1
            take(SUBSCRIBED)
            subscription.release()
            await self._watch(subscription)

    async def _watch(self, subscription: Subscription) -> None:
        """Wait until the subscription must go: lost, renewed, silent, or old."""
        options = self._options
        while True:
            old_at = subscription.opened_at + options.renew_s
            allowed_at = _clock() + self._client().wire.governor.wait_s(Purpose.RECONCILE, 0)
            ask_at = max(subscription.heard_at + options.ping_s, allowed_at)
            await asyncio.wait({subscription.lost}, timeout=max(0.0, min(ask_at, old_at) - _clock()))
            if subscription.lost.done():
                raise subscription.lost.result()
            if _clock() >= old_at:
                raise StreamLost(f"renewed after {options.renew_s:g} s", is_planned=True)
            if _clock() >= max(ask_at, subscription.heard_at + options.ping_s):
                await subscription.ping(options.pong_s)

    def _pause_s(self, lost: StreamLost, lived_s: float) -> float:
        """Return the pause before the next attempt: none before the first replacement in good order."""
        self._n_short = 0 if lived_s >= self._options.steady_s else self._n_short + 1
        if lost.is_planned and self._n_short <= 1:
            return 0.0
        longest = min(self._options.backoff_cap_s, self._options.backoff_s * 2.0 ** min(max(self._n_short - 1, 0), 30))
        return longest * (1 + self._rng.random()) / 2


def _clock() -> float:
    return asyncio.get_running_loop().time()
