"""A look into the future is caught and named, and a memory without end is noticed."""

import dataclasses

import numpy as np
import pytest

from services.strategies import parse_strategy
from tests.contracts.signal_source import random_candles
from trading.indicators import INDICATORS
from trading.indicators.compiling import njit
from trading.strategies import columns
from trading.strategies.causality import Lie, first_lie, settled_after
from trading.strategies.sources import Cell

RSI = {"left": "rsi_5", "op": "<", "right": 30}


def strategy(entry, leave=None, **more):
    leave = leave or {"left": "rsi_5", "op": ">", "right": 70}
    found = {"version": 2, "symbols": ["BTCUSDT"], "timeframe": "1m", "entry": entry, "exit": leave}
    return parse_strategy(found | more)


@njit
def _centred(state, close, out):
    """Mean of a bar and both of its neighbours: an honest mistake with `center=True`."""
    for row in range(len(close)):
        out[0, row] = np.nan
        if 0 < row < len(close) - 1:
            out[0, row] = (close[row - 1] + close[row] + close[row + 1]) / 3.0


@pytest.fixture
def centred(monkeypatch):
    """An indicator whose columns look one bar ahead; bar by bar it is an average like any other."""
    row = dataclasses.replace(INDICATORS["sma"], name="centred", outputs=("centred",), primary="centred", loop=_centred)
    monkeypatch.setitem(INDICATORS, "centred", row)


def test_honest_strategy_has_no_lie():
    assert first_lie(strategy({"all": [RSI, {"left": "close", "op": "crosses_above", "right": "ema_9"}]}),
                     random_candles(500)) is None


@pytest.mark.parametrize(("entry", "more", "field"), [
    ({"all": [RSI, {"left": "close", "op": ">", "right": "centred_3"}]}, {}, "entry.all[1].right"),
    ({"any": [RSI, {"not": {"left": "centred_3", "op": "crosses_above", "right": "sma_3"}}]}, {},
     "entry.any[1].not.left"),
    ({"all": [RSI, {"rising": "centred_3", "bars": 1}]}, {}, "entry.all[1].rising"),
    (RSI, {"rank": {"by": {"indicator": "centred", "parameters": {"period": 3}, "timeframe": "5m"}}}, "rank.by"),
])
def test_planted_look_ahead_is_caught_and_named(centred, entry, more, field):
    lie = first_lie(strategy(entry, **more), random_candles(300))
    assert isinstance(lie, Lie)
    assert lie.field == field
    assert str(lie).startswith(f"{field} on bar {lie.row}: ")


def test_bar_of_the_future_by_force_is_caught_and_named(monkeypatch):
    def shifted(cell, raw, earlier):
        return np.append(raw[1:], np.nan) if cell.series.ago == 1 else raw

    monkeypatch.setattr(Cell, "column", shifted)
    entry = {"left": "close", "op": ">", "right": {"price": "close", "ago": 1}}
    lie = first_lie(strategy(entry), random_candles(100))
    assert (lie.row, lie.field) == (0, "entry.right")


def test_unfinished_bar_of_a_longer_timeframe_is_caught_and_named(monkeypatch):
    honest = columns.frame_of

    def hasty(candles, timeframe):
        frame = honest(candles, timeframe)
        return frame if frame.visible is None else dataclasses.replace(frame, visible=np.minimum(
            frame.visible + 1, len(frame.bars) - 1))

    monkeypatch.setattr(columns, "frame_of", hasty)
    entry = {"all": [RSI, {"left": {"price": "close", "timeframe": "15m"}, "op": ">", "right": "close"}]}
    lie = first_lie(strategy(entry), random_candles(100))
    assert (lie.row, lie.field) == (0, "entry.all[1].left")


def test_decision_that_differs_while_all_numbers_agree_is_caught(monkeypatch):
    candles = random_candles(10).map(np.round)
    candles.close[:] = [4, 6, 5, 6, 6, 6, 6, 6, 6, 6]
    monkeypatch.setitem(columns.COMPARE, "<", np.less_equal)
    lie = first_lie(strategy({"left": "close", "op": "<", "right": 5}), candles)
    assert lie == Lie(2, "direction", 1, 0)


def test_window_settles_at_its_length_and_an_exponential_average_later():
    candles = random_candles(4_000)
    window = strategy({"left": "close", "op": ">", "right": "sma_20"}, {"left": "close", "op": "<", "right": "sma_20"})
    assert 0 < settled_after(window, candles) <= 20
    fading = strategy({"left": "close", "op": ">", "right": "ema_20"}, {"left": "close", "op": "<", "right": "ema_20"})
    assert 19 <= settled_after(fading, candles) < 400


def test_price_alone_is_settled_at_once():
    rules = strategy({"left": "close", "op": ">", "right": 100}, {"left": "close", "op": "<", "right": 90})
    assert settled_after(rules, random_candles(500)) == 0
