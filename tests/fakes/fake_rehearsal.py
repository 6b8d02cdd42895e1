"""A rehearsal without processes: it starts, runs and ends at once, follows a clock, and does as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np

from services.rehearsal.catalog import CARDS
from tests.fakes import fake_runs
from tests.fakes.fake_cockpit import PRICES, STATUS, picture
from trading.domain.backtests import MarketChoice
from trading.domain.rehearsal import (
    DIFFERENT,
    EQUAL,
    IDLE,
    RUNNING,
    STARTING,
    BookView,
    Difference,
    FaultView,
    OracleView,
    PrintView,
    RehearsalRequest,
    RehearsalUrls,
    RehearsalView,
    RequestView,
)
from trading.errors import BadInput

START = 1_790_000_000_000
URLS = RehearsalUrls("http://127.0.0.1:9321", "ws://127.0.0.1:9321", "ws://127.0.0.1:9321/ws-api/v3")
LOST = (
    Difference("fill", "BTCUSDT 4711", "BUY 0.0123 at 67012.5", "not there", START - 14_000),
    Difference("balance", "BTC", "1.0222877", "1.01", START - 14_000),
)
PATHS = (("GET", "account"), ("POST", "order"), ("POST", "orderList/oco"), ("GET", "openOrders"), ("GET", "myTrades"),
         ("DELETE", "orderList"), ("GET", "klines"))


def book(symbol: str, step: int) -> BookView:
    """Draw an order book round the last price."""
    draw, middle = np.random.default_rng(step), Decimal(PRICES[symbol])

    def side(sign: int) -> tuple[tuple[Decimal, Decimal, Decimal], ...]:
        sizes = draw.gamma(1.6, 0.9, 10)
        rows = [(middle + sign * Decimal(i * 12 + 3) / 100, Decimal(f"{size:.5f}"), Decimal(0))
                for i, size in enumerate(sizes)]
        rows[4] = (*rows[4][:2], Decimal("0.045") if sign > 0 else Decimal(0))
        return tuple(rows)

    return BookView(symbol, f"{symbol[:-4]}/USDT", 2, side(-1), side(1))


def prints(symbols: tuple[str, ...], step: int) -> tuple[PrintView, ...]:
    """Draw the newest trades."""
    draw, made = np.random.default_rng(step + 1), []
    for i in range(24):
        symbol = symbols[i % len(symbols)]
        price = Decimal(PRICES[symbol]) + Decimal(int(draw.integers(-40, 40))) / 100
        side = "BUY" if draw.random() < 0.5 else "SELL"
        quantity = Decimal(f"{draw.gamma(1, .1):.5f}")
        made.append(PrintView(START + (step - i) * 700, symbol, price, quantity, side, is_ours=i == 4))
    return tuple(made)


def requests(step: int) -> tuple[RequestView, ...]:
    """Draw a stretch of requests, some of which went wrong."""
    draw = np.random.default_rng(3)
    made = []
    for i in range(160 + step):
        method, path = PATHS[int(draw.integers(len(PATHS)))]
        ms, bad = float(draw.lognormal(1.2, 0.6)), draw.random()
        kinds = ((0.03, 0, "drop_reply"), (0.06, 503, "http_503"), (0.09, 400, ""), (2, 200, ""))
        _, status, fault = next(kind for kind in kinds if bad < kind[0])
        made.append(RequestView(START + i * 900, method, path, status, 5_000.0 if not status else ms, fault))
    return tuple(made[-120:])


class FakeRehearsal:
    """Implements `RehearsalPort`; `stuck` stays in its start, `broken` shows ledgers that differ."""

    def __init__(self, *, stored: bool = True, stuck: bool = False, empty: bool = False, broken: bool = False,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.stored, self.stuck, self.empty, self.broken, self.clock = stored, stuck, empty, broken, clock
        self.lock = threading.Lock()
        self.on: set[str] = set()
        self.struck: dict[str, int] = {}
        self.asked: list[RehearsalRequest] = []
        self.state, self.failure = IDLE, ""
        self.is_released = False
        self.began = clock()

    def symbols(self) -> tuple[str, ...]:
        """Four."""
        return tuple(PRICES)

    def markets(self) -> tuple[MarketChoice, ...]:
        """Those of the fake backtests."""
        return fake_runs.MARKETS if self.stored else ()

    def view(self) -> RehearsalView:
        """Return a moving picture."""
        with self.lock:
            step = int((self.clock() - self.began) * 2)
            request = self.asked[-1] if self.asked else None
            base = RehearsalView(step, self.state, request=request, started=START - 134_000, now=START + step * 500,
                                 faults=self._faults())
            if request is None:
                return base
            if self.state == STARTING:
                return replace(base, detail="the exchange starts", pid=4242)
            if self.failure:
                return replace(base, detail=self.failure, tail=("listening on 9321", f"error: {self.failure}"))
            return self._running(base, request, step)

    def _faults(self) -> tuple[FaultView, ...]:
        known = self.state == RUNNING
        return tuple(FaultView(c, known and c.name != "dns_down", c.name in self.on, self.struck.get(c.name, 0),
                               "rate 0.2" if c.name in self.on else "") for c in CARDS)

    def _running(self, base: RehearsalView, request: RehearsalRequest, step: int) -> RehearsalView:
        oracle = OracleView(DIFFERENT if self.broken else EQUAL, base.now - 3_000, 34, 21, 3, 40 + step // 6, 0,
                            LOST if self.broken else ())
        return replace(
            base, urls=URLS, pid=4242, books=tuple(book(s, step) for s in request.symbols),
            prints=prints(request.symbols, step), requests=() if self.empty else requests(step),
            n_minute=0 if self.empty else 184, p50_ms=None if self.empty else 3.2,
            p95_ms=None if self.empty else 11.8, oracle=OracleView() if self.empty else oracle,
            account=picture(base.now, empty=self.empty),
            venue=replace(STATUS, quarantined=(), in_flight=(), n_unknown=0, n_posts=0, post_p95_ms=None,
                          unprotected_worst_ms=0) if self.empty else replace(
                              STATUS, quarantined=() if self.is_released else STATUS.quarantined))

    def start(self, request: RehearsalRequest) -> None:
        """Run at once, or never."""
        if self.state in (STARTING, RUNNING):
            raise BadInput("a rehearsal runs already; stop it first")
        self.asked.append(request)
        self.state, self.failure = STARTING if self.stuck else RUNNING, ""

    def stop(self) -> None:
        """End at once."""
        self.state = IDLE
        self.on.clear()

    def fail(self, why: str) -> None:
        """Crash."""
        self.state, self.failure = "failed", why

    def set_fault(self, name: str, wanted: bool) -> None:
        """Throw a switch; it strikes at once."""
        if self.state != RUNNING:
            raise BadInput("no rehearsal runs; start one first")
        (self.on.add if wanted else self.on.discard)(name)
        self.struck[name] = self.struck.get(name, 0) + wanted

    def clear_faults(self) -> None:
        """Put all back."""
        self.on.clear()

    def release(self) -> None:
        """Grant it."""
        self.is_released = True
