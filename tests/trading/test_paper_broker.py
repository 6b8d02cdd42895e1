"""The paper venue never fills better than the market allowed."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.broker import NOW, SYMBOL, BrokerContract, buy, protection, sell
from tests.trading.bench import Bench
from trading.arithmetic import PPM
from trading.brokers.paper import PaperBroker
from trading.domain import Fill, OrderType, Trade
from trading.events import Event, OrderEnded, OrderFilled, OrderPlaced
from trading.ports import Stretch
from trading.rules import Costs, Market

MARKETS = {SYMBOL: Market(10, 1, 1_000, 1, 900_000_000, 5 * 10**8)}
COSTS = Costs(1_000, 50, 200, 100_000)
OPEN = 2_000_000
BOUGHT, SOLD = OPEN + 500, OPEN - 500  # 250 ppm of half spread and slippage


class Venue:
    """A paper broker and what it said."""

    def __init__(self, costs: Costs = COSTS, markets: dict[str, Market] = MARKETS) -> None:
        self.heard: list[Event] = []
        self.broker = PaperBroker(markets, costs, self.heard.append)

    def trade(self, open_: int = OPEN, high: int = 0, low: int = 0, volume: int = 10**6) -> list[Fill]:
        """Let the market trade over a range and return what was filled."""
        before = len(self.heard)
        self.broker.on_open(Stretch(SYMBOL, open_, volume, NOW + 1))
        self.broker.on_range(SYMBOL, open_, high or open_, low or open_, NOW + 2)
        return [event.fill for event in self.heard[before:] if isinstance(event, OrderFilled)]

    @property
    def ended(self) -> list[tuple[str, str]]:
        return [(event.kind, event.detail) for event in self.heard if isinstance(event, OrderEnded)]


@pytest.fixture
def venue() -> Venue:
    return Venue()


class TestPaperBrokerKeepsTheContract(BrokerContract):
    def make_broker(self, publish):
        return PaperBroker(MARKETS, COSTS, publish)


def limit_buy(limit: int, **changes):
    return buy(type=OrderType.LIMIT, limit_ticks=limit, **changes)


def limit_sell(limit: int, **changes):
    return sell(type=OrderType.LIMIT, limit_ticks=limit, **changes)


# --- market orders -------------------------------------------------------------------------------------------

def test_market_orders_fill_at_the_next_open_with_half_spread_and_slippage(venue):
    venue.trade()
    venue.broker.place(buy())
    venue.broker.place(sell())
    assert not any(isinstance(event, OrderFilled) for event in venue.heard)
    fills = venue.trade(open_=2_010_000, high=2_500_000, low=1_500_000)
    assert [f.price_ticks for f in fills] == [2_010_000 + 503, 2_010_000 - 503]
    assert {f.time for f in fills} == {NOW + 1}


def test_commission_is_in_base_on_buys_and_in_quote_on_sells(venue):
    venue.broker.place(buy(lots=101))
    venue.broker.place(sell(lots=101))
    bought, sold = venue.trade()
    assert (bought.fee_atoms, bought.fee_quote_units) == (101, 0)
    assert (sold.fee_atoms, sold.fee_quote_units) == (0, -(-sold.quote_units // 1_000))
    assert bought.quote_units == 101 * BOUGHT * 10 and sold.quote_units == 101 * SOLD * 10


def test_order_takes_its_share_of_the_volume_and_waits_for_the_rest(venue):
    venue.broker.place(buy())
    sizes = [[fill.lots for fill in venue.trade(volume=300)] for _ in range(5)]
    assert sizes == [[30], [30], [30], [10], []]
    assert [e.complete for e in venue.heard if isinstance(e, OrderFilled)] == [False, False, False, True]


def test_orders_of_a_symbol_share_the_volume(venue):
    venue.broker.place(buy("t-1", 25))
    venue.broker.place(buy("t-2", 25))
    venue.broker.place(limit_buy(OPEN, client_id="t-4", lots=25))
    fills = venue.trade(volume=300)
    assert [(fill.client_id, fill.lots) for fill in fills] == [("t-1", 25), ("t-2", 5)]
    assert [(fill.client_id, fill.lots) for fill in venue.trade(volume=300)] == [("t-2", 20), ("t-4", 10)]


def test_symbols_do_not_share_volume():
    venue = Venue(markets=MARKETS | {"ETHUSDT": MARKETS[SYMBOL]})
    venue.broker.place(buy("t-1"))
    venue.broker.place(buy("t-2", symbol="ETHUSDT"))
    venue.broker.on_open(Stretch("ETHUSDT", OPEN, 10_000, NOW))
    assert [fill.lots for fill in venue.trade(volume=300)] == [30]
    assert [e.fill.lots for e in venue.heard if isinstance(e, OrderFilled)] == [100, 30]


@pytest.mark.parametrize("volume", [0, 9])
def test_market_without_volume_fills_nothing(venue, volume):
    venue.broker.place(buy())
    venue.broker.place(limit_buy(3_000_000, client_id="t-4"))
    venue.broker.place(protection())
    assert venue.trade(high=3_000_000, low=1, volume=volume) == []


# --- limit orders --------------------------------------------------------------------------------------------

@pytest.mark.parametrize(
    ("order", "stretch", "price"),
    [
        (limit_buy(1_990_000), (OPEN, OPEN, 1_990_000), None),
        (limit_buy(1_990_000), (OPEN, OPEN, 1_989_999), 1_990_000),
        (limit_buy(1_990_000), (1_980_000, OPEN, 1_970_000), 1_980_000),
        (limit_buy(1_990_000), (1_990_000, OPEN, 1_990_000), 1_990_000),
        (limit_sell(2_010_000), (OPEN, 2_010_000, OPEN), None),
        (limit_sell(2_010_000), (OPEN, 2_010_001, OPEN), 2_010_000),
        (limit_sell(2_010_000), (2_020_000, 2_030_000, OPEN), 2_020_000),
        (limit_sell(2_010_000), (2_010_000, 2_010_000, OPEN), 2_010_000),
    ],
    ids=["buy touched", "buy passed", "buy gapped", "buy at the open", "sell touched", "sell passed", "sell gapped",
         "sell at the open"],
)
def test_limit_order_fills_when_the_price_passes_it_and_not_when_it_touches(venue, order, stretch, price):
    venue.broker.place(order)
    assert [fill.price_ticks for fill in venue.trade(*stretch)] == ([] if price is None else [price])


# --- protective orders ---------------------------------------------------------------------------------------

def test_stop_sells_at_the_stop_less_costs(venue):
    venue.broker.place(protection())
    (fill,) = venue.trade(low=1_900_000)
    assert (fill.price_ticks, fill.reason) == (1_900_000 - 475, "stop")


def test_gapped_stop_fills_at_the_open_less_costs(venue):
    venue.broker.place(protection())
    (fill,) = venue.trade(open_=1_800_000, high=2_050_000, low=1_700_000)
    assert (fill.price_ticks, fill.reason) == (1_800_000 - 450, "stop")


def test_stop_comes_before_the_target_when_a_range_holds_both(venue):
    venue.broker.place(protection())
    assert [fill.reason for fill in venue.trade(high=2_200_000, low=1_800_000)] == ["stop"]


def test_target_sells_at_its_price_and_only_when_passed(venue):
    venue.broker.place(protection())
    assert venue.trade(high=2_100_000) == []
    (fill,) = venue.trade(high=2_100_001)
    assert (fill.price_ticks, fill.reason) == (2_100_000, "target")


def test_triggered_stop_filled_in_part_finishes_at_the_next_open_wherever_that_is(venue):
    venue.broker.place(protection())
    assert [(f.lots, f.reason) for f in venue.trade(low=1_899_000, volume=300)] == [(30, "stop")]
    (rest,) = venue.trade(open_=2_090_000, high=2_150_000)
    assert (rest.lots, rest.price_ticks, rest.reason, rest.time) == (70, 2_090_000 - 523, "stop", NOW + 1)
    assert venue.trade(low=1) == []


def test_stop_that_triggers_without_volume_still_sells_at_the_next_open(venue):
    venue.broker.place(protection())
    assert venue.trade(low=1_899_000, volume=0) == []
    assert [fill.reason for fill in venue.trade(open_=1_950_000)] == ["stop"]


def test_target_filled_in_part_keeps_its_stop(venue):
    venue.broker.place(protection())
    assert [(f.lots, f.reason) for f in venue.trade(high=2_200_000, volume=300)] == [(30, "target")]
    assert [(f.lots, f.reason) for f in venue.trade(low=1_800_000)] == [(70, "stop")]


def test_amendment_of_a_triggered_stop_changes_its_quantity_and_never_puts_the_stop_back(venue):
    venue.broker.place(protection())
    venue.trade(low=1_899_000, volume=300)
    venue.broker.amend(protection(lots=60, stop=1_000_000))
    assert [(f.lots, f.reason) for f in venue.trade(open_=2_000_000)] == [(30, "stop")]


def test_reducing_by_hand_while_a_stop_is_filling_sells_no_more_than_is_held():
    bench = Bench().warm()
    bench.candle(say="BUY")
    bench.candle()
    stop, held = bench.stop(), bench.holding()
    thin = held / 2 / 0.1 * 0.00001  # the broker may take half of the position
    bench.candle(bar=(stop + 1, stop + 1, stop - 1, stop), volume=thin)
    assert 0 < bench.holding() < held
    bench.press("close", symbol="BTCUSDT", rate=0.5)
    assert bench.answers[-1].accepted
    bench.candle(bar=(stop, stop, stop, stop), volume=thin / 4)
    bench.candle()
    assert bench.holding() == 0
    assert sum(t.lots for t in bench.memory.of(Trade)) == held
    bench.check()


# --- refusals ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (buy(lots=0), "Filter failure: LOT_SIZE"),
        (buy(lots=9), "Filter failure: LOT_SIZE"),
        (buy(lots=1_001), "Filter failure: LOT_SIZE"),
        (buy(lots=24), "Filter failure: NOTIONAL"),
        (limit_buy(100_000), "Filter failure: NOTIONAL"),
        (buy(symbol="NOSUCH"), "unknown symbol NOSUCH"),
    ],
)
def test_order_outside_the_filters_is_refused_as_the_venue_would(order, reason):
    venue = Venue(markets={SYMBOL: MARKETS[SYMBOL]._replace(min_lots=10, max_lots=1_000)})
    venue.trade()
    venue.broker.place(order)
    assert venue.ended == [("REJECTED", reason)]
    assert venue.trade(low=1) == []


def test_orders_on_the_very_edge_of_the_filters_are_accepted():
    venue = Venue(markets={SYMBOL: MARKETS[SYMBOL]._replace(min_lots=10, max_lots=1_000)})
    venue.trade()
    for number, lots in enumerate((25, 1_000)):
        venue.broker.place(buy(f"t-{number}", lots))
    assert [type(event) for event in venue.heard] == [OrderPlaced, OrderPlaced]


def test_duplicate_of_a_working_order_is_refused_and_the_first_one_stays(venue):
    venue.broker.place(buy(lots=100))
    venue.broker.place(buy(lots=900))
    assert venue.ended == [("REJECTED", "Duplicate order sent.")]
    assert [fill.lots for fill in venue.trade()] == [100]


# --- budgets -------------------------------------------------------------------------------------------------

def test_buy_expires_when_the_price_left_its_budget(venue):
    one_lot = BOUGHT * 10
    venue.broker.place(buy(budget_units=one_lot - 1))
    assert venue.trade() == []
    assert venue.ended == [("EXPIRED", "the price left what was reserved for it")]
    assert venue.trade(open_=1_000) == []


def test_buy_takes_what_its_budget_allows_and_expires_with_the_rest(venue):
    venue.broker.place(buy(budget_units=60 * BOUGHT * 10))
    assert [fill.lots for fill in venue.trade()] == [60]
    assert venue.trade() == [] and [kind for kind, _ in venue.ended] == ["EXPIRED"]


stretches = st.lists(
    st.tuples(st.integers(1, 4_000_000), st.integers(0, 500_000), st.integers(0, 500_000), st.integers(0, 3_000)),
    min_size=1, max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(stretches, st.integers(1, 500), st.integers(0, 10**10), st.sampled_from([0, 1_900_000]))
def test_no_market_makes_a_buy_spend_more_than_its_budget_or_take_more_than_its_share(path, lots, budget, limit):
    venue = Venue()
    kind = OrderType.LIMIT if limit else OrderType.MARKET
    venue.broker.place(buy(lots=lots, budget_units=budget, type=kind, limit_ticks=limit))
    venue.broker.place(sell(lots=lots))
    venue.broker.place(protection(lots=lots))
    spent, filled = 0, {"t-1": 0, "t-2": 0, "t-3": 0}
    for open_, up, down, volume in path:
        fills = venue.trade(open_, open_ + up, max(1, open_ - down), volume)
        assert sum(fill.lots for fill in fills) <= volume * COSTS.volume_share // PPM
        spent += sum(fill.quote_units for fill in fills if fill.client_id == "t-1")
        for fill in fills:
            filled[fill.client_id] += fill.lots
            assert fill.lots > 0
            assert not limit or fill.client_id != "t-1" or fill.price_ticks <= limit
    assert spent <= budget
    assert all(n <= lots for n in filled.values())


# --- cancel, snapshot ----------------------------------------------------------------------------------------

def test_amend_and_cancel_of_ended_orders_are_ignored(venue):
    venue.broker.place(protection())
    venue.broker.cancel("t-3", NOW)
    venue.broker.amend(protection(lots=50))
    venue.broker.cancel("t-3", NOW)
    assert venue.trade(low=1) == [] and [kind for kind, _ in venue.ended] == ["CANCELED"]


def test_order_filled_in_part_can_be_cancelled(venue):
    venue.broker.place(buy())
    venue.trade(volume=300)
    venue.broker.cancel("t-1", NOW)
    assert venue.trade() == [] and [kind for kind, _ in venue.ended] == ["CANCELED"]


@settings(max_examples=100, deadline=None)
@given(stretches, stretches, st.booleans())
def test_broker_restored_in_the_middle_of_partial_fills_goes_on_with_the_same_fills(before, after, between):
    venue, again = Venue(), Venue()
    venue.broker.place(buy(lots=400))
    venue.broker.place(protection(lots=300))
    venue.broker.place(limit_sell(2_050_000, client_id="t-4", lots=200))
    for open_, up, down, volume in before:
        venue.trade(open_, open_ + up, max(1, open_ - down), volume)
    if between:
        venue.broker.on_open(Stretch(SYMBOL, OPEN, 700, NOW))
    again.broker.restore(json.loads(json.dumps(venue.broker.snapshot())))
    n_heard = len(venue.heard)
    for one in (venue, again):
        if between:
            one.broker.on_range(SYMBOL, OPEN, 2_300_000, 1_700_000, NOW)
        for open_, up, down, volume in after:
            one.trade(open_, open_ + up, max(1, open_ - down), volume)
    assert venue.heard[n_heard:] == again.heard


def test_snapshot_of_a_triggered_stop_stays_triggered(venue):
    venue.broker.place(protection())
    venue.trade(low=1_899_000, volume=300)
    again = Venue()
    again.broker.restore(json.loads(json.dumps(venue.broker.snapshot())))
    (rest,) = again.trade(open_=2_090_000)
    assert (rest.lots, rest.reason, rest.trade_id) == (70, "stop", 2)


def test_orders_are_frozen_so_what_was_announced_cannot_change(venue):
    venue.broker.place(buy())
    announced = venue.heard[0].order
    venue.trade(volume=300)
    assert announced == replace(buy(), status=announced.status)
