"""Hours of bad days on a clock that jumps: what a market, a venue, a network, a disk and a person do, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from tests.fakes.exchange_venue import Weather
from tests.trading.bench import BALANCED, MINUTE
from tests.trading.crashes import Point
from tests.trading.live_bench import DEPTH_LOTS, FIRST, LiveBench
from tests.trading.live_invariants import Invariants
from trading.domain import RiskProfile
from trading.errors import StateFailed
from trading.simulation.exchange import default_symbols

SYMBOLS = ("BTCUSDT", "ETHUSDT")
FAIR = Weather()
FOUL = (
    Weather(lose_request=0.03, lose_reply=0.07, late=0.03, lose_event=0.05, event_s=0.5),
    Weather(lose_request=0.01, lose_reply=0.02, late=0.02, refuse=0.02, muddle=0.04, repeat_event=0.2, event_s=0.3),
    Weather(lose_event=0.3, late=0.1, event_s=1.5, repeat_event=0.3, muddle=0.1),
)
TIRELESS = replace(BALANCED, daily_loss_rate=1.0, max_drawdown_rate=0.99)
PROFILES = (TIRELESS, replace(TIRELESS, trail_atr=1.0), replace(TIRELESS, target_atr=0.0, trail_atr=1.5))
WITHOUT: tuple[tuple[str, ...], ...] = ((), ("opoAllowed",), ("opoAllowed", "STOP_LOSS"),
                                        ("opoAllowed", "ocoAllowed", "STOP_LOSS"))
"""What the second symbol does not take: the first takes everything."""
MOVES_A_MINUTE = 4
SETTLING_S, LULL_MINUTES = 180.0, 120
THIN = (5, 40, 400)
N_STARTS = 20


class Hours:
    """One run: a seed makes the profile, the symbols' abilities, the weather and all that happens."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed * 7919 + 1)
        self._foul = FOUL[seed % len(FOUL)]
        profile: RiskProfile = PROFILES[seed // 2 % len(PROFILES)]
        self.bench = LiveBench(seed, self._foul, profile, symbols=SYMBOLS, documents=_documents(WITHOUT[seed % 4]))
        self.rules = Invariants(self.bench)
        self._ends: dict[str, tuple[float, Callable[[], None]]] = {}
        self._broken: set[str] = set()
        self._mishaps = _table(self)

    def run(self, hours: float) -> None:
        """Trade; the weather clears from time to time and at the end, and then the books must be the exchange's."""
        self.bench.start()
        n_minutes = round(hours * 60)
        for minute in range(1, n_minutes + 1):
            self._minute()
            if minute % LULL_MINUTES == 0 or minute == n_minutes:
                self._rest()

    def _minute(self) -> None:
        bench = self.bench
        self._revive()
        self._fill_gap()
        for _ in range(MOVES_A_MINUTE):
            for symbol in SYMBOLS:
                if symbol not in self._broken:
                    bench.move(symbol, self._next_price(symbol))
            bench.wait(60.0 / MOVES_A_MINUTE - 0.5)
            self._end(bench.loop.time())
        for symbol in SYMBOLS:
            bench.candle(symbol, self._dice.choices(("HOLD", "BUY", "SELL"), (60, 25, 15))[0])
            self.rules.exposure_is_within_its_limit()
        bench.wait(2.0)
        self.rules.look()
        self._happen()

    def _fill_gap(self) -> None:
        """Close the bars of the time that starts and pauses took."""
        for symbol in SYMBOLS:
            while self.bench.history[symbol][-1].open_time + 2 * MINUTE <= self.bench.now():
                self.bench.candle(symbol)

    def _next_price(self, symbol: str) -> float:
        return self._bounded(symbol, self.bench.price[symbol] * (1 + self._dice.gauss(0, 0.0012)))

    def _bounded(self, symbol: str, price: float) -> float:
        return round(min(1.6 * FIRST[symbol], max(0.6 * FIRST[symbol], price)), 2)

    def _happen(self) -> None:
        self._revive()
        drawn = self._dice.random()
        for share, mishap in self._mishaps:
            drawn -= share
            if drawn < 0:
                mishap()
                return

    def _rest(self) -> None:
        """Let the weather clear and everything settle, end all quarantines by hand, and compare."""
        bench = self.bench
        bench.venue.weather = FAIR
        self._end(float("inf"))
        for symbol in SYMBOLS:
            bench.move(symbol, bench.price[symbol])
        self._revive()
        bench.wait(SETTLING_S)
        self.release()
        self.rules.look()
        self.rules.at_rest()
        bench.venue.weather = self._foul

    def _revive(self) -> None:
        for _ in range(N_STARTS):
            if not self.bench.cockpit.is_dead:
                return
            self._end(self.bench.loop.time())
            self.restart()
        raise AssertionError(f"{N_STARTS} starts failed: {self.bench.cockpit.starting}")

    def _until(self, name: str, seconds: float, end: Callable[[], None]) -> None:
        """Let a trouble last for a while."""
        self._ends.setdefault(name, (self.bench.loop.time() + seconds, end))

    def _end(self, now: float) -> None:
        for name, (time, end) in list(self._ends.items()):
            if time <= now:
                del self._ends[name]
                end()

    # -- what happens

    def restart(self) -> None:
        self.rules.restarted()
        self.bench.restart()

    def crash_inside(self) -> None:
        """Die at one of the next writes or sends."""
        self.bench.strike_with(Point(self._dice.randrange(60)))
        self._until("crash", 200, lambda: self.bench.strike_with(_nothing))

    def lose_the_network(self) -> None:
        self.bench.venue.is_down = True
        self._until("network", self._dice.uniform(1, 90), lambda: setattr(self.bench.venue, "is_down", False))

    def lose_the_stream(self) -> None:
        self.bench.venue.is_deaf = True
        self._until("stream", self._dice.uniform(1, 120), self.bench.venue.resubscribe)

    def press(self) -> None:
        self.bench.press(self._dice.choice(("pause", "stop", "flatten")))

    def kill(self) -> None:
        if self.bench.press("kill", reason="drill").accepted:
            self.rules.killed()

    def go_on(self) -> None:
        if self.bench.engine.session.is_killed and self.bench.press("rearm", reason="the drill is over").accepted:
            self.rules.rearmed()
        self.bench.press("start")

    def sell_a_part(self) -> None:
        self.bench.press("close", symbol=self._dice.choice(SYMBOLS), rate=self._dice.choice((0.3, 0.5, 1.0)))

    def spike(self) -> None:
        """Jump for some seconds, through stops and targets, and back."""
        symbol = self._dice.choice([s for s in SYMBOLS if s not in self._broken] or list(SYMBOLS[:1]))
        if symbol not in self._broken:
            usual = self.bench.price[symbol]
            self.bench.move(symbol, self._bounded(symbol, usual * (1 + self._dice.choice((-1, 1)) * 0.06)))
            self.bench.wait(self._dice.choice((0.1, 1.0, 5.0)))
            self.bench.move(symbol, usual)

    def thin_the_book(self) -> None:
        """Offer so little that orders fill in parts."""
        self.bench.depth_lots = self._dice.choice(THIN)
        self._until("book", self._dice.uniform(30, 120), lambda: setattr(self.bench, "depth_lots", DEPTH_LOTS))

    def halt_a_symbol(self) -> None:
        symbol = self._dice.choice(SYMBOLS)
        self.bench.exchange.set_status(symbol, "BREAK")
        self._broken.add(symbol)
        self._until(symbol, self._dice.uniform(5, 300), lambda: self._trade_again(symbol))

    def _trade_again(self, symbol: str) -> None:
        self.bench.exchange.set_status(symbol, "TRADING")
        self._broken.discard(symbol)

    def trade_by_hand(self) -> None:
        """Somebody trades on the account: the symbol must be halted within a minute."""
        symbol = self._dice.choice(SYMBOLS)
        if symbol not in self._broken and self.bench.depth_lots == DEPTH_LOTS:
            self.rules.traded_by_hand(symbol)
            self.bench.trade_by_hand(symbol, self._dice.choice(("BUY", "SELL")), Decimal("0.01"))

    def cancel_by_hand(self) -> None:
        """Somebody takes a stop away."""
        symbol = self._dice.choice(SYMBOLS)
        stops = [order for order in self.bench.open_orders(symbol) if order["status"] == "NEW"]
        if stops and symbol not in self._broken:
            self.rules.halted.add(symbol)
            self.bench.exchange.request("DELETE", "order", {"symbol": symbol, "orderId": str(stops[0]["orderId"])},
                                        self.bench.account)

    def lock_the_database(self) -> None:
        """Let the next writes of the broker fail: the symbols that wanted to write are quarantined, nothing is lost."""
        left: list[Any] = [None] * self._dice.randint(1, 4)

        def strike(point: str) -> None:
            if left and point.startswith("before"):
                left.pop()
                raise StateFailed("database is locked")

        self.rules.halted.update(SYMBOLS)
        self.bench.store.strike = strike
        self._until("database", 30, lambda: setattr(self.bench.store, "strike", _nothing))

    def release(self) -> None:
        """Look at the quarantines, by hand, and end them; a gap in the balance takes a second word."""
        bench = self.bench
        for _ in range(4):
            closed = [s for s in SYMBOLS if bench.cockpit.gate.closed_by("quarantine", s)]
            for symbol in closed:
                bench.cockpit.broker.release(symbol)
            if closed:
                bench.wait(5.0)
        for symbol in SYMBOLS:
            if not bench.cockpit.gate.closed_by("quarantine", symbol):
                self.rules.released(symbol)


def _table(hours: Hours) -> tuple[tuple[float, Callable[[], None]], ...]:
    """What happens after a minute, with its share."""
    return (
        (0.02, hours.restart), (0.015, hours.crash_inside), (0.01, hours.lose_the_network),
        (0.02, hours.lose_the_stream), (0.01, hours.press),
        (0.003, hours.kill), (0.01, hours.sell_a_part), (0.02, hours.spike), (0.01, hours.thin_the_book),
        (0.008, hours.halt_a_symbol), (0.003, hours.trade_by_hand), (0.003, hours.cancel_by_hand),
        (0.002, hours.lock_the_database), (0.06, hours.release), (0.09, hours.go_on),
    )


def _nothing(point: str) -> None:
    """Let a write be done."""


def _documents(without: tuple[str, ...]) -> list[dict[str, Any]]:
    """The exchange's symbols, the second of ours without some abilities."""
    found = [dict(document) for document in default_symbols()]
    for document in found:
        if document["symbol"] == SYMBOLS[1]:
            document |= {name: False for name in without if name in document}
            document["orderTypes"] = [kind for kind in document["orderTypes"] if kind not in without]
    return found
