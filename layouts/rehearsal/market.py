"""The exchange's order book as a ladder, and its latest trades."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dash import html

from layouts import ids, parts, text
from layouts.price import segments
from trading.domain.rehearsal import BookView, PrintView, RehearsalView

N_LEVELS = 8
Level = tuple[Decimal, Decimal, Decimal]


def shown(view: RehearsalView, symbol: str | None) -> BookView | None:
    """Return the book that was chosen, else the first."""
    return next((b for b in view.books if b.symbol == symbol), view.books[0] if view.books else None)


def ladder(view: RehearsalView, symbol: str | None) -> Any:
    """Draw asks over bids, the best prices in the middle."""
    book = shown(view, symbol)
    if book is None:
        return parts.empty("No order book yet", "It appears when the exchange is up.")
    asks, bids = book.asks[:N_LEVELS], book.bids[:N_LEVELS]
    most = max((level[1] for level in (*asks, *bids)), default=Decimal(1)) or Decimal(1)
    return [_head(), *(_level(a, "ask", most, book) for a in reversed(asks)), _middle(book),
            *(_level(b, "bid", most, book) for b in bids)]


def _head() -> html.Div:
    return html.Div([html.Span(word) for word in ("Side", "Price", "Quantity", "Ours")], className="rh-level rh-head")


def _level(level: Level, side: str, most: Decimal, book: BookView) -> html.Div:
    price, quantity, ours = level
    width = {"width": f"{100 * float(quantity / most):.1f}%"}
    cells = [html.Span(side, className="down" if side == "ask" else "up"), html.Span(text.number(price, book.decimals)),
             html.Span(f"{quantity.normalize():,f}"),
             html.Span(f"◆ {ours.normalize():,f}" if ours else "", className="rh-ours"),
             html.Span(className=f"rh-depth rh-{side}", style=width)]
    return html.Div(cells, className="rh-level")


def _middle(book: BookView) -> html.Div:
    if not book.bids or not book.asks:
        words = "nobody asks" if book.bids else "nobody bids" if book.asks else "the book is empty"
        return html.Div(words, className="rh-middle warning")
    bid, ask = book.bids[0][0], book.asks[0][0]
    middle = (bid + ask) / 2
    bps = float((ask - bid) / middle) * 10_000 if middle else 0.0
    return html.Div([html.Strong(text.number(middle, book.decimals)),
                     html.Span(f"spread {text.number(ask - bid, book.decimals)} · {bps:.2f} bp")],
                    className="rh-middle")


def ladder_card(view: RehearsalView) -> html.Section:
    """Draw the card with its choice of symbol."""
    state = live(view, None)
    choice = segments(ids.RH_SYMBOL, (), "")
    choice.options, choice.value = state[ids.RH_SYMBOL, "options"], state[ids.RH_SYMBOL, "value"]
    return parts.card("Order book", html.Div(state[ids.RH_LADDER, "children"], id=ids.RH_LADDER, className="rh-ladder"),
                      tools=choice, name="rh-book")


def trades(view: RehearsalView, symbol: str | None) -> Any:
    """Draw the newest trades of the symbol on screen."""
    book = shown(view, symbol)
    found = [one for one in view.prints if book is None or one.symbol == book.symbol]
    if not found:
        return parts.empty("No trade yet", "The market's own traders begin when the exchange is up.")
    return [_print(one, book.decimals if book else 2) for one in found]


def _print(one: PrintView, decimals: int) -> html.Div:
    tone, mark = ("up", "▲ buy") if one.side == "BUY" else ("down", "▼ sell")
    return html.Div([html.Span(text.clock(one.time), className="muted"), html.Span(mark, className=tone),
                     html.Span(text.number(one.price, decimals)), html.Span(f"{one.quantity.normalize():,f}"),
                     html.Span("◆ ours" if one.is_ours else "", className="rh-ours")], className="rh-print")


def prints_card(view: RehearsalView) -> html.Section:
    """Draw the card of trades."""
    return parts.card("Latest trades", html.Div(trades(view, None), id=ids.RH_PRINTS, className="rh-prints"),
                      note="UTC · side of who took", name="rh-trades")


def live(view: RehearsalView, symbol: str | None) -> parts.Parts:
    """Return what moves."""
    book = shown(view, symbol)
    return {
        (ids.RH_SYMBOL, "options"): [{"label": b.display, "value": b.symbol} for b in view.books],
        (ids.RH_SYMBOL, "value"): book.symbol if book else None,
        (ids.RH_LADDER, "children"): ladder(view, symbol),
        (ids.RH_PRINTS, "children"): trades(view, symbol),
    }
