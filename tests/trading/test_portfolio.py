"""The ledger by itself: every unit is accounted for, whatever is bought and sold and however often it is told."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction as Exact

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.bench import SPECS
from trading import rules
from trading.arithmetic import MAX_UNITS
from trading.domain import Fill, Side, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.errors import BadInput, BrokenInvariant, StateFailed
from trading.portfolio import DAY_MS, MAX_WORTH, UNITS, Portfolio, costs_of, market_of

BTC, ETH = "BTCUSDT", "ETHUSDT"
START_UNITS = 10_000 * UNITS
COSTS = costs_of(CostSettings())
NOON = 19_000 * DAY_MS + DAY_MS // 2


@pytest.fixture
def portfolio() -> Portfolio:
    return opened()


def opened(specs: dict[str, SymbolSpec] | None = None, units: int = START_UNITS) -> Portfolio:
    portfolio = Portfolio(specs or SPECS, units, COSTS)
    for symbol in portfolio.specs:
        portfolio.mark(symbol, 2_000_000, NOON)
    return portfolio


def fill_of(portfolio: Portfolio, number: int, side: Side, lots: int, ticks: int, symbol: str = BTC) -> Fill:
    """An execution as the paper broker would announce it."""
    market, buying = portfolio.markets[symbol], side is Side.BUY
    quote = (rules.notional_ceil if buying else rules.notional_floor)(market, ticks, lots)
    atoms = rules.commission_atoms(market, COSTS, lots) if buying else 0
    units = 0 if buying else rules.commission_units(COSTS, quote)
    return Fill(number, f"t-{number}", symbol, side, lots, ticks, quote, atoms, units, NOON, "signal")


def balance(portfolio: Portfolio) -> tuple[int, int]:
    """Change of equity, and realised plus unrealised profit: they must be the same."""
    realized = sum(h.realized for h in portfolio.holdings.values())
    unrealized = sum(portfolio.unrealized(s) for s in portfolio.holdings)
    return portfolio.equity() - portfolio.start_units, realized + unrealized


steps = st.lists(
    st.tuples(st.sampled_from([BTC, ETH]), st.integers(-2_000, 2_000), st.integers(1, 4_000_000)), max_size=40
)


@settings(max_examples=200)
@given(steps)
def test_equity_changes_by_realised_plus_unrealised_profit_to_the_last_unit(orders):
    portfolio = opened()
    cash, atoms, pnl = START_UNITS, {BTC: 0, ETH: 0}, 0
    for number, (symbol, wish, ticks) in enumerate(orders, 1):
        side = Side.BUY if wish > 0 else Side.SELL
        lots = wish if side is Side.BUY else min(-wish, portfolio.sellable_lots(symbol))
        fill = fill_of(portfolio, number, side, lots, ticks, symbol)
        if lots == 0 or (side is Side.BUY and fill.quote_units > portfolio.cash):
            continue
        trade = portfolio.apply(fill, "test")
        portfolio.mark(symbol, ticks, NOON)
        lot = portfolio.markets[symbol].lot_atoms
        signed = lots if side is Side.BUY else -lots
        atoms[symbol] += signed * lot - fill.fee_atoms
        cash += fill.quote_units * (-1 if side is Side.BUY else 1) - fill.fee_quote_units
        pnl += trade.pnl if trade else 0
        gain, explained = balance(portfolio)
        assert gain == explained
        assert portfolio.cash == cash >= 0
        assert {s: h.atoms for s, h in portfolio.holdings.items()} == atoms
        assert portfolio.holdings[symbol].is_open or trade is not None
        assert portfolio.holdings[symbol].cost >= 0
    still_open = sum(h.trade_pnl for h in portfolio.holdings.values())
    assert pnl + still_open == sum(h.realized for h in portfolio.holdings.values())


def test_commission_in_the_base_asset_leaves_a_fraction_whose_cost_stays(portfolio):
    portfolio.apply(fill_of(portfolio, 1, Side.BUY, 1_000, 2_000_000), "test")
    holding = portfolio.holdings[BTC]
    assert holding.atoms == 1_000 * 1_000 - 1_000
    assert (portfolio.sellable_lots(BTC), holding.fees) == (999, 20_000_000)  # 0.00001 BTC at 20,000
    portfolio.apply(fill_of(portfolio, 2, Side.BUY, 500, 2_000_000), "test")
    assert portfolio.holdings[BTC].atoms == 1_498_500
    cost = portfolio.holdings[BTC].cost
    trade = portfolio.apply(fill_of(portfolio, 3, Side.SELL, 1_498, 2_000_000), "test")
    assert trade is not None and trade.lots == 1_498
    left = portfolio.holdings[BTC]
    assert (left.atoms, left.is_open) == (500, False)
    assert left.cost == cost - cost * 1_498_000 // 1_498_500
    assert len(set(balance(portfolio))) == 1


def test_fees_of_a_trade_are_both_commissions_in_the_quote_asset(portfolio):
    portfolio.apply(fill_of(portfolio, 1, Side.BUY, 1_000, 2_000_000), "test")
    sale = fill_of(portfolio, 2, Side.SELL, 999, 2_100_000)
    trade = portfolio.apply(sale, "test")
    assert trade.fees == 20_000_000 + sale.fee_quote_units
    assert trade.pnl == sale.quote_units - sale.fee_quote_units - 200 * UNITS


@pytest.mark.parametrize("side", list(Side))
def test_a_repeated_or_older_fill_changes_nothing(portfolio, side):
    first = fill_of(portfolio, 1, Side.BUY, 1_000, 2_000_000)
    portfolio.apply(first, "test")
    last = fill_of(portfolio, 2, side, 100, 2_000_000)
    portfolio.apply(last, "test")
    before = portfolio.snapshot()
    assert portfolio.apply(last, "test") is None
    assert portfolio.apply(first, "test") is None
    assert portfolio.snapshot() == before


def test_more_than_is_there_is_a_broken_invariant(portfolio):
    with pytest.raises(BrokenInvariant, match="with cash"):
        portfolio.apply(fill_of(portfolio, 1, Side.BUY, 50_001, 2_000_000), "test")
    with pytest.raises(BrokenInvariant, match="0 held"):
        portfolio.apply(fill_of(portfolio, 2, Side.SELL, 1, 2_000_000), "test")


def test_the_day_turns_once_at_midnight_in_utc_with_the_worth_of_before(portfolio):
    midnight = (NOON // DAY_MS + 1) * DAY_MS
    portfolio.apply(fill_of(portfolio, 1, Side.BUY, 10_000, 2_000_000), "test")
    portfolio.mark(BTC, 2_200_000, midnight - 1)
    assert portfolio.day_start == START_UNITS
    evening = portfolio.equity()
    portfolio.mark(BTC, 2_100_000, midnight)
    assert portfolio.day_start == evening > portfolio.equity()
    for time in (midnight + 1, midnight + DAY_MS - 1, midnight - 1, midnight):
        portfolio.mark(ETH, 1_000_000, time)
        portfolio.mark(BTC, 1_900_000, time)
    assert portfolio.day_start == evening
    portfolio.mark(BTC, 1_900_000, midnight + 3 * DAY_MS)
    assert portfolio.day_start == portfolio.equity()


def test_buy_and_hold_pays_the_same_spread_slippage_and_commission(portfolio):
    for symbol, market in portfolio.markets.items():
        price = rules.buy_price(COSTS, 2_000_000, 0, 0)
        lots = START_UNITS // 2 // (price * market.value_num)
        assert price > 2_000_000
        fee = rules.commission_atoms(market, COSTS, lots)
        assert portfolio.benchmark.atoms[symbol] == lots * market.lot_atoms - fee
    assert portfolio.benchmark_equity() < START_UNITS


@given(st.integers(1, 50_000_000), st.integers(1, 50_000_000))
def test_one_asset_bought_and_kept_equals_the_benchmark(first, last):
    portfolio = Portfolio({BTC: SPECS[BTC]}, START_UNITS, COSTS)
    portfolio.mark(BTC, first, NOON)
    price = rules.buy_price(COSTS, first, 0, 0)
    lots = rules.affordable_lots(portfolio.markets[BTC], START_UNITS, price)
    if lots:
        portfolio.apply(fill_of(portfolio, 1, Side.BUY, lots, price), "hold")
    portfolio.mark(BTC, last, NOON)
    assert portfolio.equity() == portfolio.benchmark_equity()


def test_a_symbol_that_joins_later_does_not_let_the_benchmark_borrow():
    first = Portfolio({BTC: SPECS[BTC]}, START_UNITS, COSTS)
    first.mark(BTC, 2_000_000, NOON)
    later = Portfolio(SPECS, START_UNITS, COSTS)
    later.restore(first.snapshot())
    later.mark(ETH, 150_000, NOON)
    assert later.benchmark.cash >= 0


def test_a_restored_ledger_is_the_same_ledger(portfolio):
    portfolio.apply(fill_of(portfolio, 1, Side.BUY, 1_000, 2_000_000), "test")
    portfolio.mark(BTC, 2_050_000, NOON)
    again = Portfolio(SPECS, 1, COSTS)
    again.restore(portfolio.snapshot())
    assert again.snapshot() == portfolio.snapshot()
    assert again.point(NOON) == portfolio.point(NOON)


def test_a_position_is_not_carried_over_a_change_of_lot_size(portfolio):
    portfolio.apply(fill_of(portfolio, 1, Side.BUY, 1_000, 2_000_000), "test")
    again = Portfolio({**SPECS, BTC: replace(SPECS[BTC], lot_size=Decimal("0.001"))}, START_UNITS, COSTS)
    with pytest.raises(StateFailed, match=f"{BTC}: the position was saved with tick 0.01 and lot 0.00001"):
        again.restore(portfolio.snapshot())


def test_a_position_is_carried_over_a_change_of_tick_size_at_its_prices(portfolio):
    portfolio.apply(fill_of(portfolio, 1, Side.BUY, 1_000, 2_000_000), "test")
    portfolio.holdings[BTC].stop_ticks = 1_990_000
    again = Portfolio({**SPECS, BTC: replace(SPECS[BTC], tick_size=Decimal("0.1"))}, START_UNITS, COSTS)
    again.restore(portfolio.snapshot())
    assert (again.holdings[BTC].entry_ticks, again.holdings[BTC].stop_ticks) == (200_000, 199_000)
    assert again.holdings[BTC].cost == portfolio.holdings[BTC].cost


def test_without_a_position_a_change_of_tick_size_changes_no_price(portfolio):
    again = Portfolio({**SPECS, BTC: replace(SPECS[BTC], tick_size=Decimal("0.1"))}, START_UNITS, COSTS)
    again.restore(portfolio.snapshot())
    assert again.marks == {BTC: 200_000, ETH: 2_000_000}
    assert again.benchmark_equity() == portfolio.benchmark_equity()


# --- what cannot be counted ------------------------------------------------------------------------------------

@pytest.mark.parametrize("units", [0, -1, MAX_UNITS // 100, 2**70])
def test_capital_out_of_range_is_refused(units):
    with pytest.raises(BadInput, match="out of range"):
        Portfolio(SPECS, units, COSTS)


@pytest.mark.parametrize("step", ["0", "0.000000001", "-1"])
def test_a_lot_that_atoms_cannot_count_is_refused(step):
    with pytest.raises(BadInput, match="multiples of 1e-8"):
        market_of(replace(SPECS[BTC], lot_size=Decimal(step)))


@pytest.mark.parametrize(
    ("low", "high", "countable"),
    [(1, 1, True), (0, 10, False), (-1, 10, False), (1, rules.MAX_TICKS + 1, False), (1, 2**80, False),
     (2_000_000, 10**9, True)],
)
def test_a_price_must_be_a_tick_at_least_and_small_enough_to_count(portfolio, low, high, countable):
    assert portfolio.can_count(BTC, low, high) is countable


@given(st.integers(1, 9 * 10**8), st.integers(1, 10**16), st.sampled_from(["1", "0.00001", "0.00000001"]),
       st.sampled_from(["0.01", "0.00000001"]))
def test_what_the_ledger_accepts_never_overflows(capital, ticks, lot, tick):
    spec = replace(SPECS[BTC], lot_size=Decimal(lot), tick_size=Decimal(tick), max_quantity=Decimal(0))
    portfolio = Portfolio({BTC: spec}, capital * UNITS, COSTS)
    portfolio.mark(BTC, 1_000, NOON)
    market = portfolio.markets[BTC]
    lots = min(rules.affordable_lots(market, portfolio.cash, 1_000), MAX_UNITS // market.lot_atoms // 2)
    if lots:
        portfolio.apply(fill_of(portfolio, 1, Side.BUY, lots, 1_000), "test")
    if portfolio.can_count(BTC, ticks, ticks):
        portfolio.mark(BTC, ticks, NOON)
        atoms = portfolio.holdings[BTC].atoms
        exact = Exact(atoms, market.lot_atoms) * ticks * Exact(market.value_num, market.value_den)
        assert 0 <= exact - portfolio.value(BTC) < 2
        assert 0 <= portfolio.benchmark_equity() <= MAX_UNITS
        assert len(set(balance(portfolio))) == 1
    else:
        held = max(market.lot_atoms, portfolio.holdings[BTC].atoms, portfolio.benchmark.atoms[BTC])
        worth = Exact(held * ticks * market.value_num, market.lot_atoms * market.value_den)
        assert worth > MAX_WORTH or ticks > rules.MAX_TICKS or ticks * market.value_num > MAX_UNITS


def test_equity_beyond_63_bits_halts_instead_of_wrapping(portfolio):
    portfolio.cash = MAX_UNITS + 1
    with pytest.raises(BrokenInvariant, match="more than can be counted"):
        portfolio.mark(BTC, 2_000_000, NOON)
