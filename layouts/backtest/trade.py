"""One trade on its price chart: the candles around it, entry and exit."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
import dash_tvlwc
from dash import dcc, html

from layouts import ids, parts, text, theme
from layouts import price_series as ps
from layouts.price import CHART_OPTIONS
from trading.domain import INTERVAL_MS, Candles, ChartView
from trading.domain.backtests import BacktestTrade

AROUND = 60  # bars before the entry and after the exit
MOST_BARS = 1_500  # of a trade that was held longer, bars of a longer timeframe are drawn


def span(trade: BacktestTrade, interval: str) -> tuple[int, int]:
    """Return from when to when the chart goes."""
    step = INTERVAL_MS[interval]
    air = max(AROUND * step, (trade.exit_time - trade.entry_time) // 4)
    return trade.entry_time - air, trade.exit_time + air


def chart_interval(trade: BacktestTrade, interval: str) -> str:
    """Return the shortest timeframe, not below the run's, of which few enough bars show the whole trade."""
    longer = [name for name, step in INTERVAL_MS.items() if step >= INTERVAL_MS[interval]]
    for name in longer:
        start, end = span(trade, name)
        if end - start <= MOST_BARS * INTERVAL_MS[name]:
            return name
    return longer[-1]


def markers(trade: BacktestTrade, candles: Candles) -> list[dict[str, Any]]:
    """Return entry and exit on the bars that hold them."""
    step = INTERVAL_MS[candles.interval]
    long = trade.side != "SHORT"
    below = {"position": "belowBar", "shape": "arrowUp", "color": theme.UP}
    above = {"position": "aboveBar", "shape": "arrowDown", "color": theme.DOWN}
    looks = (below, above) if long else (above, below)
    words = ("entry", trade.closed_because or "exit")
    times = (trade.entry_time, trade.exit_time)
    return [
        {"time": at // step * step // 1000, "id": word, "size": 1.4, "text": word, **look}
        for at, word, look in zip(times, words, looks, strict=True)
    ]


def price_lines(trade: BacktestTrade) -> list[dict[str, Any]]:
    """Return the prices of entry and exit."""
    rows = ((trade.entry_price, theme.ACCENT, "ENTRY"), (trade.exit_price, theme.MUTED, "EXIT"))
    look = {"lineWidth": 1, "lineStyle": ps.DASHED, "axisLabelVisible": True}
    return [look | {"price": float(price), "color": colour, "title": title} for price, colour, title in rows]


def chart(trade: BacktestTrade, candles: Candles) -> Any:
    """Draw the candles around the trade."""
    if not len(candles):
        return parts.empty("The candles are not stored any more", "Download or import them again to see this trade.")
    view = ChartView(candles, {}, trade.decimals)
    return dash_tvlwc.Tvlwc(
        series=ps.all_series(view, {}, markers(trade, candles), price_lines(trade)),
        paneOptions=ps.pane_options(()),
        chartOptions=CHART_OPTIONS,
        visibleLogicalRange={"from": -1, "to": len(candles) + 2},
        width="100%",
        height="100%",
    )


def facts(trade: BacktestTrade, quote: str, drawn: str) -> html.Div:
    """Write the trade's figures, and the timeframe that is drawn."""
    held = text.span(trade.exit_time - trade.entry_time)
    rows = [
        ("Entry", f"{text.minute(trade.entry_time)} · {text.number(trade.entry_price, trade.decimals)}"),
        ("Exit", f"{text.minute(trade.exit_time)} · {text.number(trade.exit_price, trade.decimals)}"),
        ("Held", held),
        ("Quantity", f"{trade.quantity:f}"),
        ("Fees", f"{text.number(trade.fees)} {quote}"),
        ("Opened by", trade.opened_by or text.NOTHING),
        ("Closed because", trade.closed_because or text.NOTHING),
        ("Candles", drawn),
    ]
    return html.Div(
        [html.Div([html.Span(k, className="muted"), html.Span(v)]) for k, v in rows], className="trade-facts"
    )


def title(trade: BacktestTrade, quote: str) -> list[Any]:
    """Name the trade and what it made."""
    gain = f"{text.signed(trade.pnl)} {quote} ({text.signed_percent(trade.pnl_rate)})"
    side = trade.side.lower()
    return [f"Trade {trade.number} · {trade.display} {side} ", html.Span(gain, className=text.tone(trade.pnl, 2))]


def body(trade: BacktestTrade, candles: Candles, quote: str) -> list[Any]:
    """Draw facts and chart."""
    return [facts(trade, quote, candles.interval), html.Div(chart(trade, candles), className="chart trade-chart")]


def dialog() -> dbc.Modal:
    """Draw the empty dialog."""
    head = dbc.ModalHeader(dbc.ModalTitle("", id=ids.BT_TRADE_TITLE))
    foot = [
        html.Button("← Earlier", id=ids.BT_TRADE_BACK, className="btn-line"),
        html.Button("Later →", id=ids.BT_TRADE_NEXT, className="btn-line"),
    ]
    pieces = [head, dbc.ModalBody(id=ids.BT_TRADE_BODY), dbc.ModalFooter(foot), dcc.Store(id=ids.BT_TRADE)]
    return dbc.Modal(pieces, id=ids.BT_TRADE_MODAL, is_open=False, size="xl", centered=True, class_name="trade-modal")
