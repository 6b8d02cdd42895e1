"""Monthly returns as a table whose cells are coloured by their size; every cell has its sign."""

from __future__ import annotations

from dash import html

from layouts import parts, text
from trading.domain.backtests import BacktestView

LETTERS = ("J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D")
NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST_INK = 0.55  # with more of it the words would fall below a contrast of 4.5
FULL = 0.08  # a month of 8 % has the full colour
COLOURS = {True: "46,189,133", False: "246,70,93"}


def ink(value: float | None) -> str:
    """Return the colour of a cell's ground."""
    if value is None or not round(value, 4):
        return "transparent"
    share = 0.10 + (MOST_INK - 0.10) * min(1.0, abs(value) / FULL)
    return f"rgba({COLOURS[value > 0]},{share:.2f})"


def words(value: float | None) -> str:
    """Write a month's return: `+6.1`."""
    return "" if value is None else text.signed(value * 100, 1)


def table(view: BacktestView) -> html.Table:
    """Draw the table."""
    head = html.Tr(
        [html.Th(""), *(html.Th(html.Abbr(a, title=n)) for a, n in zip(LETTERS, NAMES, strict=True)), html.Th("Year")]
    )
    rows = [
        html.Tr(
            [
                html.Th(str(year), scope="row"),
                *(
                    html.Td(words(v), style={"background": ink(v)}, title=f"{name} {year}", **{"data-month": name})
                    for name, v in zip(NAMES, months, strict=True)
                ),
                html.Td(words(whole), className="month-year"),
            ]
        )
        for year, months, whole in view.months
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="months")


def card(view: BacktestView) -> html.Section:
    """Draw the card."""
    body = html.Div(table(view), className="scroll-x") if view.months else parts.empty("Less than a month to show")
    return parts.card("Monthly return, %", body, name="months")
