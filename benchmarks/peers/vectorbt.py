"""Backtests by vectorbt, on its Rust engine where it has one.

Timed as its documentation does it: its own indicators, then `Portfolio.from_signals` at the close of the signal's bar,
its equity and the number of its trades. The agreement is taken on the directions, sizes and distances of ours.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from benchmarks.market import CAPITAL, COMMISSION, STAKE
from trading.domain import Candles

FREQUENCY = "1min"


class Asked(NamedTuple):
    """What ours traded by: directions, units of an entry on each row, and distances of stop and target (or None)."""

    direction: np.ndarray
    units: np.ndarray
    stop: np.ndarray | None = None
    target: np.ndarray | None = None


class Answer(NamedTuple):
    """Finished trades (bar of the entry's and of the exit's fill, their prices, units) and equity a bar."""

    entry_row: np.ndarray
    exit_row: np.ndarray
    entry_price: np.ndarray
    exit_price: np.ndarray
    units: np.ndarray
    equity: np.ndarray
    has_order: np.ndarray


def missing() -> str:
    """Return why vectorbt cannot run, or nothing."""
    try:
        package()
    except ImportError as error:
        return f"no vectorbt ({error}): pip install -r requirements-bench.txt"
    return ""


def package() -> Any:
    """Import vectorbt, which takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vectorbt
    return vectorbt


def engine() -> str:
    """Return the engine that vectorbt runs on here: rust or numba."""
    from vectorbt._engine import is_rust_available

    return "rust" if is_rust_available() else "numba"


def label() -> str:
    """Return name, version and engine."""
    return f"vectorbt {package().__version__} ({engine()})"


def sma_cross(candles: Candles, fast: int, slow: int) -> Any:
    """Cross of two averages."""
    vbt = package()
    close = _series(candles, "close")
    one, two = vbt.MA.run(close, fast), vbt.MA.run(close, slow)
    return _results(_portfolio(close, one.ma_crossed_above(two), one.ma_crossed_below(two)))


def rsi_with_stops(candles: Candles, low: float, high: float, stop_atr: float, target_atr: float) -> Any:
    """RSI 14 falling below `low` and rising above `high`, with stop and target in ATRs."""
    vbt = package()
    close, highs, lows = (_series(candles, name) for name in ("close", "high", "low"))
    rsi = vbt.RSI.run(close, 14)
    atr = vbt.ATR.run(highs, lows, close, 14).atr
    levels = {"open": _series(candles, "open"), "high": highs, "low": lows,
              "sl_stop": stop_atr * atr / close, "tp_stop": target_atr * atr / close}
    return _results(_portfolio(close, rsi.rsi_crossed_below(low), rsi.rsi_crossed_above(high), **levels))


def sma_sweep(candles: Candles, fasts: list[int], slows: list[int]) -> Any:
    """One column a pair, all at once, as vectorbt is meant to be used; the total returns."""
    vbt = package()
    close = _series(candles, "close")
    one, two = vbt.MA.run(close, fasts), vbt.MA.run(close, slows)
    entries = one.ma_crossed_above(two).to_numpy()
    exits = one.ma_crossed_below(two).to_numpy()
    portfolio = _portfolio(close, entries, exits)
    return portfolio.total_return().to_numpy(), portfolio.max_drawdown().to_numpy(), portfolio.trades.count().to_numpy()


def same_question(candles: Candles, asked: Asked) -> Answer:
    """Trade the directions, sizes and distances of ours; rows are told as ours tells them.

    vectorbt fills at the close of the signal's bar, which is the next bar's open. Ours takes the commission of a
    buy from what it receives; the same money is a smaller size at a slightly higher rate.
    """
    buys, sells = asked.direction > 0, asked.direction < 0
    close = _series(candles, "close")
    levels = {}
    if asked.stop is not None and asked.target is not None:  # ours stops at a touch, and its target must be passed
        levels = {"open": _series(candles, "open"), "high": _series(candles, "high"), "low": _series(candles, "low"),
                  "sl_stop": (asked.stop - 1e-6) / candles.close, "tp_stop": (asked.target + 1e-6) / candles.close}
    fees = np.where(buys, COMMISSION / (1 - COMMISSION), COMMISSION)
    portfolio = package().Portfolio.from_signals(
        close, buys, sells, size=np.where(buys, asked.units * (1 - COMMISSION), np.inf), fees=fees,
        init_cash=float(CAPITAL), freq=FREQUENCY, **levels,
    )
    trades = portfolio.trades.records
    trades = trades[trades["status"] == 1].sort_values("exit_idx", kind="stable")
    entry, leave = trades["entry_idx"].to_numpy(), trades["exit_idx"].to_numpy()
    has_order = np.zeros(len(candles), bool)
    has_order[portfolio.orders.records["idx"].to_numpy()] = True
    by_signal = sells[leave] & (trades["exit_price"].to_numpy() == candles.close[leave])
    return Answer(entry + 1, leave + by_signal, trades["entry_price"].to_numpy(), trades["exit_price"].to_numpy(),
                  trades["size"].to_numpy() / (1 - COMMISSION), portfolio.value().to_numpy(), has_order)


def _series(candles: Candles, name: str) -> Any:
    import pandas as pd

    return pd.Series(getattr(candles, name))


def _portfolio(close: Any, entries: Any, exits: Any, **levels: Any) -> Any:
    return package().Portfolio.from_signals(close, entries, exits, size=STAKE, size_type="percent", fees=COMMISSION,
                                            init_cash=float(CAPITAL), freq=FREQUENCY, engine=engine(), **levels)


def _results(portfolio: Any) -> tuple[Any, int]:
    return portfolio.value(), portfolio.trades.count()
