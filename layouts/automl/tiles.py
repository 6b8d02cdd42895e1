"""The row of figures of a study: the champion inside and outside, and how many were tried for it."""

from __future__ import annotations

from dash import html

from layouts import ids, text
from layouts.automl.controls import is_active, pace
from layouts.automl.verdict import is_required
from layouts.backtest.tiles import fall
from layouts.kpis import Tile, inside
from trading.domain.studies import StudyView

WORTH = 0.2  # a share of less says nothing
CLOSED = Tile("closed", "until the search is over", "muted", title="No candidate sees the last part of the candles")


def _inside(view: StudyView, name: str) -> float | None:
    return view.champion.inside.get(name) if view.champion else None


def _outside(view: StudyView, name: str) -> float | None:
    return view.champion.outside.get(name) if view.champion else None


def is_open(view: StudyView) -> bool:
    """Tell whether the untouched window was looked at."""
    return view.state == "done" and view.champion is not None and bool(view.champion.outside)


def sharpe_inside(view: StudyView) -> Tile:
    """Sharpe ratio of the champion where it was chosen."""
    note = "of the best score" if view.champion else "no champion yet"
    return Tile(text.number(_inside(view, "sharpe")), note, title="A year; chosen to be high, so not evidence")


def sharpe_outside(view: StudyView) -> Tile:
    """Sharpe ratio of the champion where nobody had looked."""
    if not is_open(view):
        return CLOSED
    value, before = _outside(view, "sharpe"), _inside(view, "sharpe")
    kept = value / before if value is not None and before is not None and value > 0 and before > WORTH else None
    note = f"{text.percent(kept, 0)} of inside" if kept is not None else "on the untouched window"
    return Tile(text.number(value), note, text.tone(value, 2), title="A year, on the untouched window")


def return_outside(view: StudyView) -> Tile:
    """Return of the champion where nobody had looked."""
    if not is_open(view):
        return CLOSED
    value = _outside(view, "total_return")
    return Tile(text.signed_percent(value, 1), f"inside {text.signed_percent(_inside(view, 'total_return'), 1)}",
                text.tone(value, 3), title="After all costs")


def drawdown(view: StudyView) -> Tile:
    """Deepest fall of the champion."""
    value, later = _inside(view, "max_drawdown"), _outside(view, "max_drawdown")
    note = f"untouched {fall(later)}" if is_open(view) else "inside"
    return Tile(fall(value), note, "warning" if value else "")


def trades(view: StudyView) -> Tile:
    """Trades of the champion."""
    value, later = _inside(view, "n_trades"), _outside(view, "n_trades")
    note = f"untouched {round(later):,}" if is_open(view) and later is not None else "inside"
    return Tile(text.NOTHING if value is None else f"{round(value):,}", note)


def trials(view: StudyView) -> Tile:
    """Candidates that were evaluated; they deflate the champion's Sharpe ratio."""
    title = "Every evaluated candidate counts: the more were tried, the more the best is luck"
    used = view.n_trials / view.request.budget if view.request.budget else 0.0
    return Tile(f"{view.n_trials:,}", f"of {view.request.budget:,}", used=used, title=title)


def speed(view: StudyView) -> Tile:
    """Candidates a minute."""
    took = text.span(1000 * view.seconds)
    return Tile(pace(view).removesuffix(" a minute") or text.NOTHING, f"a minute · {took}",
                title="Candidates evaluated a minute, and how long the search has taken")


def gate(view: StudyView) -> Tile:
    """Questions of the gate that were passed."""
    if view.gate is None:
        return Tile(text.NOTHING, "asked at the end" if is_active(view) or view.state != "done" else "no champion")
    counting = [passed for question, _, passed in view.gate.lines if is_required(question)]
    word, tone = ("promoted", "up") if view.gate.passed else ("not promoted", "down")
    return Tile(f"{sum(counting)} of {len(counting)}", word, tone)


TILES = {
    "inside": ("Sharpe inside", sharpe_inside),
    "outside": ("Sharpe untouched", sharpe_outside),
    "return": ("Return untouched", return_outside),
    "drawdown": ("Max drawdown", drawdown),
    "trades": ("Trades", trades),
    "trials": ("Candidates tried", trials),
    "speed": ("Speed", speed),
    "gate": ("Gate", gate),
}


def tiles(view: StudyView) -> list[html.Div]:
    """Draw the tiles."""
    return [html.Div(inside(label, tile(view)), className=f"panel kpi kpi-am-{key}")
            for key, (label, tile) in TILES.items()]


def row(view: StudyView) -> html.Div:
    """Draw the row."""
    return html.Div(tiles(view), id=ids.AM_TILES, className="kpis bt-kpis")
