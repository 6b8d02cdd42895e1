"""The row of figures of a finished run: eight tiles, undefined figures as a dash with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dash import html

from layouts import ids, text
from layouts.kpis import Tile, inside
from trading.domain.backtests import BacktestView

DAY_MS = 86_400_000
Figures = Mapping[str, float | None]


def _whole(value: float | None, word: str) -> str:
    return f"no {word} counted" if value is None else text.plural(round(value), word)


def net_return(f: Figures) -> Tile:
    """Gain after all costs, beside that of holding."""
    value, hold = f.get("total_return"), f.get("buy_and_hold")
    note = f"hold {text.signed_percent(hold, 1)}" if hold is not None else "no benchmark"
    return Tile(text.signed_percent(value, 1), note, text.tone(value), title="After commission, spread and slippage")


def cagr(f: Figures) -> Tile:
    """Gain a year."""
    value = f.get("cagr")
    note = _length(f.get("elapsed_ms")) if value is not None else "too short to say"
    return Tile(text.signed_percent(value, 1), note, title="Compound annual growth rate")


def _length(elapsed_ms: float | None) -> str:
    days = (elapsed_ms or 0.0) / DAY_MS
    return f"{days / 365:.2f} years" if days >= 36.5 else f"{days:.1f} days"


def sharpe(f: Figures) -> Tile:
    """Annual Sharpe ratio and where it may lie."""
    value, low, high = (f.get(key) for key in ("sharpe", "sharpe_low", "sharpe_high"))
    if value is None:
        return Tile(text.NOTHING, "too few returns to say")
    between = "no interval" if low is None or high is None else f"95 %: {text.number(low)} – {text.number(high)}"
    return Tile(text.number(value), between, title="Annualised, from the returns of the equity curve, costs in")


def deflated(f: Figures) -> Tile:
    """Chance that the Sharpe ratio is above what the best of that many trials shows by luck."""
    value, n = f.get("deflated_sharpe"), f.get("n_trials")
    tone = "" if value is None else "up" if value >= 0.95 else "warning" if value >= 0.5 else "down"
    title = "Chance that the true Sharpe ratio is above zero after so many trials (Bailey and López de Prado, 2014)"
    return Tile(text.number(value), f"{_whole(n, 'trial')} counted" if n is not None else "", tone, title=title)


def fall(depth: float | None) -> str:
    """Write the depth of a drawdown, a fraction of either sign, as a loss: `−11.2 %`."""
    return text.signed_percent(None if depth is None else -abs(depth), 1)


def max_drawdown(f: Figures) -> Tile:
    """Deepest fall and the longest time below a high."""
    value, days = f.get("max_drawdown"), f.get("drawdown_days")
    tone = "warning" if value else ""
    note = text.plural(round(days), "day") if value and days is not None else "no fall"
    return Tile(fall(value), note, tone, title="Longest time below an earlier high beside it")


def win_rate(f: Figures) -> Tile:
    """Share of trades that won."""
    n = round(f.get("n_trades") or 0)
    return Tile(text.percent(f.get("win_rate")), text.plural(n, "trade") if n else "no trade")


def profit_factor(f: Figures) -> Tile:
    """Gains over losses."""
    value, mean = f.get("profit_factor"), f.get("expectancy_rate")
    note = f"expectancy {text.signed_percent(mean)}" if mean is not None else "no trade to judge"
    return Tile(text.number(value), note, title="Sum of gains over sum of losses; expectancy: mean return of a trade")


def overfitting(f: Figures) -> Tile:
    """Probability of backtest overfitting, which only a sweep can tell."""
    value, share = f.get("pbo"), f.get("oos_ratio")
    title = "Share of splits in which the best parameters do worse than the median afterwards (CSCV)"
    if value is None:
        return Tile("PBO –", "needs a sweep", title=title)
    tone = "up" if value < 0.25 else "warning" if value < 0.5 else "down"
    note = f"out of sample: {text.percent(share, 0)} of in-sample" if share is not None else "by combinatorial splits"
    return Tile(f"PBO {text.number(value)}", note, tone, title=title)


TILES: dict[str, tuple[str, Callable[[Figures], Tile]]] = {
    "return": ("Net return", net_return),
    "cagr": ("CAGR", cagr),
    "sharpe": ("Sharpe", sharpe),
    "deflated": ("Deflated Sharpe", deflated),
    "drawdown": ("Max drawdown", max_drawdown),
    "win": ("Win rate", win_rate),
    "profit": ("Profit factor", profit_factor),
    "overfitting": ("Overfitting", overfitting),
}


def made(view: BacktestView) -> dict[str, tuple[str, Tile]]:
    """Return label and content of each tile."""
    time = view.curve.time
    figures = {**view.figures, "elapsed_ms": float(time[-1] - time[0]) if len(time) else None}
    return {key: (label, tile(figures)) for key, (label, tile) in TILES.items()}


def tiles(view: BacktestView) -> list[html.Div]:
    """Draw the tiles."""
    return [
        html.Div(inside(label, tile), className=f"panel kpi kpi-{key}") for key, (label, tile) in made(view).items()
    ]


def row(view: BacktestView) -> html.Div:
    """Draw the row."""
    return html.Div(tiles(view), id=ids.BT_TILES, className="kpis bt-kpis")
