"""Days, weeks and months as a calendar: each day with its result, coloured by size; a click lists its trades."""

from __future__ import annotations

from calendar import monthcalendar
from collections.abc import Mapping
from datetime import date
from typing import Any

from dash import html

from layouts import ids, parts, text
from layouts.backtest.months import COLOURS, MOST_INK, NAMES
from trading.domain.journal import JournalFigures, ProfitSlice

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_MONTHS = 24
LEAST_INK = 0.12


def ink(value: float, largest: float) -> str:
    """Return the colour of a cell's ground: the largest result of all days has the full colour."""
    if not round(value, 2) or not largest:
        return "transparent"
    return f"rgba({COLOURS[value > 0]},{LEAST_INK + (MOST_INK - LEAST_INK) * min(1.0, abs(value) / largest):.2f})"


def short(value: float) -> str:
    """Write a result in few characters: `+12.3`, `−140`, `+1.2k`."""
    size = abs(value)
    if size >= 10_000:
        return f"{text.signed(value / 1000, 0)}k"
    if size >= 1_000:
        return f"{text.signed(value / 1000, 1)}k"
    return text.signed(value, 0 if size >= 100 else 1 if size >= 1 else 2)


def months(figures: JournalFigures) -> list[html.Div]:
    """Draw the months that have trades, the newest first."""
    days = {each.name: each for each in figures.groups["day"]}
    largest = max((abs(float(each.pnl)) for each in days.values()), default=0.0)
    found = sorted(figures.groups["month"], key=lambda each: each.start, reverse=True)[:MOST_MONTHS]
    return [month(each, days, largest, figures.quote) for each in found]


def month(whole: ProfitSlice, days: Mapping[str, ProfitSlice], largest: float, quote: str) -> html.Div:
    """Draw one month: weeks below each other, each with its sum on the right."""
    year, number = (int(part) for part in whole.name.split("-"))
    total = html.Span(f"{text.signed(whole.pnl)} {quote}", className=text.tone(whole.pnl, 2))
    count = html.Span(f"{text.plural(whole.n_trades, 'trade')} · {text.percent(whole.win_rate, 0)} won",
                      className="muted")
    head = html.Div([html.Strong(f"{NAMES[number - 1]} {year}"), total, count], className="jr-month-head")
    titles = [html.Span(word[0], title=word) for word in (*WEEKDAYS, "Σ week")]
    cells: list[Any] = []
    for week in monthcalendar(year, number):
        dates = [date(year, number, each).isoformat() if each else "" for each in week]
        cells += [day(each, days.get(each), largest, quote) for each in dates]
        inside = [days[each] for each in dates if each in days]
        total_ = sum(float(each.pnl) for each in inside)
        cells.append(html.Span(short(total_) if inside else "", className=f"jr-week {text.tone(total_, 2)}",
                               title="The week's days of this month together"))
    return html.Div([head, html.Div([*titles, *cells], className="jr-grid")], className="jr-month")


def day(name: str, made: ProfitSlice | None, largest: float, quote: str) -> Any:
    """Draw a day; one with trades is a button."""
    if not name:
        return html.Span(className="jr-none")
    number = html.I(str(int(name[-2:])))
    if made is None:
        return html.Span(number, className="jr-day")
    value = float(made.pnl)
    said = f"{name}: {text.signed(made.pnl)} {quote}, {text.plural(made.n_trades, 'trade')}, {made.n_wins} won"
    return html.Button([number, html.B(short(value))], id=ids.journal_day(name), title=said, className="jr-day has",
                       style={"background": ink(value, largest)}, **{"aria-label": said})


def body(figures: JournalFigures | None) -> list[Any]:
    """Draw the months, or what stands in their place."""
    if figures is None:
        return [parts.empty("Adding up the trades…")]
    if not figures.n_trades:
        return [parts.empty("No finished trade in this time", "Every closed trade colours its day here, in UTC.")]
    return months(figures)


def card(figures: JournalFigures | None) -> html.Section:
    """Draw the card."""
    inside = html.Div(body(figures), id=ids.JR_CALENDAR, className="jr-calendar")
    return parts.card("Calendar", inside, note="net profit by day of the exit, UTC · click a day for its trades",
                      name="jr-calendar")
