"""What the engine answers without asking a rule is what the rule would have said."""

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.bench import BALANCED, SPECS
from trading import rules
from trading.arithmetic import MAX_UNITS
from trading.domain import Candle
from trading.domain.backtests import CostSettings
from trading.orders import OrderManager
from trading.portfolio import MAX_WORTH, Portfolio, costs_of
from trading.risk import Risk

COSTS = costs_of(CostSettings())
NOON = 43_200_000
units = st.integers(1, 10**17)


def ledger() -> Portfolio:
    return Portfolio(SPECS, 10**12, COSTS)


@given(units, units, st.integers(1, 1_000_000))
def test_drawdown_limit_is_reached_when_the_rule_says_so(peak, equity, limit):
    portfolio = ledger()
    portfolio.peak, portfolio.cash = max(peak, equity), equity
    risk = Risk(portfolio, OrderManager(None, None, "t"), BALANCED)
    risk.limits = risk.limits._replace(max_drawdown=limit)
    assert risk.drawdown_breached() is (rules.loss_ppm(portfolio.peak, equity) >= limit)


@given(st.lists(units, min_size=1, max_size=8))
def test_worst_drawdown_is_the_largest_that_the_rule_gives(worths):
    portfolio, high, worst = ledger(), 10**12, 0
    for place, worth in enumerate(worths):
        portfolio.cash = worth
        portfolio.mark("BTCUSDT", 2_000_000, NOON + place)
        high = max(high, worth)
        worst = max(worst, rules.loss_ppm(high, worth))
        assert (portfolio.high, portfolio.worst_drawdown) == (high, worst)
        assert portfolio.point(NOON).drawdown_ppm == rules.loss_ppm(portfolio.peak, worth)


@given(st.lists(st.tuples(st.integers(1, 10**8), st.integers(0, 10**12)), min_size=1, max_size=8))
def test_remembered_values_follow_price_and_holding(moves):
    portfolio = ledger()
    for ticks, atoms in moves:
        portfolio.holdings["BTCUSDT"].atoms = atoms
        portfolio.mark("BTCUSDT", ticks, NOON)
        market = portfolio.markets["BTCUSDT"]
        worth = rules.holding_value(market, ticks, atoms)
        held = rules.holding_value(market, ticks, portfolio.benchmark.atoms["BTCUSDT"])
        assert portfolio.value("BTCUSDT") == portfolio.exposure() == worth
        assert portfolio.equity() == portfolio.cash + worth
        assert portfolio.benchmark_equity() == portfolio.benchmark.cash + held


@given(st.lists(st.tuples(st.integers(1, 10**15), st.integers(0, 10**18)), min_size=1, max_size=6))
def test_highest_price_that_can_be_counted_follows_the_holding(looks):
    portfolio = ledger()
    market = portfolio.markets["BTCUSDT"]
    for ticks, held in looks:
        portfolio.holdings["BTCUSDT"].atoms = held
        atoms = max(market.lot_atoms, held)
        worth = ticks * market.value_num * atoms // (market.value_den * market.lot_atoms)
        countable = worth <= MAX_WORTH and ticks * market.value_num <= MAX_UNITS and ticks <= rules.MAX_TICKS
        assert portfolio.can_count("BTCUSDT", 1, ticks) is countable


@given(st.floats(1e-6, 1e9), st.floats(0, 1e9))
def test_bar_is_put_on_the_grid_as_each_price_would_be(price, volume):
    spec = SPECS["ETHUSDT"]
    prices = spec.on_grid(Candle("ETHUSDT", "1m", 0, price, price, price, price, volume))
    assert prices[:4] == (spec.to_ticks(price),) * 4
    assert prices.lots == round(volume / float(spec.lot_size))
