"""The row of figures of a model: eight tiles, each beside what it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dash import html

from layouts import text
from layouts.backtest.tiles import fall
from layouts.kpis import Tile, inside
from layouts.models.verdict import span
from trading.domain.learning import Fold

FEWEST_DAYS = 90
DAY_MS = 86_400_000
Figures = Mapping[str, float | None]


def _versus(value: float | None, rival: float | None, decimals: int, *, lower_is_better: bool = False) -> str:
    """Class that colours a figure against its rival; equal as written has none."""
    if value is None or rival is None or round(value, decimals) == round(rival, decimals):
        return ""
    return "up" if (value < rival) == lower_is_better else "warning"


def accuracy(f: Figures) -> Tile:
    """Share of forecasts that came true, with its interval."""
    value, low, high, n = (f.get(key) for key in ("accuracy", "accuracy_low", "accuracy_high", "n"))
    between = span(low, high) if low is not None and high is not None else "no interval"
    counted = f" · n {n:,.0f}" if n is not None else ""
    title = "Out of sample, all folds of the walk-forward, with its 95 % interval"
    return Tile(text.percent(value), f"{between}{counted}", title=title)


def majority(f: Figures) -> Tile:
    """What always guessing the majority of the training part would have scored."""
    rule = text.percent(f.get("baseline_rule"))
    title = ("Accuracy without a model, the line to beat: always the class that was commoner in the training part "
             "(below 50 % when the other one was commoner later); the last bar's direction again was "
             f"right on {rule}")
    return Tile(text.percent(f.get("baseline")), "commoner class in training", title=title)


def split(f: Figures) -> Tile:
    """Accuracy on the last fifth of the candles."""
    title = ("Not this model: the first design's small forest on six plain features (RSI 14, EMA 12 and 26, MACD and "
             "its signal, price change), trained on the first 80 % of bars and asked on the last 20 %")
    return Tile(text.percent(f.get("split_accuracy")), "another model: first design", title=title)


def auc(f: Figures) -> Tile:
    """How well forecasts rank the bars."""
    value = f.get("auc")
    title = "Chance that a bar that came true was given the higher probability; a coin has 0.500"
    return Tile(text.number(value, 3), "a coin has 0.500", _versus(value, 0.5, 3), title=title)


def brier(f: Figures) -> Tile:
    """Mean squared error of the probabilities."""
    value, plain = f.get("brier"), f.get("brier_baseline")
    tone = _versus(value, plain, 4, lower_is_better=True)
    title = "Mean squared error of the probabilities, lower is better"
    return Tile(text.number(value, 4), f"base rate {text.number(plain, 4)}", tone, title=title)


def ece(f: Figures) -> Tile:
    """How far probabilities are from what came true."""
    title = "Expected calibration error: mean distance of what was said from what came true"
    return Tile(text.number(f.get("ece"), 3), f"base rate {text.percent(f.get('base_rate'))}", title=title)


def result(f: Figures) -> Tile:
    """What following the forecasts came to after costs."""
    value, n = f.get("total_return"), f.get("n_trades")
    hold = f"hold {text.signed_percent(f.get('benchmark_return'), 1)}"
    counted = f" · {text.plural(round(n), 'trade')}" if n is not None else ""
    return Tile(text.signed_percent(value, 1), f"{hold}{counted}", text.tone(value), title="After all costs, all folds")


def risk(f: Figures) -> Tile:
    """Sharpe ratio and deepest fall of that account."""
    note, days = f"drawdown {fall(f.get('max_drawdown'))}", f.get("tested_days")
    if days is not None and days < FEWEST_DAYS:
        title = f"{days:.0f} days of tests say nothing of a year: no Sharpe ratio below {FEWEST_DAYS} days; {note}"
        return Tile(text.NOTHING, f"only {days:.0f} days of tests", title=title)
    return Tile(text.number(f.get("sharpe")), note, title="Sharpe ratio a year and deepest fall, after costs")


TILES: dict[str, tuple[str, Callable[[Figures], Tile]]] = {
    "accuracy": ("Accuracy, walk-forward", accuracy),
    "majority": ("Majority guess", majority),
    "split": ("Accuracy, 80/20 split", split),
    "auc": ("AUC", auc),
    "brier": ("Brier score", brier),
    "ece": ("Calibration error", ece),
    "result": ("Result after costs", result),
    "risk": ("Sharpe", risk),
}


def row(figures: Figures, folds: Sequence[Fold] = ()) -> html.Div:
    """Draw the row; `folds` say how long the tests lasted."""
    if folds:
        figures = {**figures, "tested_days": (folds[-1].test_end - folds[0].test_start) / DAY_MS}
    tiles = [
        html.Div(inside(label, tile(figures)), className=f"panel kpi kpi-{key}") for key, (label, tile) in TILES.items()
    ]
    return html.Div(tiles, className="kpis bt-kpis md-kpis")
