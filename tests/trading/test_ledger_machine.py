"""Any sequence of candles, ticks, commands and restarts: the books balance, no limit is passed, none after the kill."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.trading.bench import MINUTE, SPECS, START, Bench
from trading.domain import Candle, Candles, Decision, Fill, Order, RiskProfile, Side, SymbolSpec
from trading.events import FeedStatus

SYMBOLS = st.sampled_from(sorted(SPECS))
MOVES = st.floats(-0.03, 0.03)
PROFILES = st.builds(
    RiskProfile, name=st.just("Own"), risk_rate=st.floats(0.001, 0.1), stop_atr=st.floats(0.5, 5),
    target_atr=st.sampled_from([0.0, 1.0, 3.0]), trail_atr=st.sampled_from([0.0, 0.7, 2.0]),
    max_position_rate=st.floats(0.05, 1.0), max_exposure_rate=st.floats(0.1, 1.0),
    max_positions=st.integers(1, 3), daily_loss_rate=st.floats(0.005, 0.5), max_drawdown_rate=st.floats(0.01, 0.5),
    breakeven_atr=st.sampled_from([0.0, 0.5]), time_stop_bars=st.sampled_from([0, 5]),
    cool_down_bars=st.sampled_from([0, 3]),
)
BARS = st.tuples(st.floats(-0.002, 0.002), st.floats(0, 0.004), st.floats(0, 0.004), st.floats(0, 1))
BUTTONS = st.sampled_from(["start", "pause", "stop", "kill", "rearm", "flatten"])


COARSE = {
    symbol: SymbolSpec(symbol, Decimal("0.01"), Decimal(lot), 3 * Decimal(lot), 9 * Decimal(lot), Decimal(5))
    for symbol, lot in (("BTCUSDT", "0.01"), ("ETHUSDT", "0.2"))
}


class LedgerMachine(RuleBasedStateMachine):
    """Two engines live side by side; one of them is restarted now and then from its own snapshot."""

    specs = SPECS
    thick = 10.0

    @initialize(profile=PROFILES, share=st.sampled_from([0.001, 0.05, 1.0]))
    def open(self, profile: RiskProfile, share: float) -> None:
        self.profile, self.share = profile, share
        self.benches = [Bench(profile, volume_share=share, specs=self.specs).warm(16) for _ in range(2)]
        self.history: dict[str, list[Candle]] = {
            s: [Candle(s, "1m", START + n * MINUTE, p, p + 10, p - 10, p, 100.0) for n in range(16)]
            for s, p in self.benches[0].price.items()
        }
        self.n_buys_at_kill: int | None = None

    @rule(symbol=SYMBOLS, gap=MOVES, up=st.floats(0, 0.02), down=st.floats(0, 0.02), body=st.floats(0, 1),
          volume=st.sampled_from([0.0, 0.01, 1.0, 50.0]), say=st.sampled_from(["HOLD", "BUY", "BUY", "SELL"]),
          live=st.sampled_from([True, True, True, False]))
    def close_a_bar(self, symbol: str, gap: float, up: float, down: float, body: float, volume: float, say: str,
                    live: bool) -> None:
        open_ = round(self.benches[0].price[symbol] * (1 + gap), 2)
        high, low = round(open_ * (1 + up), 2), round(open_ * (1 - down), 2)
        close = round(low + (high - low) * body, 2)
        for bench in self.benches:
            candle = bench.candle(symbol, say, (open_, high, low, close), volume, live)
        self.history[symbol].append(candle)

    @rule(symbol=SYMBOLS, bars=st.lists(BARS, min_size=2, max_size=6), share=st.sampled_from([1.0, 0.03]))
    def enter_a_storm(self, symbol: str, bars: list[tuple[float, float, float, float]], share: float) -> None:
        """An entry is asked for and the bars after it run into its stop, its target or thin air."""
        self.close_a_bar(symbol, 0.0, 0.0005, 0.0005, 0.5, 50.0, "BUY", True)
        for gap, up, down, body in bars:
            self.close_a_bar(symbol, gap, up, down, body, share * self.thick, "HOLD", True)
            self.books_balance()

    @rule(symbol=SYMBOLS, move=MOVES, volume=st.sampled_from([0.0, 0.02, 5.0]))
    def trade_between_closes(self, symbol: str, move: float, volume: float) -> None:
        before = self.benches[0].price[symbol]
        price = round(before * (1 + move), 2)
        for bench in self.benches:
            bench.tick(symbol, price, price, price, volume)

    @rule(button=BUTTONS)
    def press(self, button: str) -> None:
        for bench in self.benches:
            bench.press(button, reason="for a test")

    @rule(symbol=SYMBOLS, rate=st.sampled_from([0.25, 0.5, 1.0]))
    def reduce(self, symbol: str, rate: float) -> None:
        for bench in self.benches:
            bench.press("close", symbol=symbol, rate=rate)

    @rule(symbol=SYMBOLS)
    def add(self, symbol: str) -> None:
        for bench in self.benches:
            bench.press("add", symbol=symbol)

    @rule(profile=PROFILES)
    def change_limits(self, profile: RiskProfile) -> None:
        self.profile = profile
        for bench in self.benches:
            assert bench.press("set_risk", profile=profile).accepted

    @rule()
    def restart_one(self) -> None:
        old = self.benches[1]
        fresh = Bench(volume_share=self.share, specs=self.specs)
        fresh.engine.restore(old.saved())
        for symbol, candles in self.history.items():
            fresh.engine.warm_up(Candles.of(candles))
            assert symbol in fresh.engine.cursor
        fresh.engine.handle(FeedStatus("live"))
        fresh.minute, fresh.price = dict(old.minute), dict(old.price)
        fresh.n_commands = old.n_commands
        fresh.memory.items = old.memory.items
        self.benches[1] = fresh

    @invariant()
    def books_balance(self) -> None:
        for bench in getattr(self, "benches", []):
            bench.check()
            self._check_against_fills(bench)

    def _check_against_fills(self, bench: Bench) -> None:
        cash = bench.portfolio.start_units
        atoms = dict.fromkeys(self.specs, 0)
        fills = bench.memory.of(Fill)
        assert len({fill.trade_id for fill in fills}) == len(fills)
        for fill in fills:
            lot = bench.portfolio.markets[fill.symbol].lot_atoms
            if fill.side is Side.BUY:
                cash -= fill.quote_units
                atoms[fill.symbol] += fill.lots * lot - fill.fee_atoms
            else:
                cash += fill.quote_units - fill.fee_quote_units
                atoms[fill.symbol] -= fill.lots * lot
        assert cash == bench.portfolio.cash >= 0
        assert atoms == {s: h.atoms for s, h in bench.portfolio.holdings.items()}

    @invariant()
    def restarts_change_nothing(self) -> None:
        if hasattr(self, "benches"):
            one, two = (bench.saved() for bench in self.benches)
            for name in ("portfolio", "orders", "broker", "session", "outcomes", "risk"):
                assert one[name] == two[name], name

    @invariant()
    def orders_fit_their_budget(self) -> None:
        for bench in getattr(self, "benches", []):
            for order in bench.orders.working.values():
                assert order.budget_units >= 0
                assert order.filled_lots < order.lots

    @precondition(lambda self: hasattr(self, "benches"))
    @invariant()
    def nothing_is_bought_after_the_kill(self) -> None:
        bench = self.benches[0]
        n_buys = len({o.client_id for o in bench.memory.of(Order) if o.side is Side.BUY})
        n_bought = sum(f.side is Side.BUY for f in bench.memory.of(Fill))
        if not bench.session.is_killed:
            self.n_buys_at_kill = None
            return
        if self.n_buys_at_kill is None:
            self.n_buys_at_kill = (n_buys, n_bought)
        assert (n_buys, n_bought) == self.n_buys_at_kill
        assert not any(o.side is Side.BUY for o in bench.orders.working.values())


class CoarseMachine(LedgerMachine):
    """The same where a lot is worth a lot, small orders are refused and large ones too."""

    specs = COARSE
    thick = 1.0


class ApprovalMachine(LedgerMachine):
    """The same, watching each approval as it is given."""

    @initialize(profile=PROFILES, share=st.sampled_from([0.001, 0.05, 1.0]))
    def open(self, profile: RiskProfile, share: float) -> None:
        super().open(profile, share)
        self._watch(self.benches[0])

    def _watch(self, bench: Bench) -> None:
        submit = bench.orders.submit

        def watched(order: Order, *why: Decision | None) -> None:
            submit(order, *why)
            if order.side is Side.BUY:
                equity = bench.portfolio.equity()
                exposed = bench.portfolio.exposure() + bench.orders.reserved_units()
                assert exposed <= self.profile.max_exposure_rate * equity + 10**8 * 0.01
                held = bench.portfolio.value(order.symbol) + bench.orders.reserved_units(order.symbol)
                assert held <= self.profile.max_position_rate * equity * 1.0001 + 10**8 * 0.01
                assert bench.orders.reserved_units() <= bench.portfolio.cash

        bench.orders.submit = watched


FAST = settings(max_examples=60, stateful_step_count=40, deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
TestLedger = LedgerMachine.TestCase
TestLedger.settings = FAST
TestCoarse = CoarseMachine.TestCase
TestCoarse.settings = FAST
TestApproval = ApprovalMachine.TestCase
TestApproval.settings = FAST
pytestmark = pytest.mark.filterwarnings("ignore")
