"""The answer as a short table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trading.domain.backtests import Check

_PERCENT = ("total_return", "buy_and_hold_return", "cagr", "max_drawdown", "win_rate", "volatility", "exposure")
_SHOWN = ("total_return", "buy_and_hold_return", "cagr", "sharpe", "sortino", "max_drawdown", "n_trades", "win_rate",
          "profit_factor", "expectancy", "fees", "end_equity", "deflated_sharpe", "n_trials", "pbo", "oos_ratio")


def figure_lines(figures: Mapping[str, object]) -> list[str]:
    """Return one line a figure that is known."""
    return [f"{name:<20} {figure_text(name, figures[name])}" for name in _SHOWN if figures.get(name) is not None]


def figure_text(name: str, value: object) -> str:
    """Return a figure as a person reads it."""
    if not isinstance(value, float):
        return str(value)
    if name in _PERCENT:
        return f"{value:+.2%}" if name.endswith("return") or name == "cagr" else f"{value:.2%}"
    return f"{value:,.0f}" if name.startswith("n_") else f"{value:.3f}"


def check_lines(checks: Sequence[Check]) -> list[str]:
    """Return one line a check that was answered."""
    return [f"{check.state:<20} {check.name}: {check.detail}\n" for check in checks if check.state != "waiting"]


def note_lines(notes: Sequence[str]) -> list[str]:
    """Return notes as lines."""
    return [f"note: {note}" for note in notes]
