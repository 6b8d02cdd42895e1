"""The row of figures: eight tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from dash import html

from layouts import ids, parts, text
from trading.domain import CockpitView

STALE_MS = 15_000


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure, what it means, and how much of its limit it uses."""

    value: str
    note: str
    tone: str = ""
    used: float | None = None
    bar_tone: str = "accent"
    title: str = ""


def equity(view: CockpitView) -> Tile:
    """Equity, and the gain since the start."""
    account = view.account
    gain = float(account.equity / account.start_equity - 1) if account.start_equity else 0.0
    title = f"Cash {text.number(account.cash)} {account.quote}, fees paid {text.number(account.fees)}"
    return Tile(text.number(account.equity), f"{text.signed_percent(gain)} since start", title=title)


def day_pnl(view: CockpitView) -> Tile:
    """Gain of the UTC day against the daily loss limit."""
    account, limit = view.account, view.session.profile.daily_loss_rate
    used = max(0.0, -account.day_pnl_rate) / limit if limit else 0.0
    note = f"{text.signed_percent(account.day_pnl_rate)} · limit −{text.percent(limit)}"
    title = f"{100 * min(used, 1):.0f} % of the daily loss limit is used (UTC day)"
    return Tile(text.signed(account.day_pnl), note, text.tone(account.day_pnl, 2), used, "down", title)


def unrealized(view: CockpitView) -> Tile:
    """Gain of the open positions."""
    pnl, note = view.account.unrealized_pnl, text.plural(len(view.positions), "position")
    if not view.positions and text.signed(pnl) != text.signed(Decimal(0)):
        note = "fractions of lots, not sellable"
    realized = f"Realised since start: {text.signed(view.account.realized_pnl)} {view.account.quote}"
    return Tile(text.signed(pnl), note, text.tone(pnl, 2), title=realized)


def drawdown(view: CockpitView) -> Tile:
    """Fall from the highest equity against the kill line."""
    rate, limit = view.account.drawdown_rate, view.session.profile.max_drawdown_rate
    used = -rate / limit if limit else 0.0
    tone = "down" if used >= 0.75 else "warning" if rate < 0 else ""
    title = f"Deepest fall from the highest equity ever, within bars too: " \
            f"{text.signed_percent(view.account.max_drawdown_rate)}"
    kill = f"−{text.percent(limit)}"
    note = f"since re-arm · kill at {kill}" if view.account.is_rearmed else f"kill switch at {kill}"
    return Tile(text.signed_percent(rate), note, tone, used, tone or "warning", title)


def exposure(view: CockpitView) -> Tile:
    """Value of the positions as a share of equity, against its limit."""
    rate, limit = view.account.exposure_rate, view.session.profile.max_exposure_rate
    return Tile(text.percent(rate), f"limit {text.percent(limit, 0)}", used=rate / limit if limit else 0.0)


def win_rate(view: CockpitView) -> Tile:
    """Share of finished trades that won."""
    rate, n = view.account.win_rate, view.account.n_trades
    note = f"last {text.plural(n, 'trade')}" if rate is not None else f"{text.plural(n, 'trade')} · too few to say"
    return Tile(text.percent(rate), note if n else "no finished trade yet")


def sharpe(view: CockpitView) -> Tile:
    """Sharpe ratio of the equity curve."""
    value, n = view.account.sharpe, view.account.n_returns
    note = f"annual · {text.plural(n, 'return')}" if value is not None else "too few returns to say"
    return Tile(text.number(value), note, title="Annualised, from the returns of the equity curve, fees included")


def data_age(view: CockpitView) -> Tile:
    """Time since the newest price."""
    feed = view.feed
    late = feed.age_ms > STALE_MS or feed.state in ("stale", "failed")
    return Tile(
        text.age(feed.age_ms), f"{feed.state} · {text.short(feed.name)}", "down" if late else "", title=feed.detail
    )


TILES: dict[str, tuple[str, Callable[[CockpitView], Tile]]] = {
    "equity": ("Equity · {quote}", equity),
    "day": ("Day P&L", day_pnl),
    "unrealized": ("Unrealised", unrealized),
    "drawdown": ("Drawdown", drawdown),
    "exposure": ("Exposure", exposure),
    "win": ("Win rate", win_rate),
    "sharpe": ("Sharpe", sharpe),
    "age": ("Data age", data_age),
}


def inside(label: str, tile: Tile) -> list[object]:
    """Draw what a tile shows."""
    rows: list[object] = [
        html.Div(label, className="kpi-label", title=tile.title),
        html.Div(tile.value, className=f"kpi-value {tile.tone}"),
        html.Div(tile.note, className="kpi-note", title=tile.note),
    ]
    return rows if tile.used is None else [*rows, parts.bar(tile.used, tile.bar_tone, tile.title)]


def live(view: CockpitView) -> parts.Parts:
    """Return every tile's content."""
    quote = view.account.quote
    return {
        (ids.kpi(key), "children"): inside(label.format(quote=quote), tile(view))
        for key, (label, tile) in TILES.items()
    }


def card(view: CockpitView) -> html.Div:
    """Draw the row."""
    changing = live(view)
    tiles = [html.Div(changing[ids.kpi(key), "children"], id=ids.kpi(key), className="panel kpi") for key in TILES]
    return html.Div(tiles, className="kpis")
