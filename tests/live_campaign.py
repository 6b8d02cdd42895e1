"""Hours of trading on a clock that jumps: engine, broker and exchange in one thread, everything that can fail failing.

    python -m tests.live_campaign --hours 1000

Each seed is one run of some hours: a price path, wishes to buy and sell, clicks, lost requests, lost replies, late
requests, lost events, outages, crashes. At its end the books must be the exchange's, and the same seed must give the
same hash of all that happened. Ends with the line `simulation hours=N seeds=N wrong=0`.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from random import Random

from tests.fakes.exchange_venue import Weather
from tests.trading.bench import BALANCED
from tests.trading.live_bench import FIRST, LiveBench

SYMBOLS = ("BTCUSDT", "ETHUSDT")
ROUGH = Weather(lose_request=0.03, lose_reply=0.07, late=0.03, lose_event=0.05, event_s=0.5)
FAIR = Weather()
TIRELESS = replace(BALANCED, daily_loss_rate=1.0, max_drawdown_rate=0.99)
HOURS_A_SEED = 10
MOVES_A_MINUTE = 4
SETTLING_S = 180.0


@dataclass(frozen=True)
class Outcome:
    """What one seed came to; `wrong` says what the check found, "" when all was well."""

    seed: int
    hours: float
    digest: str
    n_orders: int
    n_fills: int
    n_crashes: int
    wrong: str


class Hours:
    """One run."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed * 7919 + 1)
        self.bench = LiveBench(seed, ROUGH, TIRELESS, symbols=SYMBOLS)
        self._down_until = self._deaf_until = 0.0

    def run(self, hours: float) -> None:
        """Trade, then let the weather clear and everything settle."""
        bench = self.bench.start()
        for _ in range(round(hours * 60)):
            self._minute()
        bench.venue.weather = FAIR
        self._clear(sys.float_info.max)
        bench.wait(SETTLING_S)

    def _minute(self) -> None:
        for _ in range(MOVES_A_MINUTE):
            for symbol in SYMBOLS:
                self.bench.move(symbol, self._next_price(symbol))
            self.bench.wait(60.0 / MOVES_A_MINUTE - 0.5)
            self._clear(self.bench.loop.time())
        for symbol in SYMBOLS:
            self.bench.candle(symbol, self._dice.choices(("HOLD", "BUY", "SELL"), (60, 25, 15))[0])
        self.bench.wait(2.0)
        self._mishap()

    def _next_price(self, symbol: str) -> float:
        price = self.bench.price[symbol] * (1 + self._dice.gauss(0, 0.0012))
        low, high = 0.6 * FIRST[symbol], 1.6 * FIRST[symbol]
        return round(min(high, max(low, price)), 2)

    def _mishap(self) -> None:
        """Crash, lose the network or the stream, or press a button, now and then."""
        bench, dice = self.bench, self._dice
        drawn = dice.random()
        if drawn < 0.02:
            bench.restart()
        elif drawn < 0.03:
            bench.venue.is_down, self._down_until = True, bench.loop.time() + dice.uniform(1, 90)
        elif drawn < 0.05:
            bench.venue.is_deaf, self._deaf_until = True, bench.loop.time() + dice.uniform(1, 120)
        elif drawn < 0.06:
            bench.press(dice.choice(("pause", "stop", "flatten")))
        elif drawn < 0.063:
            bench.press("kill", reason="drill")
        elif drawn < 0.16:
            self._go_on()

    def _go_on(self) -> None:
        if self.bench.engine.session.is_killed:
            self.bench.press("rearm", reason="the drill is over")
        self.bench.press("start")

    def _clear(self, now: float) -> None:
        venue = self.bench.venue
        if venue.is_down and now >= self._down_until:
            venue.is_down = False
        if venue.is_deaf and now >= self._deaf_until:
            venue.resubscribe()

    def digest(self) -> str:
        """Return a hash of every request that arrived, every order and every fill."""
        bench = self.bench
        parts: Iterator[str] = (repr(part) for part in (bench.venue.arrived, list(bench.disk.rows.values()),
                                                        bench.disk.fills, bench.disk.lines))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def play(seed: int, hours: float = HOURS_A_SEED) -> Outcome:
    """Play one seed and check its end."""
    logging.disable(logging.CRITICAL)
    run = Hours(seed)
    wrong = ""
    try:
        run.run(hours)
        run.bench.check()
    except Exception as error:
        wrong = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    bench = run.bench
    found = Outcome(seed, hours, run.digest(), len(bench.venue.posts()), len(bench.disk.fills), bench.n_crashes, wrong)
    bench.close()
    return found


def main() -> int:
    """Play seeds on all cores; 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    n_seeds = max(1, round(chosen.hours / HOURS_A_SEED))
    n_wrong = 0
    with ProcessPoolExecutor() as pool:
        for found in pool.map(play, range(chosen.seed, chosen.seed + n_seeds)):
            n_wrong += bool(found.wrong)
            print(f"seed {found.seed}: {found.n_orders} orders, {found.n_fills} fills, {found.n_crashes} crashes, "
                  f"hash {found.digest}{' WRONG ' + found.wrong if found.wrong else ''}", flush=True)
    print(f"simulation hours={n_seeds * HOURS_A_SEED} seeds={n_seeds} wrong={n_wrong}")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
