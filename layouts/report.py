"""A finished run as one HTML file that needs nothing else."""

from __future__ import annotations

from trading.domain.backtests import BacktestView


def report(view: BacktestView) -> str:
    """Draw the report."""
    return f"<!DOCTYPE html><title>{view.key}</title>"
