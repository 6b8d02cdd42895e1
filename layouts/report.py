"""A finished run as one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape

from layouts import report_charts as charts
from layouts import report_plateau, text
from layouts.backtest import checks, curves, months, plateau, tabs, tiles
from layouts.report_style import STYLE
from trading.domain.backtests import BacktestView

MOST_TRADES = 4_000  # keeps the file under 2 MB
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report(view: BacktestView) -> str:
    """Draw the report; the same run gives the same bytes."""
    name = curves.name_of(view)
    body = [
        f"<h1>{escape(name)}</h1><div class='muted'>{escape(_period(view))}</div>",
        _tiles(view),
        _notes(view),
        section("Equity", _equity(view)),
        section(
            "Drawdown", charts.lines(view.curve, 170, {"drawdown": view.curve.drawdown}, "Drawdown", text.percent)
        ),
        section("Exposure", charts.lines(view.curve, 110, {"exposure": view.curve.exposure}, "Exposure", _whole)),
        section("Monthly return, %", _months(view)),
        section("Parameter plateau", _plateau(view)),
        section("Is it real?", _checks(view)),
        section("Costs", _costs(view)),
        section("Returns of the trades", charts.histogram(view.distribution[0], view.distribution[1].tolist())),
        section("Walk-forward windows", _windows(view)),
        section(f"Trades ({len(view.trades):,})", _trades(view)),
        section("Settings and hashes", table((), tabs.settings_rows(view))),
        section("All figures", table((), tabs.all_figures(view))),
        section("Strategy document", f"<pre>{escape(json.dumps(view.request.document, indent=2, default=str))}</pre>"),
    ]
    return document(f"Backtest {name}", "".join(body))


def document(title: str, body: str) -> str:
    """Wrap a body of HTML, which is escaped already, into a file that may load nothing."""
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
    )
    page = f"<head>{head}<style>{STYLE}</style></head><body>{body}</body>"
    return f'<!DOCTYPE html>\n<html lang="en">{page}</html>\n'


def _whole(value: float) -> str:
    return text.percent(value, 0)


def section(title: str, inside: str) -> str:
    """Frame a part of a report; nothing when there is nothing in it."""
    return f"<section><h2>{escape(title)}</h2>{inside}</section>" if inside else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """Draw a table; every cell is escaped, the columns in `numbers` are right-aligned."""
    right = dict.fromkeys(numbers, ' class="number"')
    titles = "".join(f"<th{right.get(i, '')}>{escape(cell)}</th>" for i, cell in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{right.get(i, '')}>{escape(str(cell))}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    rest = f"<tr>{titles}</tr>{body}" if titles else body
    wide = ' class="wide"' if titles else ""
    return f"<table{wide}>{rest}</table>" if body else ""


def _period(view: BacktestView) -> str:
    time = view.curve.time
    when = f"{text.date(int(time[0]))} to {text.date(int(time[-1]))}" if len(time) else "no bars"
    return f"{', '.join(text.symbol(s) for s in view.request.symbols)} · {when} · {curves.note(view)} · run {view.key}"


def _tiles(view: BacktestView) -> str:
    made = []
    for label, tile in tiles.made(view).values():
        made.append(
            f"<section><div class='muted'>{escape(label)}</div>"
            f"<div class='value {tile.tone}'>{escape(tile.value)}</div>"
            f"<div class='muted'>{escape(tile.note)}</div></section>"
        )
    return f"<div class='tiles'>{''.join(made)}</div>"


def _notes(view: BacktestView) -> str:
    return section("Notes", "".join(f"<div>{escape(note)}</div>" for note in view.notes))


def _equity(view: BacktestView) -> str:
    c = view.curve
    columns = {"low": c.band_low, "high": c.band_high, "hold": c.benchmark, "equity": c.equity}
    legend = "<div class='muted'>blue: equity · dashed: buy &amp; hold · thin: band of resampled returns</div>"
    return charts.lines(c, 320, columns, "Equity", lambda v: text.number(v, 0)) + legend


def _months(view: BacktestView) -> str:
    if not view.months:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("", *months.NAMES, "Year"))
    rows = "".join(
        f"<tr><th>{year}</th>"
        + "".join(f'<td style="background:{months.ink(v)}">{months.words(v)}</td>' for v in values)
        + f"<td><b>{months.words(whole)}</b></td></tr>"
        for year, values, whole in view.months
    )
    return f"<table class='months'><tr>{head}</tr>{rows}</table>"


def _plateau(view: BacktestView) -> str:
    if view.plateau is None:
        return ""
    p = view.plateau
    axes = f"{p.x_name} across, {p.y_name} up, colour: {p.figure}" if p.y_name else f"{p.figure} over {p.x_name}"
    words = f"{axes} {plateau.chosen_words(p)}"
    return report_plateau.chart(p) + f"<div class='muted'>{escape(words)}</div>"


def _checks(view: BacktestView) -> str:
    rows = []
    for check in view.checks:
        mark, _, word = checks.MARKS.get(check.state, checks.MARKS["skipped"])
        state = check.state if check.state in checks.MARKS else "skipped"
        rows.append(
            f"<tr><td class='{state}'>{mark} {word}</td><td>{escape(check.name)}"
            f"<div class='muted'>{escape(check.explanation)}</div></td>"
            f"<td class='detail'>{escape(text.typeset(check.detail))}</td></tr>"
        )
    said = f"<p class='muted'>{escape(checks.verdict(view))}</p>"
    return f"<table class='checks'>{''.join(rows)}</table>{said}" if rows else ""


def _costs(view: BacktestView) -> str:
    total = sum(amount for _, amount in view.costs) or 1.0
    rows = [(n, f"{text.number(amount)} {view.quote}", text.percent(amount / total)) for n, amount in view.costs]
    return table((), rows, (1, 2))


def _windows(view: BacktestView) -> str:
    head = ("Train from", "Test from", "Test to", "Chosen", "Sharpe, train", "Sharpe, test", "Return, test", "Trades")
    rows = [
        (
            *(text.date(t) for t in (w.train_start, w.test_start, w.test_end)),
            ", ".join(f"{k} {v:g}" for k, v in w.parameters.items()),
            text.number(w.train_sharpe),
            text.number(w.test_sharpe),
            text.signed_percent(w.test_return),
            str(w.n_trades),
        )
        for w in view.windows
    ]
    return table(head, rows, range(4, 8))


def _trades(view: BacktestView) -> str:
    head = (
        "#",
        "Symbol",
        "Side",
        "Entry",
        "Exit",
        "Quantity",
        "Entry price",
        "Exit price",
        "Fees",
        "P&L",
        "ROI",
        "Opened by",
        "Closed because",
    )
    rows = [
        (
            str(t.number),
            t.display,
            t.side,
            text.minute(t.entry_time),
            text.minute(t.exit_time),
            f"{t.quantity:f}",
            text.number(t.entry_price, t.decimals),
            text.number(t.exit_price, t.decimals),
            text.number(t.fees),
            text.signed(t.pnl),
            text.signed_percent(t.pnl_rate),
            t.opened_by,
            t.closed_because,
        )
        for t in view.trades[-MOST_TRADES:]
    ]
    left_out = len(view.trades) - len(rows)
    words = f"<p class='muted'>The first {left_out:,} trades are left out; the CSV of the page has them.</p>"
    return table(head, rows, (0, 5, 6, 7, 8, 9, 10)) + (words if left_out else "")
