"""The rule book against exact arithmetic: compiled and plain forms agree, roundings go against the trader."""

from fractions import Fraction as Exact
from math import ceil, floor

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trading import arithmetic, rules
from trading.arithmetic import MAX_UNITS, PPM
from trading.rules import (
    CAP_CASH,
    CAP_EXPOSURE,
    CAP_LOT,
    CAP_MINIMUM,
    CAP_POSITION,
    CAP_RISK,
    EXIT_NONE,
    EXIT_STOP,
    EXIT_TARGET,
    Costs,
    Limits,
    Market,
    Position,
    Wallet,
)

BOUND = 2**63 - 1
many = settings(max_examples=300, deadline=None)

amounts = st.one_of(st.integers(0, 10**6), st.integers(0, 10**13), st.integers(0, BOUND))
rates = st.integers(0, PPM)
prices = st.one_of(st.integers(1, 100), st.integers(1, 10**8), st.integers(1, 10**12))
lot_counts = st.one_of(st.integers(0, 100), st.integers(0, 10**9), st.integers(0, 10**15))


@st.composite
def markets(draw) -> Market:
    """Ticks from 1e-8 to 100 and lots from 1e-8 to 100: every grid that an exchange could list."""
    tick, lot = draw(st.integers(-8, 2)), draw(st.integers(-8, 2))
    step = draw(st.sampled_from([1, 2, 5, 25]))
    value = Exact(step) * Exact(10) ** (tick + lot + 8)
    return Market(value.numerator, value.denominator, 10 ** (lot + 8), draw(st.integers(1, 1_000)),
                  draw(st.sampled_from([0, 10**6, 10**12])), draw(st.sampled_from([0, 5 * 10**8, 10**10])))


costs = st.builds(Costs, rates, st.integers(0, 50_000), st.integers(0, 50_000), rates, st.just(0), st.just(0))


def worth(market: Market, price: int, lots: int | Exact) -> Exact:
    return Exact(price * market.value_num, market.value_den) * lots


def both(rule, *arguments):
    """Call the compiled rule and its plain form, which counts in Python's unbounded integers; they must agree."""
    compiled, plain = rule(*arguments), rule.py_func(*arguments)
    assert compiled == plain, f"{rule.__name__}{arguments}: compiled {compiled}, plain {plain}"
    return compiled


# --- products ------------------------------------------------------------------------------------------------

@many
@given(amounts, amounts, st.integers(1, BOUND), st.booleans())
def test_products_are_exact_or_stay_at_the_largest_number(a, b, divisor, up):
    exact = Exact(a) * b / divisor
    assert both(arithmetic.mul_div, a, b, divisor, up) == min(MAX_UNITS, ceil(exact) if up else floor(exact))


@many
@given(amounts, rates)
def test_shares_in_ppm_are_exact_over_the_whole_range(amount, rate):
    exact = Exact(amount) * rate / PPM
    assert both(arithmetic.ppm_floor, amount, rate) == floor(exact)
    assert both(arithmetic.ppm_ceil, amount, rate) == ceil(exact)


@many
@given(markets(), prices, lot_counts)
def test_buyers_pay_the_ceiling_and_sellers_get_the_floor(market, price, lots):
    exact = worth(market, price, lots)
    assume(exact <= BOUND and price * market.value_num <= BOUND)
    paid, received = both(rules.notional_ceil, market, price, lots), both(rules.notional_floor, market, price, lots)
    assert (received, paid) == (floor(exact), ceil(exact))


@many
@given(markets(), prices, st.one_of(st.integers(0, 10**9), st.integers(0, BOUND)))
def test_a_holding_is_never_valued_above_its_worth(market, price, atoms):
    exact = worth(market, price, Exact(atoms, market.lot_atoms))
    assume(exact <= BOUND and price * market.value_num <= BOUND)
    value = both(rules.holding_value, market, price, atoms)
    assert 0 <= exact - value < 2


def test_a_fraction_of_an_expensive_lot_does_not_overflow():
    share = Market(10**6, 1, 10**8, 1, 0, 0)  # tick 0.01, lot 1: a share at 5,000
    assert rules.holding_value(share, 500_000, 99_900_000) == 499_500_000_000


def test_a_coarse_budget_on_a_fine_grid_does_not_overflow():
    fine = Market(1, 100, 1, 1, 0, 0)  # tick 0.01, lot 1e-8
    assert rules.affordable_lots(fine, 9 * 10**17, 10**7) == 9 * 10**12
    assert rules.notional_floor(fine, 10**7, 9 * 10**12) == 9 * 10**17


@many
@given(markets(), amounts, prices)
def test_a_budget_buys_the_most_lots_it_can_pay_and_not_one_more(market, budget, price):
    assume(price * market.value_num <= BOUND)
    exact = floor(budget / worth(market, price, 1))
    lots = both(rules.affordable_lots, market, budget, price)
    assert lots == min(exact, MAX_UNITS)
    if exact < MAX_UNITS:
        assert rules.notional_ceil(market, price, lots) <= budget < worth(market, price, lots + 1)


# --- costs ---------------------------------------------------------------------------------------------------

@many
@given(costs, prices)
def test_spread_and_slippage_always_cost_whole_ticks(cost, price):
    away = ceil(Exact(price) * (cost.half_spread + cost.slippage) / PPM)
    assert both(rules.buy_price, cost, price, 0, 0) == price + away
    assert both(rules.sell_price, cost, price, 0, 0) == max(1, price - away)


@many
@given(st.integers(0, 5_000), st.integers(0, PPM), prices, st.integers(0, 10**6), rates)
def test_slippage_grows_with_volatility_and_with_the_square_of_the_volume_taken(slip_atr, impact, price, atr, share):
    cost = Costs(0, 0, 0, PPM, slip_atr, impact)
    away = Exact(atr) * slip_atr / 1_000 + Exact(price) * impact * share**2 / PPM**3
    paid = both(rules.buy_price, cost, price, atr, share) - price
    assert 0 <= paid - away < 3 + Exact(price) * 2 / PPM
    assert both(rules.sell_price, cost, price, atr, share) == max(1, price - paid)


@pytest.mark.parametrize(("lots", "volume", "share"), [(0, 100, 0), (1, 3, 333_334), (100, 100, PPM), (5, 0, 0)])
def test_share_of_volume_is_rounded_against_the_order(lots, volume, share):
    assert both(rules.volume_taken, lots, volume) == share


@many
@given(markets(), costs, lot_counts, amounts)
def test_commissions_round_up(market, cost, lots, quote):
    assume(lots * market.lot_atoms <= BOUND)
    atoms = both(rules.commission_atoms, market, cost, lots)
    assert atoms == ceil(Exact(lots * market.lot_atoms) * cost.commission / PPM) <= lots * market.lot_atoms
    assert both(rules.commission_units, cost, quote) == ceil(Exact(quote) * cost.commission / PPM) <= quote


@many
@given(costs, amounts, amounts)
def test_an_order_takes_at_most_its_share_of_the_volume(cost, remaining, volume):
    lots = both(rules.fillable_lots, cost, remaining, volume)
    assert lots == min(remaining, floor(Exact(volume) * cost.volume_share / PPM))


# --- protective prices ---------------------------------------------------------------------------------------

multiples = st.integers(0, 20_000)
ticks = st.integers(1, 10**12)


@many
@given(ticks, ticks, multiples)
def test_protective_prices_keep_their_distance(entry, atr, multiple):
    away = max(1, floor(Exact(atr) * multiple / 1_000))
    assert both(rules.atr_distance, atr, multiple) == away
    assert both(rules.stop_price, entry, atr, multiple) == max(1, entry - away)
    assert both(rules.target_price, entry, atr, multiple) == (entry + away if multiple else 0)


@many
@given(ticks, ticks, ticks, ticks, st.tuples(multiples, multiples))
def test_a_stop_rises_to_the_entry_and_then_behind_the_high_and_never_falls(entry, atr, stop, highest, far):
    trail, breakeven = far
    limits = Limits(0, 0, 0, trail, 0, 0, 0, 0, 0, breakeven)
    raised, kind = both(rules.raised_stop, limits, Position(entry, atr, stop, rules.STOP_FIXED), highest)
    reached = breakeven > 0 and highest >= entry + max(1, atr * breakeven // 1_000)
    floors = {rules.STOP_FIXED: stop, rules.STOP_BREAKEVEN: entry if reached else 0,
              rules.STOP_TRAILING: highest - max(1, atr * trail // 1_000) if trail else 0}
    assert raised == max(floors.values()) == floors[kind]


@pytest.mark.parametrize(
    ("open_", "high", "low", "stop", "target", "expected"),
    [
        (100, 105, 95, 90, 110, (EXIT_NONE, 0)),
        (100, 105, 90, 90, 110, (EXIT_STOP, 90)),
        (100, 105, 89, 90, 110, (EXIT_STOP, 90)),
        (85, 105, 80, 90, 110, (EXIT_STOP, 85)),
        (90, 105, 90, 90, 110, (EXIT_STOP, 90)),
        (100, 110, 95, 90, 110, (EXIT_NONE, 0)),
        (100, 111, 95, 90, 110, (EXIT_TARGET, 110)),
        (110, 110, 95, 90, 110, (EXIT_TARGET, 110)),
        (115, 120, 95, 90, 110, (EXIT_TARGET, 115)),
        (100, 120, 80, 90, 110, (EXIT_STOP, 90)),
        (115, 120, 80, 90, 110, (EXIT_STOP, 90)),
        (100, 10**9, 95, 90, 0, (EXIT_NONE, 0)),
        (100, 120, 80, 90, 0, (EXIT_STOP, 90)),
    ],
    ids=["neither", "stop touched", "stop passed", "gap through the stop", "opens at the stop",
         "target touched is no fill", "target passed", "opens at the target", "gap over the target",
         "both touched is the stop", "opens above the target but falls to the stop", "no target", "stop, no target"],
)
def test_protective_exit(open_, high, low, stop, target, expected):
    assert both(rules.protective_exit, open_, high, low, stop, target) == expected


@many
@given(st.lists(ticks, min_size=3, max_size=3), ticks, ticks)
def test_an_exit_never_trades_better_than_the_range_allows(path, stop, target):
    low, open_, high = sorted(path)
    leg, price = both(rules.protective_exit, open_, high, low, stop, target)
    if leg == EXIT_STOP:
        assert price <= stop and price <= open_
    elif leg == EXIT_TARGET:
        assert target <= price <= high and low > stop
    else:
        assert price == 0 and low > stop


# --- sizing --------------------------------------------------------------------------------------------------

LIMITS = Limits(10_000, 2_000, 3_000, 0, 250_000, 600_000, 4, 30_000, 100_000)
MARKET = Market(10, 1, 1_000, 1, 900_000_000, 5 * 10**8)  # tick 0.01, lot 0.00001
TEN_THOUSAND = 10_000 * 10**8


@many
@given(
    markets(),
    st.builds(Limits, rates, st.integers(1, 20_000), multiples, multiples, rates, rates, st.just(4), rates, rates,
              st.just(0), st.just(0), st.just(0)),
    st.builds(Wallet, amounts, st.integers(-(10**12), BOUND), amounts),
    prices,
    st.integers(1, 10**9),
)
def test_no_entry_exceeds_risk_position_exposure_cash_or_the_largest_order(market, limits, wallet, price, atr):
    assume(price * market.value_num <= BOUND and rules.atr_distance(atr, limits.stop_atr) * market.value_num <= BOUND)
    lots, cap = both(rules.entry_lots, market, limits, wallet, price, atr)
    value = worth(market, price, lots)
    distance = max(1, atr * limits.stop_atr // 1_000)
    caps = {
        CAP_RISK: floor(Exact(wallet.equity * limits.risk // PPM) / worth(market, distance, 1)),
        CAP_POSITION: floor(Exact(wallet.equity * limits.max_position // PPM) / worth(market, price, 1)),
        CAP_EXPOSURE: floor(
            Exact(max(0, wallet.equity * limits.max_exposure // PPM - wallet.exposure)) / worth(market, price, 1)
        ),
        CAP_CASH: floor(Exact(max(0, wallet.cash)) / worth(market, price, 1)),
        CAP_LOT: market.max_lots or BOUND,
    }
    most = min(*caps.values(), MAX_UNITS)
    if lots:
        assert lots == most and caps[cap] == most
        assert lots >= market.min_lots and floor(value) >= market.min_notional
        assert worth(market, distance, lots) <= Exact(wallet.equity) * limits.risk / PPM
        assert value <= Exact(wallet.equity) * limits.max_position / PPM
        assert value + wallet.exposure <= Exact(wallet.equity) * limits.max_exposure / PPM
        assert value <= wallet.cash
    else:
        assert most < market.min_lots or floor(worth(market, price, most)) < market.min_notional


@pytest.mark.parametrize(
    ("market", "wallet", "atr", "expected"),
    [
        ({}, {}, 50_000, (10_000, CAP_RISK)),
        ({}, {}, 5_000, (12_500, CAP_POSITION)),
        ({}, {"exposure": TEN_THOUSAND // 2}, 5_000, (5_000, CAP_EXPOSURE)),
        ({}, {"cash": TEN_THOUSAND // 100}, 5_000, (500, CAP_CASH)),
        ({"max_lots": 77}, {}, 5_000, (77, CAP_LOT)),
        ({}, {"exposure": TEN_THOUSAND}, 5_000, (0, CAP_EXPOSURE)),
        ({}, {"cash": -1}, 5_000, (0, CAP_CASH)),
        ({"min_lots": 10_001}, {}, 50_000, (0, CAP_LOT)),
        ({"min_notional": TEN_THOUSAND}, {}, 50_000, (0, CAP_MINIMUM)),
        ({"min_notional": TEN_THOUSAND}, {}, 5_000, (0, CAP_POSITION)),
    ],
)
def test_the_cap_that_bound_the_entry_is_named(market, wallet, atr, expected):
    price = 2_000_000
    account = Wallet(TEN_THOUSAND, TEN_THOUSAND, 0)._replace(**wallet)
    assert both(rules.entry_lots, MARKET._replace(**market), LIMITS, account, price, atr) == expected


# --- losses --------------------------------------------------------------------------------------------------

@many
@given(amounts, st.one_of(st.integers(-(10**12), 10**12), amounts))
def test_losses_round_up_and_gains_are_no_loss(reference, equity):
    assume(reference - equity <= BOUND)
    lost = both(rules.loss_ppm, reference, equity)
    if reference <= 0 or equity >= reference:
        assert lost == 0
    else:
        assert lost == min(MAX_UNITS, ceil(Exact(reference - equity) * PPM / reference))
