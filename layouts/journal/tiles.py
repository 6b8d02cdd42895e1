"""The row of figures."""

from __future__ import annotations

from dash import html

from layouts import ids, text
from layouts.kpis import Tile, inside
from trading.domain.journal import JournalFigures, Streaks

LABELS = ("Net profit", "Return", "Win rate", "Expectancy", "Profit factor", "Max drawdown", "Streaks", "Ledger")


def made(figures: JournalFigures) -> list[tuple[str, Tile]]:
    """Return each figure with its label."""
    return list(zip(LABELS, (_profit(figures), _return(figures), _wins(figures), _expectancy(figures),
                             _factor(figures), _drawdown(figures), _streaks(figures.streaks), _ledger(figures)),
                    strict=True))


def row(figures: JournalFigures | None) -> list[html.Div]:
    """Draw the figures; without them what they will be."""
    found = made(figures) if figures else [(label, Tile(text.NOTHING, "adding up…", "muted")) for label in LABELS]
    return [html.Div(inside(label, tile), className="panel kpi") for label, tile in found]


def card(figures: JournalFigures | None) -> html.Div:
    """Draw the row."""
    return html.Div(row(figures), id=ids.JR_TILES, className="kpis bt-kpis")


def _profit(f: JournalFigures) -> Tile:
    title = f"Net of {text.number(f.fees)} {f.quote} fees; wins {text.signed(f.gross_profit)}, losses " \
            f"{text.signed(f.gross_loss)}"
    return Tile(text.signed(f.pnl), f"{f.quote} · fees {text.number(f.fees)}", text.tone(f.pnl, 2), title=title)


def _return(f: JournalFigures) -> Tile:
    hold = f.benchmark_return
    note = f"buy & hold {text.signed_percent(hold)}" if hold is not None else "no curve yet"
    return Tile(text.signed_percent(f.total_return), note, text.tone(f.total_return),
                title="Of the account's worth, open positions included, beside buy and hold at the same costs")


def _wins(f: JournalFigures) -> Tile:
    counts = f"{f.n_wins} of {text.plural(f.n_trades, 'trade')}"
    return Tile(text.percent(f.win_rate), counts if f.n_trades else "no finished trade",
                title=f"{f.n_wins} wins, {f.n_losses} losses, {f.n_breakeven} breakeven")


def _expectancy(f: JournalFigures) -> Tile:
    note = f"{text.signed_percent(f.expectancy_rate)} a trade" if f.n_trades else "no finished trade"
    return Tile(text.signed(f.expectancy), note, text.tone(f.expectancy, 2),
                title="What a trade made on average, in the quote asset, after costs")


def _factor(f: JournalFigures) -> Tile:
    note = f"{text.signed(f.average_win)} / {text.signed(f.average_loss)}" if f.n_trades else "no finished trade"
    value = text.number(f.profit_factor) if f.profit_factor is not None else text.NOTHING if not f.n_wins else "∞"
    return Tile(value, note, title="Sum of wins over sum of losses; below: the average win and the average loss")


def _drawdown(f: JournalFigures) -> Tile:
    deepest = f.underwater[0] if f.underwater else None
    note = "never below a peak" if deepest is None else f"{text.span(deepest.duration_ms)} under water"
    return Tile(text.signed_percent(-f.max_drawdown_rate), note, "warning" if f.max_drawdown_rate else "",
                title="Deepest fall of the account's worth from an earlier peak")


def _streaks(streaks: Streaks) -> Tile:
    word = "win" if streaks.now > 0 else "loss"
    now = f"now {abs(streaks.now)} {word}" if streaks.now else "none now"
    return Tile(f"{streaks.longest_wins}W / {streaks.longest_losses}L", now,
                title="Most wins and most losses in a row, by the time of the exit")


def _ledger(f: JournalFigures) -> Tile:
    if f.agrees is None:
        return Tile(text.NOTHING, "choose All to compare", "muted", title=LEDGER)
    word, tone = ("agrees", "up") if f.agrees else ("differs", "down")
    open_ = f"open trades {text.signed(f.open_realized)}" if f.open_realized else "to the last unit"
    return Tile(f"{'✓' if f.agrees else '✗'} {word}", open_, tone, title=LEDGER)


LEDGER = "Whether the sum of the trades, and what open ones have realised, is what the account's ledger has booked"
