"""Backtests: one question asked of candles, its answer, and whether the answer is real."""
