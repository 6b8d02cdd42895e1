"""The journal of an account as one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from calendar import monthcalendar
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

from layouts import report_charts as charts
from layouts import text
from layouts.backtest.months import NAMES
from layouts.journal import calendar, groups, tiles
from layouts.report import document, section, table
from trading.domain.journal import FOREVER, JournalFigures, JournalTrade, ProfitSlice

MOST_TRADES = 4_000  # keeps the file under 2 MB
LAYOUT = """<style>.month { display: inline-block; vertical-align: top; margin: 0 22px 14px 0; }
.month table { width: auto; } .month td { min-width: 44px; height: 34px; text-align: right; padding: 2px 5px; }
.month small { float: left; color: var(--muted); }</style>"""


def report(figures: JournalFigures, trades: Sequence[JournalTrade], account: str) -> str:
    """Draw the report; the same account gives the same bytes."""
    series = figures.series
    body = [
        LAYOUT, f"<h1>Journal of {escape(account)}</h1><div class='muted'>{escape(period(figures, trades))}</div>",
        _tiles(figures), section("Calendar, net profit by day of the exit (UTC)", _calendar(figures)),
        section("Worth", charts.lines(series, 300, {"hold": series.benchmark, "equity": series.equity}, "Worth",
                                      lambda v: text.number(v, 0))
                + "<div class='muted'>blue: account · dashed: buy &amp; hold</div>") if len(series.time) > 1 else "",
        section("Drawdown", charts.lines(series, 160, {"drawdown": series.drawdown}, "Drawdown", text.percent))
        if len(series.time) > 1 else "",
        section("Under water", _water(figures)),
        *(section(f"By {groups.TITLES[name].lower()}", _group(figures.groups[name], name))
          for name in groups.TITLES if name != "day"),
        section(f"Trades ({len(trades):,})", _trades(trades)),
    ]
    return document(f"Journal of {account}", "".join(body))


def period(figures: JournalFigures, trades: Sequence[JournalTrade]) -> str:
    """Say which time the report is about."""
    if not trades:
        return "no finished trade in this time"
    first = figures.start or min(trade.entry_time for trade in trades)
    last = max(trade.exit_time for trade in trades) if figures.end == FOREVER else figures.end - 1
    return f"{text.date(first)} to {text.date(last)} · {text.plural(figures.n_trades, 'trade')} · times in UTC"


def _tiles(figures: JournalFigures) -> str:
    made = "".join(
        f"<section><div class='muted'>{escape(label)}</div><div class='value {tile.tone}'>{escape(tile.value)}</div>"
        f"<div class='muted'>{escape(tile.note)}</div></section>" for label, tile in tiles.made(figures))
    return f"<div class='tiles'>{made}</div>"


def _calendar(figures: JournalFigures) -> str:
    days = {each.name: each for each in figures.groups["day"]}
    largest = max((abs(float(each.pnl)) for each in days.values()), default=0.0)
    return "".join(_month(each, days, largest) for each in figures.groups["month"])


def _month(whole: ProfitSlice, days: Mapping[str, ProfitSlice], largest: float) -> str:
    year, number = (int(part) for part in whole.name.split("-"))
    weeks = ""
    for week in monthcalendar(year, number):
        names = [date(year, number, each).isoformat() if each else "" for each in week]
        weeks += "<tr>" + "".join(_day(name, days.get(name), largest) for name in names) + "</tr>"
    head = "".join(f"<th>{word}</th>" for word in calendar.WEEKDAYS)
    title = f"<b>{NAMES[number - 1]} {year}</b> {text.signed(whole.pnl)}"
    return f"<div class='month'>{title}<table><tr>{head}</tr>{weeks}</table></div>"


def _day(name: str, made: ProfitSlice | None, largest: float) -> str:
    number = f"<small>{int(name[-2:])}</small>" if name else ""
    if made is None:
        return f"<td>{number}</td>"
    value = float(made.pnl)
    return f"<td style='background:{calendar.ink(value, largest)}'>{number}{calendar.short(value)}</td>"


def _water(figures: JournalFigures) -> str:
    rows = [(text.minute(each.start), text.minute(each.trough), text.minute(each.end) if each.end else "goes on",
             text.signed_percent(-each.depth_rate), text.number(each.lost), text.span(each.duration_ms))
            for each in figures.underwater]
    return table(("Peak", "Deepest", "Over", "Depth", f"Lost, {figures.quote}", "Lasted"), rows, (3, 4, 5))


def _group(slices: Sequence[ProfitSlice], name: str) -> str:
    rows = [(each.name or "not told", f"{each.n_trades}", text.percent(each.win_rate, 0), text.number(each.fees),
             text.signed(each.pnl)) for each in slices]
    return table((groups.TITLES[name], "Trades", "Won", "Fees", "Net profit"), rows, (1, 2, 3, 4))


def _trades(trades: Sequence[JournalTrade]) -> str:
    head = ("#", "Symbol", "Side", "Entry", "Exit", "Quantity", "Entry price", "Exit price", "Fees", "Net profit",
            "ROI", "Fell", "Conf.", "Opened by", "Closed because", "Tags", "Note")
    rows = [(str(t.number), t.display, t.side, text.minute(t.entry_time), text.minute(t.exit_time), f"{t.quantity:f}",
             text.number(t.entry_price, t.decimals), text.number(t.exit_price, t.decimals), text.number(t.fees),
             text.signed(t.pnl), text.signed_percent(t.roi_rate),
             text.NOTHING if t.drawdown_rate is None else text.signed_percent(-t.drawdown_rate),
             text.number(t.confidence), t.opened_by, t.closed_because, ", ".join(t.tags), t.note)
            for t in trades[:MOST_TRADES]]
    left_out = len(trades) - len(rows)
    words = f"<p class='muted'>The oldest {left_out:,} trades are left out; --json has them.</p>" if left_out else ""
    return table(head, rows, (0, 5, 6, 7, 8, 9, 10, 11, 12)) + words
