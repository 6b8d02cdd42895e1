"""Whose result is on screen, and whether the form still asks for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dash import dcc, html

from layouts import ids, text
from layouts.backtest import form
from layouts.backtest.form import Choices, Form
from trading.domain.backtests import BacktestRequest, BacktestView

CHANGED = "The form asks something else than this result answers: press Run."


def mode_of(asked: BacktestRequest) -> str:
    """Name how a run used its period: `walk-forward 180/30 days`, `sweep`, `whole period`."""
    if asked.train_days and asked.test_days:
        return f"walk-forward {asked.train_days}/{asked.test_days} days"
    return "sweep" if asked.sweep else "whole period"


def words(view: BacktestView) -> list[str]:
    """Return the question of a result in words, its strategy first."""
    asked, time = view.request, view.curve.time
    edges = [int(time[0]), int(time[-1])] if len(time) else [0, 0]
    start = asked.start if asked.start is not None else edges[0]
    end = asked.end - 1 if asked.end is not None else edges[1]
    dates = f"{text.date(start)} to {text.date(end)}" if start or end else "no bars"
    symbols = ", ".join(text.symbol(s) for s in asked.symbols)
    return [asked.strategy, symbols, asked.interval, dates, mode_of(asked), f"{asked.capital:,f} {view.quote}"]


def title(view: BacktestView | None) -> list[Any]:
    """Write the heading of a result."""
    if view is None:
        return []
    strategy, *others = words(view)
    return [html.Strong(strategy), html.Span(" · ".join(others), className="muted")]


def marks(asked: BacktestRequest, choices: Choices) -> list[str]:
    """Return what makes a question, in a form that can be compared; a sweep is not part of the form."""
    low, high = form.dates(choices, list(asked.symbols))
    days = (form.day(asked.start) if asked.start is not None else low, _last(asked.end) or high)
    document = form.written(asked.document)
    costs = [f"{value:.9g}" for value in form.cost_figures(asked.costs).values()]
    plain = (asked.interval, *days, asked.capital.normalize(), asked.train_days, asked.test_days)
    profile = [f"{k}={v:.9g}" if isinstance(v, float) else f"{k}={v}" for k, v in asdict(asked.profile).items()]
    return [document, *sorted(asked.symbols), *(f"{p}" for p in plain), *costs, *profile]


def _last(end: int | None) -> str | None:
    return None if end is None else form.day(end - 1)


def has_changed(now: Form, choices: Choices, shown: list[str] | None) -> bool:
    """Tell whether Run would ask something else than what the result on screen answers."""
    if not shown:
        return False
    try:
        return marks(form.request_of(now, choices), choices) != shown
    except ValueError:
        return True


def strip(view: BacktestView | None, now: Form, choices: Choices) -> html.Div:
    """Draw the heading, the word about a changed form."""
    shown = marks(view.request, choices) if view else None
    changed = has_changed(now, choices, shown)
    said = html.Span(CHANGED if changed else "", id=ids.BT_CHANGED, className="bt-changed", role="status")
    heading = html.H2(title(view), id=ids.BT_HEADING, className="bt-heading")
    return html.Div([heading, said, dcc.Store(id=ids.BT_ASKED, data=shown)], className="bt-head")


def result_class(changed: bool) -> str:
    """Dim the result while the form asks something else."""
    return "bt-result is-changed" if changed else "bt-result"
