"""Curves and trades that tests measure."""

import numpy as np

from trading.metrics import EquityCurve, TradeColumns

DAY_MS = 86_400_000
START_MS = 1_640_995_200_000  # 2022-01-01 UTC


def closes(n: int, interval_ms: int = DAY_MS, first: int = START_MS) -> np.ndarray:
    """Close times of `n` bars in a row."""
    return first + interval_ms * np.arange(1, n + 1, dtype=np.int64) - 1


def curve_of(returns, interval_ms: int = DAY_MS, start: float = 10_000.0, **columns) -> EquityCurve:
    """A curve that makes these bar returns."""
    returns = np.asarray(returns, dtype=float)
    equity = start * np.cumprod(1.0 + returns)
    return EquityCurve(closes(len(returns), interval_ms), equity, start, interval_ms, **columns)


def trades_of(pnl, entry: float = 100.0, hold_ms: int = DAY_MS, **columns) -> TradeColumns:
    """One trade after the other with these results."""
    pnl = np.asarray(pnl)
    entries = START_MS + 2 * hold_ms * np.arange(len(pnl), dtype=np.int64)
    paid = np.full(len(pnl), entry).astype(pnl.dtype)
    return TradeColumns(pnl, paid, entries, entries + hold_ms, np.zeros_like(pnl), **columns)
