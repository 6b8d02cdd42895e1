"""The list on the left: the user's strategies with their health, broken and loose ones, deleted and shipped ones."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text
from layouts.strategies.pieces import command
from trading.domain.strategies import StrategyEntry
from trading.domain.workshop import ListedStrategy, ShippedChoice, StrategyShelf

LIGHTS = {"green": "up", "amber": "warning", "red": "down"}


def card(shelf: StrategyShelf, shown: str) -> html.Section:
    """Draw the card; `shown` is the strategy that is open, `BTCUSDT/dips`."""
    upload = dcc.Upload(html.Span("Import", className="btn-quiet", title="Bring in a JSON file of any form"),
                        id=ids.ST_UPLOAD, accept=".json,application/json", max_size=300_000)
    tools = html.Div([command("+ New", "new", css="btn-quiet"), upload], className="tools")
    search = dbc.Input(id=ids.ST_SEARCH, placeholder="Search…", size="sm", type="search", autocomplete="off")
    return parts.card("Strategies", search, html.Div(rows(shelf, shown), id=ids.ST_SHELF, className="st-list"),
                      tools=tools, name="st-shelf")


def rows(shelf: StrategyShelf, shown: str) -> list[Any]:
    """Draw the list."""
    own = [_own(one, shown) for one in shelf.own]
    if not own:
        own = [html.Div(parts.empty("None of your own yet", "Start from the rule that is open or from a shipped one, "
                                    "and press Save."), className="st-empty")]
    note = html.P("Health compares the last 20 paper or live trades with the band of the backtest.", className="muted")
    made = [*own, *([note] if shelf.own else [])]
    if shelf.deleted:
        made.append(_section(f"Deleted · {len(shelf.deleted)}", [_deleted(one) for one in shelf.deleted], False))
    made.append(_section(f"Shipped · {len(shelf.shipped)}", [_shipped(one) for one in shelf.shipped], not shelf.own))
    return made


def _section(title: str, inside: list[Any], is_open: bool) -> html.Details:
    return html.Details([html.Summary(title), *inside], open=is_open, className="st-section")


def _own(one: ListedStrategy, shown: str) -> html.Div:
    entry = one.entry
    word, tone, title = _state(one)
    name = [html.Span("●", className=f"dot {tone}", title=title, **{"aria-hidden": "true"}),
            html.Strong(entry.name)]
    used = html.Span("in use", className="st-tag up", title="It decides in the cockpit that runs")
    badges = [used] if one.is_running else []
    badges += [html.Span("default", className="st-tag")] if entry.is_default else []
    line = html.Span([_where(entry), *badges], className="st-sub")
    said = html.Span(word, className=f"st-score {tone}", title=title)
    wrong = [html.Span(entry.mistakes[0].text, className="st-mistake")] if entry.mistakes else []
    wrong += [html.Span(one.note, className="st-sub warning")] if one.note else []
    do = {"do": "adopt", "title": "Give it a place and versions"} if entry.kind == "loose" and entry.is_sound else {
        "do": "open", "title": ""}
    return command([html.Span([html.Span(name, className="st-name-line"), line, *wrong], className="st-item-words"),
                    said], do["do"], css=f"st-item{' is-shown' if entry.ref == shown else ''}", ref=entry.ref,
                   title=do["title"], search=f"{entry.name} {entry.ref} {' '.join(entry.symbols)}".lower())


def _where(entry: StrategyEntry) -> str:
    symbols = [text.symbol(one) for one in entry.symbols or (entry.symbol,) if one]
    named = symbols[0] if len(symbols) == 1 else f"{len(symbols)} symbols"
    if not symbols:
        named = "outside a symbol's folder"
    if entry.kind == "loose":
        return f"{named} · loose file" + (": press to import" if entry.is_sound else "")
    return f"{named} · v{entry.version}"


def _state(one: ListedStrategy) -> tuple[str, str, str]:
    """Return (word, tone, title) of a strategy's health."""
    if not one.entry.is_sound:
        return "broken", "down", "This file cannot be used; open it and mend it in the JSON tab"
    health, light = one.health, one.light
    if not health.count:
        return "", "muted", "No trade yet"
    word = text.percent(health.win_rate, 0)
    title = (f"{light.words} Win rate {word}, average {text.number(health.avg_profit)} %, worst "
             f"{text.number(health.recent_drawdown)} % in the last {text.plural(health.count, 'trade')}")
    return word, LIGHTS.get(light.state, "muted"), title


def _deleted(entry: StrategyEntry) -> html.Div:
    words = html.Span([html.Span(entry.name), html.Span(_where(entry), className="st-sub")], className="st-item-words")
    return html.Div([words, command("Restore", "restore", css="btn-line small", ref=entry.ref)], className="st-item",
                    **{"data-search": f"{entry.name} {entry.ref}".lower()})


def _shipped(one: ShippedChoice) -> html.Button:
    named = text.symbol(one.symbols[0]) if len(one.symbols) == 1 else f"{len(one.symbols)} symbols"
    words = html.Span([html.Span(one.name), html.Span(named, className="st-sub")], className="st-item-words")
    return command(words, "open", css="st-item", ref=f"shipped/{one.id}", title=one.notes,
                   search=f"{one.name} {one.id} {' '.join(one.symbols)}".lower())
