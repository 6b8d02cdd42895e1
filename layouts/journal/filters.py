"""The filters of the two lists: their inputs, and the questions that they ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts, text
from trading.domain.journal import ACCOUNT, FOREVER, IMPORTED, RESULTS, DecisionQuery, JournalChoices, TradeFilter

DAY_MS = 86_400_000
OUTCOMES = ("entry", "exit", "denied", "hold", "no position", "warming up")
LABELS = {"symbol": "Symbol", "start": "From (UTC)", "end": "To", "text": "Search", "strategy": "Strategy",
          "agent": "Agent", "side": "Side", "result": "Result", "tag": "Tag", "origin": "From where",
          "outcome": "Outcome"}
SHARED = ("symbol", "start", "end", "text")
OWN = {"trades": ("strategy", "agent", "side", "result", "tag", "origin"), "decisions": ("outcome",)}
MOST_TEXT = 200
ANY = "*"
Values = Mapping[str, Any]


def options(name: str, choices: JournalChoices) -> list[dict[str, str]]:
    """Return what a filter can be set to."""
    found = {
        "symbol": [(s, text.symbol(s)) for s in choices.symbols], "strategy": [(s, s) for s in choices.strategies],
        "agent": [(a, a) for a in choices.agents], "side": [("LONG", "Long"), ("SHORT", "Short")],
        "result": [(r, r.capitalize()) for r in RESULTS], "tag": [(t, t) for t in choices.tags],
        "origin": [(ACCOUNT, "This account"), (IMPORTED, "Imported")], "outcome": [(o, o) for o in OUTCOMES],
    }[name]
    return [{"value": ANY, "label": "all"}, *({"value": value, "label": label} for value, label in found)]


def field(name: str, choices: JournalChoices, tab: str) -> html.Div:
    """Draw one filter."""
    label, own = LABELS[name], ids.journal_filter(name)
    if name in ("start", "end"):
        control: Any = dbc.Input(id=own, type="date", value="")
    elif name == "text":
        control = dbc.Input(id=own, type="search", value="", placeholder="note, tag, reason", debounce=0.4,
                            maxLength=MOST_TEXT)
    else:
        control = dbc.Select(id=own, options=options(name, choices), value=ANY)
    made = parts.field(label, control)
    made.id, made.className = ids.journal_field(name), field_class(name, tab)
    return made


def field_class(name: str, tab: str) -> str:
    """Show a filter with the list that it belongs to."""
    shown = name in SHARED or name in OWN[tab]
    return f"field jr-{name}" if shown else f"field jr-{name} hidden"


def row(choices: JournalChoices, tab: str) -> html.Div:
    """Draw the filters."""
    clear = html.Button("Clear", id=ids.JR_CLEAR, className="btn-line", title="Show everything again")
    return html.Div([*(field(name, choices, tab) for name in ids.JR_FILTERS), clear], className="jr-filters")


def values(given: tuple[Any, ...]) -> Values:
    """Name the inputs' values."""
    return dict(zip(ids.JR_FILTERS, ("" if each in (None, ANY) else each for each in given), strict=True))


def cleared() -> list[str]:
    """Return the inputs' values when nothing is filtered."""
    return ["" if name in ("start", "end", "text") else ANY for name in ids.JR_FILTERS]


def span(asked: Values) -> tuple[int, int]:
    """Return the time that is asked for; both days are meant in full."""
    first, last = _day(asked["start"]), _day(asked["end"])
    return first or 0, FOREVER if last is None else last + DAY_MS


def _day(word: str) -> int | None:
    try:
        return int(datetime.fromisoformat(word).replace(tzinfo=UTC).timestamp()) * 1000 if word else None
    except ValueError:
        return None


def trades(asked: Values) -> TradeFilter:
    """Return the filter of trades."""
    start, end = span(asked)
    own = {name: str(asked[name]) for name in OWN["trades"]}
    return TradeFilter(symbol=asked["symbol"], text=str(asked["text"])[:MOST_TEXT], start=start, end=end, **own)


def decisions(asked: Values, below: list[Any] | None) -> DecisionQuery:
    """Return the question for decision records."""
    start, end = span(asked)
    place = (int(below[0]), str(below[1]), str(below[2]), str(below[3])) if below else None
    return DecisionQuery(asked["symbol"], start, end, asked["outcome"], str(asked["text"])[:MOST_TEXT], place)
