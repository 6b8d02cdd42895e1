"""Columns of the grids. Formatters and buttons are the named functions of `assets/grid.js`."""

from __future__ import annotations

from typing import Any

Column = dict[str, Any]


def _function(call: str) -> dict[str, str]:
    return {"function": call}


def words(field: str, title: str, width: int, **more: Any) -> Column:
    """Return a column of text."""
    return {"field": field, "headerName": title, "minWidth": width, "filter": "agTextColumnFilter", **more}


def figures(field: str, title: str, width: int, call: str, **more: Any) -> Column:
    """Return a column of numbers, right-aligned; the raw number is what sorts, filters and exports."""
    shape = {"filter": "agNumberColumnFilter", "type": "rightAligned", "valueFormatter": _function(call)}
    return {"field": field, "headerName": title, "minWidth": width, **shape, **more}


def price(field: str, title: str, width: int = 92) -> Column:
    """Return a column of prices in the symbol's own digits."""
    return figures(field, title, width, "price(params.value, params.data.decimals)")


def signed(field: str, title: str, width: int, call: str, **more: Any) -> Column:
    """Return a column of gains and losses, coloured and signed."""
    rules = {"up": "params.value > 0", "down": "params.value < 0"}
    return figures(field, title, width, call, cellClassRules=rules, **more)


def time(field: str, title: str, width: int = 106) -> Column:
    """Return a column of UTC times."""
    return moments(field, title, width, "utc(params.value)")


def moments(field: str, title: str, width: int, call: str, **more: Any) -> Column:
    """Return a column of UTC milliseconds that is written by `call`."""
    shape = {"filter": "agNumberColumnFilter", "valueFormatter": _function(call)}
    return {"field": field, "headerName": title, "minWidth": width, **shape, **more}


def buttons(renderer: str, width: int, field: str = "actions") -> Column:
    """Return the pinned column of buttons (a column off the screen is not in the page on a phone).

    The buttons are drawn again when `field` changes.
    """
    quiet = {"sortable": False, "filter": False, "resizable": False, "suppressHeaderMenuButton": True}
    place = {"pinned": "right", "width": width, "minWidth": width, "maxWidth": width, "cellClass": "cell-buttons"}
    return {
        "field": field,
        "headerName": "Actions",
        "cellRenderer": renderer,
        "type": "rightAligned",
        **quiet,
        **place,
    }


SYMBOL = words("display", "Symbol", 92, cellClass="cell-strong", pinned="left", maxWidth=100)
SIDE = words(
    "side",
    "Side",
    62,
    cellClassRules={
        "up": "params.value == 'LONG' || params.value == 'BUY'",
        "down": "params.value == 'SELL' || params.value == 'SHORT'",
    },
)
QUANTITY = figures("quantity", "Qty", 78, "plain(params.value)")
MONEY = "signed(params.value, 2)"
RATE = "signedPercent(params.value)"

COLUMNS: dict[str, list[Column]] = {
    "positions": [
        SYMBOL,
        SIDE,
        QUANTITY,
        price("entry", "Entry"),
        price("price", "Current"),
        signed("pnl", "P&L", 82, MONEY),
        signed("pnl_rate", "P&L %", 78, RATE),
        price("stop", "Stop"),
        price("target", "Target"),
        words("opened_by", "Opened by", 130, flex=2),
        time("time", "Since"),
        buttons("PositionButtons", 128),
    ],
    "orders": [
        SYMBOL,
        SIDE,
        words("type", "Type", 76),
        QUANTITY,
        figures("filled", "Filled", 72, "plain(params.value)"),
        figures("limit", "Limit", 86, "plain(params.value)"),
        figures("stop", "Stop", 86, "plain(params.value)"),
        words("status", "Status", 104),
        words("reason", "Reason", 140, flex=2),
        time("time", "Time"),
        words("client_id", "Id", 90),
        buttons("OrderButtons", 92, "cancelable"),
    ],
    "trades": [
        figures("number", "#", 52, "plain(params.value)", sort="desc"),
        SYMBOL,
        SIDE,
        QUANTITY,
        price("entry", "Entry"),
        price("exit", "Exit"),
        signed("pnl", "P&L net", 86, MONEY),
        signed("pnl_rate", "P&L %", 78, RATE),
        figures("fees", "Fees", 66, "fixed(params.value, 2)"),
        words("opened_by", "Opened by", 116, flex=2),
        words("closed_because", "Closed because", 130, flex=2),
        time("entry_time", "Opened"),
        time("time", "Closed"),
    ],
    "log": [
        figures("number", "#", 64, "plain(params.value)", sort="desc", maxWidth=80),
        moments("time", "Time (UTC)", 118, "utcSeconds(params.value)", maxWidth=150),
        words(
            "kind",
            "Event",
            130,
            maxWidth=190,
            cellClassRules={
                "up": "params.data.tone == 'good'",
                "down": "params.data.tone == 'bad'",
                "warning": "params.data.tone == 'warn'",
            },
        ),
        words("text", "What happened", 260, flex=4),
    ],
    "backtest": [
        SYMBOL,
        moments("entry_time", "Entry", 124, "utcLong(params.value)"),
        moments("exit_time", "Exit", 124, "utcLong(params.value)"),
        words("side", "Side", 62, cellClassRules=SIDE["cellClassRules"], hide=True),
        figures("quantity", "Qty", 64, "plain(params.value)"),
        price("entry", "Entry price", 82),
        price("exit", "Exit price", 82),
        signed("pnl", "P&L", 66, MONEY),
        signed("pnl_rate", "ROI", 70, RATE),
        words("opened_by", "Opened by", 88, flex=2, tooltipField="opened_by"),
        words("closed_because", "Closed because", 100, flex=2, tooltipField="closed_because"),
        figures("confidence", "Conf.", 52, "fixed(params.value, 2)"),
        figures("fees", "Fees", 54, "fixed(params.value, 2)"),
        figures("number", "#", 50, "plain(params.value)", hide=True),
    ],
}
