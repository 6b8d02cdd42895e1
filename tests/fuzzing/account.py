"""Answers to every call of the broker, and frames of the account's stream, gone wrong while a position stands.

Engine, broker and the exchange's core run on a virtual clock; answers and frames go through the readers of the real
client (`trading.binance.answers`, `ws_api`). The agent holds: whatever is bought was bought by a message.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

from tests.fakes.binance_wire import CANARY, WireFake
from tests.fakes.exchange_venue import CALM
from tests.fuzzing.spoiling import spoilt
from tests.trading.live_bench import SETTINGS, LiveBench
from trading.binance.answers import Reply, document_of, error_of, failure, fits
from trading.binance.client import BinanceClient
from trading.binance.ws_api import Subscription
from trading.domain import Fill
from trading.domain.venue import Call
from trading.errors import CockpitError
from trading.events import OrderFilled
from trading.simulation.exchange import VenueError

HASTY = replace(SETTINGS, orders_s=0.3, balances_s=0.3)
A_LIFE = 1_500
"""So many messages meet one cockpit; then a fresh one, since most of what it believes is wrong by then."""
STATUSES = (200, 200, 200, 200, 200, 200, 400, 401, 403, 404, 409, 418, 429, 500, 503)
ANSWERS = (
    '{"id":"cockpit-1","status":200,"result":{},"rateLimits":[]}',
    '{"id":"cockpit-1","status":400,"error":{"code":-1021,"msg":"Timestamp for this request is outside."}}',
    '{"event":{"e":"serverShutdown","E":1770123456789}}',
)
SPOILT = 0.6
STEP_S = 0.5
FRAMES_A_STEP, JOBS_A_STEP = 4, 4


@dataclass
class Found:
    """How many messages there were, what they led to, and what should not have been."""

    n_bodies: int = 0
    n_frames: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Life:
    """One cockpit with a position and its stop, then nothing but trouble."""

    def __init__(self, seed: int, found: Found) -> None:
        self.dice, self.found = Random(seed), found
        self.bench = LiveBench(seed, settings=HASTY)
        self.events: list[dict[str, Any]] = []
        self.bench.exchange.on_account.append(lambda account, event: self.events.append(dict(event)))
        self.bench.start().buy(seconds=5)
        self.bench.exchange.deposit(self.bench.account, "USDT", Decimal(1))
        self.bench.wait(1.0)
        self.n_honest = len(self.bench.venue.posts())
        self.bench.venue.send = self._send  # type: ignore[method-assign]

    def run(self, n_messages: int) -> None:
        """Let so many messages come."""
        until = self.found.n_bodies + self.found.n_frames + n_messages
        self.bench.run(self._open())
        while self.found.n_bodies + self.found.n_frames < until:
            self.bench.run(self._frames())
            self.bench.run(self._jobs())
            self.bench.move("BTCUSDT", round(20_000 + self.dice.uniform(-5, 5), 2))
            self.bench.candle()
            self.bench.wait(STEP_S)
        self.bench.run(self._client.close_connection())
        self._judge()
        self.bench.close()

    async def _open(self) -> None:
        self._client = BinanceClient(WireFake().environment, CANARY)
        self._subscription = Subscription(self._client, self._take, 1)
        self._subscription.release()

    async def _frames(self) -> None:
        for _ in range(FRAMES_A_STEP):
            event = json.dumps({"subscriptionId": 0, "event": self.dice.choice(self.events)})
            message = spoilt(self.dice.choice((event, event, event, *ANSWERS)), self.dice)
            self._subscription._socket._handle_message(message if self.dice.random() < 0.5
                                                       else message.decode("utf-8", "replace"))
            self.found.n_frames += 1

    async def _jobs(self) -> None:
        """Ask what the broker asks, more often than it would."""
        broker = self.bench.cockpit.broker
        look, hands = broker._reconciler, broker._reconciler._hands
        orders = list(hands.office.blotter.orders.values())

        async def query() -> None:
            await hands.sender.query(self.dice.choice(orders))

        async def fetch() -> None:
            await hands.fills.fetch(self.dice.choice(orders))

        async def refresh() -> None:
            await hands.refresh("BTCUSDT")

        async def search() -> None:
            await hands.sender._rows_since(self.dice.choice(orders))

        jobs = (query, fetch, refresh, search, look.sweep, look._balances.check, broker._recovery.look_at_paused)
        for _ in range(JOBS_A_STEP):
            await look._tried(self.dice.choice(jobs))

    def _take(self, event: Mapping[str, Any]) -> None:
        for queue in self.bench.venue._listeners:
            queue.put_nowait(event)

    async def _send(self, call: Call) -> Any:
        """Let the exchange do it, and spoil what it says about it, as a client would read that."""
        venue = self.bench.venue
        await asyncio.sleep(0.002)
        result = venue._answer(call, CALM)
        status = result.status if isinstance(result, VenueError) else 200
        text = json.dumps(result.document() if isinstance(result, VenueError) else result)
        self.found.n_bodies += 1
        self.found.calls[f"{call.method} {call.path}"] += 1
        if self.dice.random() < SPOILT:
            text, status = spoilt(text, self.dice).decode("utf-8", "replace"), self.dice.choice(STATUSES)
        document = document_of(Reply(status, {}, text))
        if 200 <= status < 300 and fits(call, document):
            return document
        raise failure(call, status, error_of(document))

    def _judge(self) -> None:
        bought = [call for call in self.bench.venue.posts()[self.n_honest:]
                  if "BUY" in (call.params.get("side"), call.params.get("workingSide"))]
        self.found.wrong += [f"an order: {call.params}" for call in bought]
        self.found.wrong += [f"{type(error).__name__}: {error}" for error in self.bench.failures]
        fills = [event.fill for event in self.bench.heard(OrderFilled)]
        self.found.wrong += [f"no execution: {fill}" for fill in fills if not _is_sound(fill)]
        baseline = self.bench.store.baseline() or {}
        self.found.wrong += [f"no holding: {asset} {held}" for asset, held in baseline.items() if not held.is_finite()]


def _is_sound(fill: Fill) -> bool:
    return fill.lots > 0 and fill.price_ticks > 0 and fill.trade_id >= 0 and 0 <= fill.time < 2**53 and \
        min(fill.quote_units, fill.fee_atoms, fill.fee_quote_units) >= 0


class _Errors(logging.Handler):
    """What was logged as an error is an exception of no kind that was expected."""

    def __init__(self, found: Found) -> None:
        super().__init__(logging.ERROR)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, CockpitError):
            where = error.__traceback__ if error else None
            while where and where.tb_next:
                where = where.tb_next
            place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""
            self.found.wrong.append(f"{record.getMessage()}: {type(error).__name__}: {str(error)[:200]} at {place}")


@contextmanager
def _listening(found: Found) -> Iterator[None]:
    handler, root = _Errors(found), logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    try:
        yield
    finally:
        root.handlers = before


def run(n_messages: int, seed: int) -> Found:
    """Return what so many messages led to."""
    found, life = Found(), 0
    with _listening(found):
        while (left := n_messages - found.n_bodies - found.n_frames) > 0:
            Life(seed * 100_003 + life, found).run(min(left, A_LIFE))
            life += 1
    return found
