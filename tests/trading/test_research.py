"""The research kernel against the package `backtesting`, and what must hold of any of its runs."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.made_candles import made_candles
from trading.domain import Candles
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.indicators import INDICATORS
from trading.research import BACKTESTING_PY, VECTORBT, Research, Semantics, research, simulate_short
from trading.risk import PROFILES

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover
    from backtesting.test import EURUSD, GOOG, SMA

pytestmark = pytest.mark.filterwarnings("ignore")
FREE = Semantics(commission_rate=0.0, slippage_rate=0.0)


class SmaCross(Strategy):
    """As the package's README has it."""

    fast, slow = 10, 20
    stop_rate = target_rate = 0.0

    def init(self):
        self.sma1 = self.I(SMA, self.data.Close, self.fast)
        self.sma2 = self.I(SMA, self.data.Close, self.slow)

    def next(self):
        if crossover(self.sma1, self.sma2):
            self.buy(**self.levels(1))
        elif crossover(self.sma2, self.sma1):
            self.sell(**self.levels(-1))

    def levels(self, side):
        if not self.stop_rate:
            return {}
        close = self.data.Close[-1]
        return {"sl": close * (1 - side * self.stop_rate), "tp": close * (1 + side * self.target_rate)}


class LongSmaCross(SmaCross):
    def next(self):
        if crossover(self.sma1, self.sma2):
            if not self.position:
                self.buy(**self.levels(1))
        elif crossover(self.sma2, self.sma1):
            self.position.close()


def candles_of(frame) -> Candles:
    times = 86_400_000 * np.arange(len(frame), dtype=np.int64)
    columns = [frame[name].to_numpy(np.float64) for name in ("Open", "High", "Low", "Close", "Volume")]
    nothing = np.zeros(len(frame))
    return Candles("GOOGUSD", "1d", times, *columns, nothing, times * 0, nothing)


def crossings(candles: Candles, fast: int, slow: int) -> np.ndarray:
    """1 where the fast average crosses above the slow, -1 below: both sides strictly, as `crossover` has it."""
    one, other = (INDICATORS["sma"].compute(candles, period=period)["sma"] for period in (fast, slow))
    up = np.append(False, (one[:-1] < other[:-1]) & (one[1:] > other[1:]))
    down = np.append(False, (one[:-1] > other[:-1]) & (one[1:] < other[1:]))
    return up.astype(np.int8) - down.astype(np.int8)


def assert_same_trades(ours: Research, stats) -> None:
    theirs = stats._trades.sort_values("ExitBar", kind="stable")
    assert ours.n_trades == len(theirs) > 20
    for name, column in (("EntryBar", ours.entry_row), ("ExitBar", ours.exit_row), ("Size", ours.size)):
        np.testing.assert_array_equal(theirs[name], column, err_msg=name)
    for name, column in (("EntryPrice", ours.entry_price), ("ExitPrice", ours.exit_price)):
        np.testing.assert_allclose(column, theirs[name], rtol=1e-12, err_msg=name)
    assert ours.equity[-1] == pytest.approx(stats["Equity Final [$]"], rel=1e-9)


@pytest.mark.parametrize(("frame", "start"), [(GOOG, 10_000.0), (EURUSD, 10_000.0)], ids=["GOOG", "EURUSD"])
@pytest.mark.parametrize("strategy", [SmaCross, LongSmaCross])
@pytest.mark.parametrize("levels", [{}, {"stop_rate": 0.02, "target_rate": 0.03}], ids=["bare", "stop and target"])
def test_sma_cross_makes_the_trades_and_the_equity_of_the_package_backtesting(frame, start, strategy, levels):
    if frame is EURUSD and levels:
        levels = {"stop_rate": 0.002, "target_rate": 0.003}
    stats = Backtest(frame, strategy, cash=start, commission=0.002, exclusive_orders=True).run(**levels)
    candles = candles_of(frame)
    directions = crossings(candles, 10, 20)
    semantics = replace(BACKTESTING_PY, side="both" if strategy is SmaCross else "long", start=start,
                        commission_rate=0.002)
    kept = {}
    if levels:
        side = np.where(directions < 0, -1.0, 1.0)
        kept = {"stop": candles.close * (1 - side * levels["stop_rate"]),
                "target": candles.close * (1 + side * levels["target_rate"])}
    ours = research(candles, directions, semantics, **kept)
    assert_same_trades(ours, stats)
    np.testing.assert_allclose(ours.equity, stats._equity_curve["Equity"], rtol=1e-9)
    if levels:
        assert {"stop", "target", "signal"} <= set(ours.closed_because)


def test_long_only_cross_trades_at_this_close_as_the_package_does():  # it books the commission a bar later
    stats = Backtest(GOOG, LongSmaCross, cash=10_000, commission=0.002, trade_on_close=True).run()
    semantics = replace(BACKTESTING_PY, side="long", commission_rate=0.002, fills="this_close")
    candles = candles_of(GOOG)
    assert_same_trades(research(candles, crossings(candles, 10, 20), semantics), stats)


walks = st.builds(made_candles, n_bars=st.integers(2, 150), seed=st.integers(0, 2**32 - 1))
semantics = st.builds(
    Semantics, side=st.sampled_from(("long", "short", "both")), fraction=st.sampled_from((0.1, 0.9, 1.0)),
    whole_units=st.booleans(), fee_inside=st.booleans(), commission_rate=st.sampled_from((0.0, 0.001, 0.01)),
    slippage_rate=st.sampled_from((0.0, 0.001)), fills=st.sampled_from(("next_open", "this_close")),
    stop_on_entry_bar=st.booleans(), stop_first=st.booleans(), target_touch=st.booleans(), gap_at_open=st.booleans(),
    re_entry=st.booleans(), close_at_end=st.booleans(), start=st.just(1e6),
)


def question(candles: Candles, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    draw = np.random.default_rng(seed)
    directions = draw.choice(np.array([-1, 0, 0, 1], np.int8), len(candles))
    return directions, {"stop": draw.uniform(0.5, 30, len(candles)), "target": draw.uniform(0.5, 30, len(candles))}


@given(walks, semantics, st.integers(0, 2**32 - 1))
def test_equity_is_what_came_in_and_what_the_trades_made(candles, rules, seed):
    directions, levels = question(candles, seed)
    run = research(candles, directions, rules, **levels)
    assert run.equity[-1] == pytest.approx(rules.start + run.pnl.sum() + run.open_pnl, rel=1e-12)
    assert (run.open_size == 0.0) or not rules.close_at_end
    assert (run.fees >= 0).all()
    assert (run.exit_row >= run.entry_row).all()
    if rules.side != "both":
        assert (np.sign(run.size) == (1 if rules.side == "long" else -1)).all()


@given(walks, semantics, st.integers(0, 2**32 - 1), st.integers(1, 149))
def test_cutting_the_tail_changes_nothing_before_it(candles, rules, seed, n_kept):
    rules = replace(rules, close_at_end=False)
    directions, levels = question(candles, seed)
    n_kept = min(n_kept, len(candles) - 1)
    whole = research(candles, directions, rules, **levels)
    part = research(candles[:n_kept], directions[:n_kept], rules, **{k: v[:n_kept] for k, v in levels.items()})
    np.testing.assert_array_equal(part.equity, whole.equity[:n_kept])
    np.testing.assert_array_equal(part.sheet.trades[: part.n_trades], whole.sheet.trades[: part.n_trades])
    assert (whole.exit_row[part.n_trades :] >= n_kept).all()


@given(walks, semantics, st.integers(0, 2**32 - 1))
def test_short_mirrors_long_on_mirrored_prices_without_costs(candles, rules, seed):
    rules = replace(rules, side="long", commission_rate=0.0, slippage_rate=0.0, whole_units=False)
    directions, levels = question(candles, seed)
    mirror = 40_000.0
    turned = Candles("BTCUSDT", "1m", candles.open_time, mirror - candles.open, mirror - candles.low,
                     mirror - candles.high, mirror - candles.close, *(getattr(candles, c) for c in
                     ("volume", "quote_volume", "trades", "taker_buy_base")))
    long = research(candles, directions, rules, **levels)
    short = research(turned, directions, replace(rules, side="short"), **levels)
    np.testing.assert_array_equal(short.entry_row, long.entry_row)
    np.testing.assert_array_equal(short.exit_row, long.exit_row)
    assert short.closed_because == long.closed_because
    np.testing.assert_allclose(mirror - short.exit_price, long.exit_price, atol=1e-6)
    np.testing.assert_allclose(short.pnl / -short.size, long.pnl / long.size, atol=1e-6)


def bars(*rows: tuple[float, float, float, float]) -> Candles:
    table = np.array(rows, np.float64).T
    times = 60_000 * np.arange(len(rows), dtype=np.int64)
    return Candles("BTCUSDT", "1m", times, *table, table[0], table[0], times, table[0])


BOTH_TOUCHED = bars((100, 101, 99, 100), (100, 100.5, 99.5, 100), (100, 120, 80, 110), (110, 111, 109, 110))
ENTER = np.array([1, 0, 0, 0], np.int8)
NEAR = {"stop": np.full(4, 10.0), "target": np.full(4, 20.0)}


@pytest.mark.parametrize(("switch", "reason", "price"), [
    ({"target_touch": True}, "stop", 90.0),
    ({"target_touch": True, "stop_first": False}, "target", 120.0),
    ({"stop_first": False}, "stop", 90.0),  # 120 was touched, not passed
])
def test_bar_with_stop_and_target_is_read_by_the_named_switch(switch, reason, price):
    run = research(BOTH_TOUCHED, ENTER, replace(FREE, **switch), **NEAR)
    assert (run.closed_because, run.exit_price.tolist(), run.exit_row.tolist()) == ((reason,), [price], [2])


def test_gapped_stop_fills_at_the_open_or_at_the_stop():
    candles = bars((100, 101, 99, 100), (100, 101, 99, 100), (85, 86, 84, 85), (85, 86, 84, 85))
    assert research(candles, ENTER, FREE, **NEAR).exit_price.tolist() == [85.0]
    assert research(candles, ENTER, replace(FREE, gap_at_open=False), **NEAR).exit_price.tolist() == [90.0]


def test_stop_counts_on_the_entry_bar_unless_told_otherwise():
    candles = bars((100, 101, 99, 100), (100, 101, 80, 100), (100, 101, 99, 100), (100, 101, 99, 100))
    assert research(candles, ENTER, FREE, **NEAR).exit_row.tolist() == [1]
    later = research(candles, ENTER, replace(FREE, stop_on_entry_bar=False), **NEAR)
    assert (later.exit_row.tolist(), later.closed_because) == ([3], ("end",))


def test_all_in_stake_pays_its_fee_inside_or_on_top():
    candles = bars(*[(100.0, 101.0, 99.0, 100.0)] * 4)
    dear = replace(FREE, commission_rate=0.01, start=1_010.0)
    assert research(candles, ENTER, dear).size.tolist() == pytest.approx([10.0])
    assert research(candles, ENTER, replace(dear, fee_inside=False)).size.tolist() == pytest.approx([10.1])


def test_short_position_that_eats_the_account_ends_trading():
    candles = bars((100, 101, 99, 100), (100, 101, 99, 100), (100, 250, 100, 240), (240, 241, 100, 100))
    run = research(candles, np.array([1, 0, 1, 1], np.int8), replace(FREE, side="short"))
    assert run.closed_because == ("ruin",)
    assert run.equity[-1] == run.equity[-2] < 0.0


def test_document_with_side_short_is_answered():
    candles = made_candles(2_000)
    directions = crossings(candles, 10, 30)
    run = simulate_short(candles, directions, PROFILES[1], CostSettings())
    assert run.n_trades > 10
    assert (run.size < 0).all()
    assert {"signal", "stop"} <= set(run.closed_because)


def test_entries_and_exits_on_one_bar_are_neither():
    entries, exits = np.array([True, True, False, False]), np.array([True, False, False, True])
    run = research(BOTH_TOUCHED, (entries, exits), FREE)
    assert run.entry_row.tolist() == [2]


def test_vectorbt_preset_is_all_in_at_this_close():
    run = research(BOTH_TOUCHED, ENTER, VECTORBT)
    assert (run.n_trades, run.open_size, run.equity[-1]) == (0, 1.0, 110.0)


def test_columns_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="do not fit 4 candles"):
        research(BOTH_TOUCHED, ENTER[:3], FREE)
    with pytest.raises(BadInput, match="not of one length"):
        research(BOTH_TOUCHED, (ENTER > 0, ENTER[:3] > 0), FREE)
    with pytest.raises(BadInput, match="stake 0"):
        Semantics(fraction=0.0)
