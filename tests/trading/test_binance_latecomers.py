"""What the venue denies for a while and then lists after all: no second stop rests, none is given up too early."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.exchange_venue import Travel
from tests.trading.bench import BALANCED
from tests.trading.live_bench import LiveBench
from trading.domain.venue import Call, Purpose, VenueState

TRAILING = replace(BALANCED, trail_atr=1.5, target_atr=0.0)
DENIED = Travel(refused=(-2013, "Order does not exist."))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def opened() -> Iterator[Callable[..., LiveBench]]:
    made: list[LiveBench] = []

    def make(**terms: Any) -> LiveBench:
        made.append(LiveBench(**terms).start())
        return made[-1]

    yield make
    for bench in made:
        bench.close()


class Veil:
    """Loses the reply to the first request that it is told of, and hides its orders for some seconds."""

    def __init__(self, bench: LiveBench, first: Callable[[Call], bool], denied_s: float, unlisted_s: float = 0.0):
        self._bench, self._first, self._denied_s, self._unlisted_s = bench, first, denied_s, unlisted_s
        self._since: float | None = None
        self.hidden: set[str] = set()
        self._truth = bench.venue._asked
        bench.venue.script, bench.venue._asked = self._route, self._asked  # type: ignore[method-assign]

    def _age(self) -> float:
        return float("inf") if self._since is None else self._bench.loop.time() - self._since

    def _route(self, call: Call) -> Travel | None:
        if self._since is None and self._first(call):
            self._since, self._bench.venue.is_deaf = self._bench.loop.time(), True
            self.hidden = {text for name, text in call.params.items() if name.lower().endswith("clientorderid")}
            return Travel(lose_reply=True)
        asked = call.method == "GET" and call.path == "order"
        mine = call.params.get("origClientOrderId") in self.hidden or "orderId" in call.params
        return DENIED if asked and mine and self._age() < self._denied_s else None

    def _asked(self, call: Call) -> Any:
        answer = self._truth(call)
        if call.path == "openOrders" and self._age() < self._unlisted_s:
            return [row for row in answer if row["clientOrderId"] not in self.hidden]
        return answer


def states(bench: LiveBench) -> set[VenueState]:
    return {order.state for order in bench.store.orders.values()}


def test_stop_that_turns_up_after_its_trade_was_closed_is_cancelled(opened: Callable[..., LiveBench]):
    bench = opened(profile=TRAILING)
    bench.buy()
    Veil(bench, lambda call: call.method == "POST" and call.path == "order" and call.purpose is Purpose.PROTECT, 6.0)
    for price in (20_050, 20_100):
        bench.candle(close=price)
        bench.wait(0.2)
    bench.wait(2.6)
    assert VenueState.VOID in states(bench)
    bench.press("close", symbol="BTCUSDT")
    bench.wait(1.5)
    assert bench.held() == 0 and len(bench.open_orders()) == 1
    bench.venue.resubscribe()
    bench.wait(15)
    assert bench.open_orders() == [] and bench.cockpit.gate.closed_by("quarantine", "BTCUSDT")


def test_legs_that_turn_up_beside_a_stop_in_their_place_are_one_too_many(opened: Callable[..., LiveBench]):
    bench = opened()
    Veil(bench, lambda call: call.path.startswith("orderList/op"), 7.0, unlisted_s=14.0)
    bench.buy(seconds=8)
    assert states(bench) == {VenueState.VOID}
    bench.venue.resubscribe()
    bench.wait(60)
    assert bench.held() > 0 and len({order["orderListId"] for order in bench.open_orders()}) == 1
    bench.check_stop("BTCUSDT")


def test_two_denials_in_one_moment_end_no_stop(opened: Callable[..., LiveBench]):
    bench = opened()
    bench.buy(seconds=45)
    before = {order["clientOrderId"] for order in bench.open_orders()}
    truth = bench.venue._asked
    bench.venue._asked = lambda call: (  # type: ignore[method-assign]
        [] if call.path == "openOrders" and call.method == "GET" else truth(call))
    bench.venue.script = lambda call: DENIED if call.params.get("origClientOrderId") in before else None
    for _ in range(3):
        bench.venue.resubscribe()
        bench.wait(0.3)
    bench.venue.script, bench.venue._asked = None, truth  # type: ignore[method-assign]
    bench.wait(30)
    assert {order["clientOrderId"] for order in bench.open_orders()} == before
    bench.check()
