"""What must hold at every minute of a simulated day, by the exchange's own books and by ours."""

from __future__ import annotations

from decimal import Decimal
from math import inf

from tests.trading.live_bench import LiveBench
from trading.domain import Side
from trading.domain.backtests import CostSettings
from trading.domain.venue import Purpose
from trading.portfolio import Portfolio, costs_of

NOTHING = Decimal(0)
HALTED_S = 200.0
"""In fair weather it is a minute, and in this one an outage of 90 s or some lost answers may come before."""
ROUNDING = 10**8
"""One unit of the quote asset: the budgets are rounded up to whole lots and ticks."""


class Invariants:
    """Looks at one bench again and again; what it remembers is forgotten where a restart may take it back."""

    def __init__(self, bench: LiveBench) -> None:
        self._bench = bench
        self._n_calls: int | None = None
        self._stops: dict[str, tuple[int, int]] = {}
        self.halted: set[str] = set()
        self._by_hand: dict[str, float] = {}

    def killed(self) -> None:
        """From now on no entry may leave."""
        self._n_calls = len(self._bench.venue.calls)

    def rearmed(self) -> None:
        self._n_calls = None

    def restarted(self) -> None:
        self._stops.clear()

    def traded_by_hand(self, symbol: str) -> None:
        """From some time on the symbol must be halted."""
        self.halted.add(symbol)
        self._by_hand.setdefault(symbol, self._bench.loop.time())

    def released(self, symbol: str) -> None:
        """The symbol trades again: whatever was done by hand has been looked at."""
        self.halted.discard(symbol)
        self._by_hand.pop(symbol, None)

    def look(self) -> None:
        """Check all that must hold at any moment."""
        self._nothing_new_after_the_kill()
        for symbol in self._bench.specs:
            self._sales_are_covered(symbol)
            self._stop_never_falls(symbol)
            self._quarantine_has_its_reason(symbol)

    def _nothing_new_after_the_kill(self) -> None:
        if self._n_calls is not None:
            later = self._bench.venue.calls[self._n_calls:]
            assert not [call for _, call in later if call.purpose is Purpose.ENTRY], "an entry left after the kill"
            self._n_calls += len(later)

    def _sales_are_covered(self, symbol: str) -> None:
        selling: dict[int, Decimal] = {}
        for order in self._bench.open_orders(symbol):
            if order["side"] == "SELL" and order["status"] != "PENDING_NEW":
                key = order["orderListId"] if order["orderListId"] >= 0 else -order["orderId"]
                selling[key] = Decimal(order["origQty"]) - Decimal(order["executedQty"])
        held = self._bench.owned(self._bench.specs[symbol].base)
        assert sum(selling.values(), NOTHING) <= held, f"{symbol}: {selling} for sale, {held} held"

    def _stop_never_falls(self, symbol: str) -> None:
        holding = self._bench.portfolio.holdings[symbol]
        entry, stop = self._stops.get(symbol, (0, 0))
        assert entry != holding.entry_time or holding.stop_ticks >= stop or not holding.is_open, "the stop fell"
        self._stops[symbol] = (holding.entry_time, holding.stop_ticks)

    def _quarantine_has_its_reason(self, symbol: str) -> None:
        why = self._bench.cockpit.gate.closed_by("quarantine", symbol)
        assert not why or symbol in self.halted, f"{symbol} {why}"
        since = self._by_hand.get(symbol, inf)
        assert why or self._bench.loop.time() - since < HALTED_S, f"{symbol} was traded by hand and is not halted"

    def exposure_is_within_its_limit(self) -> None:
        """Check in the moment of an entry: what is held and what is on its way, by the prices that decided."""
        bench, cockpit = self._bench, self._bench.cockpit
        buying = [order for order in cockpit.orders.working.values() if order.side is Side.BUY]
        if cockpit.is_dead or not buying:
            return
        exposed = cockpit.portfolio.exposure() + sum(order.budget_units for order in buying)
        most = bench.profile.max_exposure_rate * cockpit.portfolio.equity()
        assert exposed <= most + ROUNDING, f"{exposed / 10**8:.2f} is exposed, {most / 10**8:.2f} are allowed"

    def at_rest(self) -> None:
        """Check what must hold when everything has settled: our books are theirs, and to look again changes nothing."""
        bench = self._bench
        bench.check()
        before = self._known()
        bench.run(bench.cockpit.broker._reconciler.sweep())
        assert before == self._known(), "reconciling twice is not once"
        fresh = Portfolio(bench.specs, bench.portfolio.start_units, costs_of(CostSettings()))
        fresh.may_owe = True
        for fill in sorted(bench.disk.fills, key=lambda one: one.trade_id):
            fresh.apply(fill, "replay")
        assert fresh.cash == bench.portfolio.cash, "the fills replayed are not the cash"
        assert {s: h.atoms for s, h in fresh.holdings.items()} == {
            s: h.atoms for s, h in bench.portfolio.holdings.items()}, "the fills replayed are not the holdings"

    def _known(self) -> tuple[int, int, int]:
        return len(self._bench.cockpit.events), len(self._bench.store.history), self._bench.portfolio.cash
