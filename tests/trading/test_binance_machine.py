"""Any sequence of bars, buttons, weather, crashes and other troubles: what must hold at every step and at the end."""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fakes.exchange_venue import CALM, Travel, Weather
from tests.trading.bench import BALANCED
from tests.trading.crashes import Point
from tests.trading.live_bench import LiveBench
from trading.domain import Side
from trading.domain.backtests import CostSettings
from trading.domain.venue import Call, Purpose
from trading.portfolio import Portfolio, costs_of

PROFILES = st.sampled_from([BALANCED, replace(BALANCED, trail_atr=0.7),
                            replace(BALANCED, target_atr=0.0, trail_atr=1.5)])
WEATHER = st.builds(Weather, st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 0.1, 0.3]),
                    st.sampled_from([0.0, 0.2]), st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from([0.01, 0.5]))
SYMBOLS = st.sampled_from(["BTCUSDT", "BTCUSDT", "ETHUSDT"])
SPANS = st.sampled_from([0.0, 0.02, 0.15, 0.6, 2.0, 8.0])
TRAVEL = st.builds(Travel, st.sampled_from([0.01, 0.9, 2.2]), st.just(0.01), st.booleans(), st.booleans())


class BrokerMachine(RuleBasedStateMachine):
    """One exchange, one disk, and cockpits that come and go."""

    @initialize(seed=st.integers(0, 10**6), profile=PROFILES, weather=WEATHER)
    def open(self, seed: int, profile, weather: Weather) -> None:
        logging.disable(logging.CRITICAL)
        self.bench = LiveBench(seed, weather, profile, symbols=("BTCUSDT", "ETHUSDT")).start()
        self.killed_at: int | None = None

    def revived(self) -> LiveBench:
        """The bench with a cockpit that lives."""
        while self.bench.cockpit.is_dead:
            self.bench.restart()
        return self.bench

    @rule(symbol=SYMBOLS, say=st.sampled_from(["BUY", "BUY", "HOLD", "SELL"]), move=st.floats(-0.01, 0.01), span=SPANS)
    def close_a_bar(self, symbol: str, say: str, move: float, span: float) -> None:
        bench = self.revived()
        bench.candle(symbol, say, round(bench.price[symbol] * (1 + move), 2))
        bench.wait(span)

    @rule(symbol=SYMBOLS, move=st.floats(-0.02, 0.02), span=SPANS)
    def move_the_market(self, symbol: str, move: float, span: float) -> None:
        self.bench.move(symbol, round(self.bench.price[symbol] * (1 + move), 2))
        self.bench.wait(span)

    @rule(button=st.sampled_from(["start", "pause", "stop", "flatten", "kill", "rearm"]), span=SPANS)
    def press(self, button: str, span: float) -> None:
        bench = self.revived()
        answer = bench.press(button, reason="for a test")
        if button == "kill" and answer.accepted:
            self.killed_at = len(bench.venue.calls)
        elif button == "rearm" and answer.accepted:
            self.killed_at = None
        bench.wait(span)

    @rule(symbol=SYMBOLS, kind=st.sampled_from(["close", "add"]), rate=st.sampled_from([0.3, 1.0]), span=SPANS)
    def trade_by_hand(self, symbol: str, kind: str, rate: float, span: float) -> None:
        arguments = {"rate": rate} if kind == "close" else {}
        self.revived().press(kind, symbol=symbol, **arguments)
        self.bench.wait(span)

    @rule(weather=WEATHER)
    def change_the_weather(self, weather: Weather) -> None:
        self.bench.venue.weather = weather

    @rule(travels=st.lists(TRAVEL, min_size=1, max_size=4))
    def send_the_next_requests_astray(self, travels: list[Travel]) -> None:
        left = list(travels)

        def script(call: Call) -> Travel | None:
            return left.pop(0) if left and call.method != "GET" else None

        self.bench.venue.script = script

    @rule(is_down=st.booleans(), span=SPANS)
    def cut_or_mend_the_network(self, is_down: bool, span: float) -> None:
        if not self.bench.cockpit.is_dead:
            self.bench.venue.is_down = is_down
        self.bench.wait(span)
        self.bench.venue.is_down = False

    @rule()
    def lose_the_stream_for_a_while(self) -> None:
        self.bench.venue.is_deaf = True
        self.bench.wait(3.0)
        self.bench.venue.resubscribe()

    @rule(at=st.integers(0, 25), say=st.sampled_from(["BUY", "SELL", "HOLD"]))
    def crash_somewhere_in_what_follows(self, at: int, say: str) -> None:
        bench = self.revived()
        bench.strike_with(Point(at))
        bench.candle(say=say)
        bench.wait(2.0)

    @rule(at=st.sampled_from([-1, 0, 3, 7, 12]))
    def restart(self, at: int) -> None:
        self.bench.restart(Point(at) if at >= 0 else lambda point: None)

    @invariant()
    def sales_never_exceed_what_is_held(self) -> None:
        for symbol in self.bench.specs if hasattr(self, "bench") else ():
            self._sales_are_covered(symbol)

    def _sales_are_covered(self, symbol: str) -> None:
        selling: dict[int, Decimal] = {}
        for order in self.bench.open_orders(symbol):
            if order["side"] == "SELL" and order["status"] != "PENDING_NEW":
                key = order["orderListId"] if order["orderListId"] >= 0 else -order["orderId"]
                selling[key] = Decimal(order["origQty"]) - Decimal(order["executedQty"])
        assert sum(selling.values(), Decimal(0)) <= self.bench.owned(symbol[:3])

    @invariant()
    def every_order_has_one_intent_and_no_intent_two_orders(self) -> None:
        if hasattr(self, "bench"):
            ids = [str(order["clientOrderId"]) for order in self.bench.exchange.ledger(self.bench.account).orders]
            assert len(set(ids)) == len(ids)
            assert set(ids) <= set(self.bench.store.orders)

    @precondition(lambda self: hasattr(self, "bench"))
    @invariant()
    def no_new_risk_is_sent_after_the_kill(self) -> None:
        if self.killed_at is not None:
            assert not [c for _, c in self.bench.venue.calls[self.killed_at:] if c.purpose is Purpose.ENTRY]

    @precondition(lambda self: hasattr(self, "bench"))
    @invariant()
    def exposure_and_what_is_on_its_way_stay_within_the_limit(self) -> None:
        cockpit = self.bench.cockpit
        if not cockpit.is_dead and any(o.side is Side.BUY for o in cockpit.orders.working.values()):
            exposed = cockpit.portfolio.exposure() + cockpit.orders.reserved_units()
            assert exposed <= self.bench.profile.max_exposure_rate * cockpit.portfolio.equity() * 1.03

    def teardown(self) -> None:
        if not hasattr(self, "bench"):
            return
        bench = self.bench
        try:
            bench.venue.weather, bench.venue.script = Weather(), lambda call: CALM
            bench.venue.is_deaf = bench.venue.is_down = False
            bench.strike_with(lambda point: None)
            self.revived().wait(90.0)
            if bench.cockpit.is_dead:
                self.revived().wait(90.0)
            bench.check()
            self._reconciling_twice_is_once(bench)
            self._replaying_the_fills_gives_the_state(bench)
        finally:
            bench.close()
            logging.disable(logging.NOTSET)

    def _reconciling_twice_is_once(self, bench: LiveBench) -> None:
        before = len(bench.cockpit.events), len(bench.store.history), bench.portfolio.cash
        bench.run(bench.cockpit.broker._reconciler.sweep())
        assert before == (len(bench.cockpit.events), len(bench.store.history), bench.portfolio.cash)

    def _replaying_the_fills_gives_the_state(self, bench: LiveBench) -> None:
        fresh = Portfolio(bench.specs, bench.portfolio.start_units, costs_of(CostSettings()))
        for fill in sorted(bench.disk.fills, key=lambda f: f.trade_id):
            fresh.apply(fill, "replay")
        assert fresh.cash == bench.portfolio.cash
        assert {s: h.atoms for s, h in fresh.holdings.items()} == {
            s: h.atoms for s, h in bench.portfolio.holdings.items()}


TestBroker = BrokerMachine.TestCase
TestBroker.settings = settings(max_examples=40, stateful_step_count=25, deadline=None,
                               suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
