"""The details of a condition's side: what it is, its settings, and where it looks."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts.strategies.pieces import NONE, box, choice, of_row
from trading.domain.workshop import Catalog, OperandView

KINDS = (("indicator", "Indicator"), ("price", "Price"), ("number", "Number"), ("parameter", "Parameter"),
         ("highest", "Highest of"), ("lowest", "Lowest of"))
SHIFTED = ("indicator", "price", "highest", "lowest")


def editor(title: str, view: OperandView, where: tuple[str, str], known: tuple[Catalog, tuple[str, ...]]) -> html.Div:
    """Draw the inputs of an operand; `where` is (row, its name there), `known` what there is and the parameters."""
    if view.kind == "raw":
        words = html.Span(f"{view.words} is kept as it is; change it in the JSON tab.", className="muted")
        return html.Div([html.Strong(title), words], className="st-operand")
    node, name = where
    kind = of_row("Kind", choice(view.kind, KINDS), (node, f"{name}.kind"))
    inside = [html.Strong(title), kind, *_source(view, where, known)]
    if view.kind in SHIFTED:
        inside.append(_shift(view, where, known[0]))
    return html.Div(inside, className="st-operand")


def _source(view: OperandView, where: tuple[str, str], known: tuple[Catalog, tuple[str, ...]]) -> list[Any]:
    node, name = where
    catalog, parameters = known
    if view.kind == "number":
        return [of_row("Number", box(view.amount("number"), inputmode="decimal"), (node, f"{name}.number"))]
    if view.kind == "parameter":
        options = [(f"${one}", one) for one in parameters]
        return [of_row("Parameter", choice(view.amount("parameter"), options), (node, f"{name}.parameter"))]
    prices = [(one, one) for one in catalog.prices]
    if view.kind in ("highest", "lowest"):
        bars = of_row("of bars", box(view.amount("bars"), inputmode="numeric"), (node, f"{name}.bars"))
        return [of_row("Price", choice(view.name, prices), (node, f"{name}.{view.kind}")), bars]
    if view.kind == "price":
        return [of_row("Price", choice(view.name, prices), (node, f"{name}.price"))]
    return _indicator(view, where, catalog)


def _indicator(view: OperandView, where: tuple[str, str], catalog: Catalog) -> list[Any]:
    node, name = where
    options = sorted(((one.name, one.label) for one in catalog.indicators), key=lambda pair: pair[1].lower())
    made = [of_row("Indicator", choice(view.name, options), (node, f"{name}.indicator"), css="st-wide")]
    row = catalog.indicator(view.name)
    if row is None:
        return made
    for one in row.parameters:
        typed = box(view.amount(f"p.{one.name}"), inputmode="decimal", placeholder=f"{one.default:g}")
        made.append(of_row(f"{one.name.replace('_', ' ')} ({one.low:g}–{one.high:g})", typed, (node,
                           f"{name}.p.{one.name}")))
    if len(row.outputs) > 1:
        made.append(of_row("Line", choice(view.output, row.outputs), (node, f"{name}.output")))
    return made


def _shift(view: OperandView, where: tuple[str, str], catalog: Catalog) -> html.Details:
    node, name = where
    frames = [(NONE, "the strategy's"), *((one, one) for one in catalog.timeframes)]
    inside = [
        of_row("Timeframe", choice(view.timeframe or NONE, frames), (node, f"{name}.timeframe")),
        of_row("Bars ago", box(view.amount("ago"), placeholder="0", inputmode="numeric"), (node, f"{name}.ago")),
        of_row("Times", box(view.amount("times"), placeholder="1", inputmode="decimal"), (node, f"{name}.times")),
        of_row("Plus", box(view.amount("plus"), placeholder="0", inputmode="decimal"), (node, f"{name}.plus")),
    ]
    is_used = bool(view.timeframe or any(view.amount(one) for one in ("ago", "times", "plus")))
    return html.Details([html.Summary("Shift, scale, longer bars"), html.Div(inside, className="st-fields")],
                        open=is_used, className="st-shift")
