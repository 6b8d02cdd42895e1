"""The array kernel as a caller meets it: what it refuses, what it hands back, and that no row sees a later one."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.made_candles import made_candles, without
from tests.parity.cases import cases
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.book import ATOMS
from trading.domain import Candles, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.portfolio import UNITS, costs_of
from trading.ranking import UNRANKED, Ranking
from trading.risk import PROFILES

SPECS = {symbol: SymbolSpec(symbol, Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(9_000), Decimal(5))
         for symbol in ("BTCUSDT", "ETHUSDT")}
SETUP = Setup(SPECS, 10_000 * UNITS, costs_of(CostSettings()), PROFILES[1])


def alternating(n_bars: int, every: int = 20) -> np.ndarray:
    """Buy and sell in turn, each every so many bars."""
    direction = np.zeros(n_bars, np.int8)
    direction[20::every] = 1
    direction[20 + every // 2 :: every] = -1
    return direction


def run(candles: Candles, direction: np.ndarray, setup: Setup = SETUP) -> Simulation:
    return simulate(setup, Tape.of([candles], SPECS), [direction], source="test")


def test_a_run_hands_back_trades_that_add_up_to_the_last_unit():
    candles = made_candles(2_000)
    result = run(candles, alternating(2_000))
    assert len(result.trades) == result.n_trades > 20
    gain = int(result.equity[-1]) - SETUP.capital_units
    open_pnl = 0 if result.open_symbols else result.unrealized
    assert gain == sum(trade.pnl for trade in result.trades) + open_pnl
    assert sum(result.decisions.values()) == len(candles) == len(result.outcomes[0])
    assert [t.number for t in result.trades] == list(range(1, result.n_trades + 1))
    assert {t.opened_by for t in result.trades} == {"test"}
    assert result.spread_cost > 0 and result.slippage_cost > result.spread_cost
    assert result.exposure.max() > 0 and result.exposure.min() == 0


def test_what_a_commission_leaves_of_a_lot_is_no_exposure():
    result = run(made_candles(2_000), alternating(2_000))
    inside = np.zeros(2_000, bool)
    for trade in result.trades:
        inside |= (result.time >= trade.entry_time) & (result.time < trade.exit_time)
    assert (result.in_market == inside).all() and 0.2 < inside.mean() < 0.9
    assert (result.exposure[~inside] == 0).all() and (result.exposure[inside] > 0).all()
    assert int(result.desk.book[0, ATOMS]) > 0, "without dust this proves nothing"


def test_the_same_question_twice_has_the_same_answer():
    candles, direction = made_candles(500), alternating(500)
    tape = Tape.of([candles], SPECS)
    one, other = (simulate(SETUP, tape, [direction]) for _ in range(2))
    assert one.trades == other.trades and (one.equity == other.equity).all()


def test_without_a_signal_nothing_is_traded_and_equity_is_the_capital():
    result = run(made_candles(100), np.zeros(100, np.int8))
    assert result.trades == () and (result.equity == SETUP.capital_units).all() and result.decisions == {"hold": 100}


def test_one_bar_is_answered():
    result = run(made_candles(1), np.ones(1, np.int8))
    assert result.decisions == {"denied: atr": 1} and result.equity.tolist() == [SETUP.capital_units]


@pytest.mark.parametrize(
    ("candles", "words"),
    [
        ([], "needs different symbols"),
        ([Candles.empty("BTCUSDT", "1m")], "BTCUSDT: no candles"),
        ([made_candles(5), made_candles(5)], "needs different symbols"),
        ([made_candles(5), made_candles(5, "1h", symbol="ETHUSDT")], "one timeframe"),
        ([replace(made_candles(5), low=np.array([1.0, 1, 0, 1, 1]))], "impossible prices at row 2"),
        ([replace(made_candles(5), volume=np.array([1.0, 1, 1, np.nan, 1]))], "impossible prices at row 3"),
        ([made_candles(5).map(lambda column: column * (10**14 if column.dtype == float else 1))], "cannot be counted"),
    ],
)
def test_bars_that_cannot_be_traded_are_refused_with_the_place(candles, words):
    with pytest.raises(BadInput, match=words):
        Tape.of(candles, SPECS)


def test_directions_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match=r"\[4\] rows do not fit bars of \[5\] rows"):
        run(made_candles(5), np.zeros(4, np.int8))


@settings(max_examples=150, deadline=None)
@given(cases(), st.data())
def test_cutting_off_the_future_changes_nothing_before(case, data):
    setup = Setup(case.specs, case.capital, costs_of(case.costs), case.profile, case.ranking)
    whole = simulate(setup, Tape.of(case.candles, case.specs), case.directions, case.scores)
    end = data.draw(st.integers(1, len(whole.time)))
    until = int(whole.time[end - 1])
    keep = [int(np.searchsorted(c.open_time, until)) for c in case.candles]
    if min(keep) == 0:
        return
    cut = [[column[:n] for column, n in zip(columns, keep, strict=True)]
           for columns in (case.candles, case.directions, case.scores)]
    part = simulate(setup, Tape.of(cut[0], case.specs), cut[1], cut[2])
    assert (part.equity == whole.equity[:end]).all()
    assert (part.drawdown_ppm == whole.drawdown_ppm[:end]).all() and (part.benchmark == whole.benchmark[:end]).all()
    assert part.trades == tuple(t for t in whole.trades if t.exit_time <= until)
    assert all((mine == theirs[: len(mine)]).all() for mine, theirs in zip(part.outcomes, whole.outcomes, strict=True))


def test_only_the_best_wish_of_a_moment_is_granted():
    candles = [made_candles(60), made_candles(60, seed=2, symbol="ETHUSDT")]
    wish = np.zeros(60, np.int8)
    wish[30] = 1
    tape, scores = Tape.of(candles, SPECS), [np.full(60, 1.0), np.full(60, 2.0)]
    ranked = simulate(replace(SETUP, ranking=Ranking(1)), tape, [wish, wish], scores)
    assert [outcome[30] for outcome in ranked.outcomes] == [12, 1] and ranked.decisions["denied: rank"] == 1
    unranked = simulate(replace(SETUP, ranking=UNRANKED), tape, [wish, wish], scores)
    assert unranked.decisions["entry"] == 2


def test_symbols_with_missing_bars_share_one_clock():
    one, other = made_candles(50), without(made_candles(50, seed=2, symbol="ETHUSDT"), [7, 8, 30])
    result = simulate(SETUP, Tape.of([one, other], SPECS), [np.zeros(50, np.int8), np.zeros(47, np.int8)])
    assert len(result.time) == 50 and [len(o) for o in result.outcomes] == [50, 47]


def test_the_kill_switch_ends_trading_and_says_when():
    candles = made_candles(400)
    profile = replace(PROFILES[1], max_drawdown_rate=0.0005)
    result = run(candles, alternating(400, 10), replace(SETUP, profile=profile))
    assert result.killed_at in result.time and result.decisions["denied: kill_switch"] > 0
    later = [t for t in result.trades if t.entry_time > result.killed_at]
    assert not later
