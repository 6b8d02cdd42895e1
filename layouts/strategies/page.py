"""The page "Strategies" as a whole, and what of it follows the draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html

from layouts import ids, parts
from layouts.price import segments
from layouts.strategies import builder, chart, head, shelf, versions
from layouts.strategies.pieces import act, command
from trading.domain.workshop import Catalog, DraftView, StrategyShelf, VersionLine

NAME = "strategies"
RULES, JSON = "Rules", "JSON"


@dataclass(frozen=True, slots=True)
class Around:
    """What the page needs beside the draft."""

    shelf: StrategyShelf
    lines: tuple[VersionLine, ...]
    catalog: Catalog
    markets: Sequence[str]
    interval: str


def ref_of(view: DraftView) -> str:
    """Return where a draft is kept: `BTCUSDT/dips`, nothing for a new one."""
    return f"{view.symbol}/{view.id}" if view.version else ""


def page(view: DraftView, around: Around) -> html.Main:
    """Draw the page with a draft."""
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME),
        dcc.Store(id=ids.ST_STATE, data=view.state),
        dcc.Store(id=ids.ST_ACTS),
        dcc.Store(id=ids.ST_COMMAND),
        dcc.Store(id=ids.ST_PREVIEWED),
        dcc.Location(id=ids.ST_GO, refresh="callback-nav"),
        dcc.Download(id=ids.ST_DOWNLOAD),
    ]
    middle = _middle(view, around)
    right = html.Div([chart.card(view.symbols or around.markets[:1]),
                      html.Div(chart.tiles(None), id=ids.ST_TILES, className="kpis st-kpis"),
                      versions.card(around.lines, ref_of(view))], className="st-right")
    columns = [shelf.card(around.shelf, ref_of(view)), middle, right]
    return html.Main([*memory, html.Div(columns, className="st-columns", id=ids.ST_PAGE), versions.dialog()],
                     className="st-page")


def _middle(view: DraftView, around: Around) -> html.Section:
    now = drawn(view, around.catalog, around.markets, around.interval)
    tabs = segments(ids.ST_TAB, (RULES, JSON), RULES)
    header = html.Header([html.Div(now[ids.ST_TITLE, "children"], id=ids.ST_TITLE, className="st-title"),
                          html.Div([html.Div(now[ids.ST_TOOLS, "children"], id=ids.ST_TOOLS, className="tools"), tabs],
                                   className="tools")], className="card-head")
    text = dcc.Textarea(id=ids.ST_JSON, value=view.text, className="form-control st-json", spellCheck="false")
    rules = html.Div([html.Div(now[ids.ST_HEAD, "children"], id=ids.ST_HEAD, className="st-head"),
                      html.Div(now[ids.ST_RULES, "children"], id=ids.ST_RULES)], className="st-tab-rules")
    note = html.P("The same strategy as text. What is typed here shows in the rules as soon as it is JSON.",
                  className="muted st-json-note")
    typed = html.Div([note, html.Label([html.Span("JSON", className="visually-hidden"), text], className="st-json-box",
                                       **{"data-text": "json"})], className="st-tab-json")
    foot = [html.Div(now[ids.ST_MISTAKES, "children"], id=ids.ST_MISTAKES, className="st-mistakes", role="status"),
            html.Div(now[ids.ST_WORDS, "children"], id=ids.ST_WORDS, className="st-words-box"),
            html.Div(id=ids.ST_NOTICE, className="st-notice", role="alert"),
            html.Div(now[ids.ST_BUTTONS, "children"], id=ids.ST_BUTTONS, className="st-buttons")]
    return html.Section([header, rules, typed, *foot], className="panel panel-st-builder is-rules", id="st-builder")


def drawn(view: DraftView, catalog: Catalog, markets: Sequence[str], interval: str) -> parts.Parts:
    """Return all that shows the draft."""
    return {
        (ids.ST_STATE, "data"): view.state,
        (ids.ST_HEAD, "children"): head.fields(view, catalog, markets),
        (ids.ST_RULES, "children"): [*builder.rules(view, catalog), *head.below(view, catalog)],
        (ids.ST_JSON, "value"): view.text,
        **beside(view, interval),
    }


def beside(view: DraftView, interval: str) -> parts.Parts:
    """Return what shows the draft and is not typed into: it may change while somebody types."""
    return {
        (ids.ST_STATE, "data"): view.state,
        (ids.ST_TITLE, "children"): title(view),
        (ids.ST_TOOLS, "children"): tools(view),
        (ids.ST_MISTAKES, "children"): mistakes(view),
        (ids.ST_WORDS, "children"): words(view),
        (ids.ST_BUTTONS, "children"): buttons(view, interval),
        (ids.ST_SYMBOL, "options"): chart.options(view.symbols),
    }


def title(view: DraftView) -> list[Any]:
    """Name the draft and how it stands."""
    kept = f"v{view.version} · {'edited' if view.is_changed else 'saved'}" if view.version else "not saved"
    return [html.H2(view.name), html.Span(kept, className=f"title-note{' warning' if view.is_changed else ''}")]


def tools(view: DraftView) -> list[Any]:
    """Draw undo, redo and what else can be done with the strategy."""
    is_kept = bool(view.version)
    ref = ref_of(view)
    menu = [command("Duplicate", "duplicate", css="st-menu-item", ref=ref, disabled=not is_kept),
            command("Export as JSON", "export", css="st-menu-item", disabled=bool(view.mistakes)),
            command("Make it the default of its symbol", "default", css="st-menu-item", ref=ref, disabled=not is_kept),
            command("Register for agents", "register", css="st-menu-item", ref=ref, disabled=not is_kept),
            command("Take it off the register", "unregister", css="st-menu-item", ref=ref, disabled=not is_kept),
            command("Delete", "delete", css="st-menu-item down", ref=ref, disabled=not is_kept)]
    more = html.Details([html.Summary("More"), html.Div(menu, className="sheet sheet-right")], className="drop st-more")
    return [act("↶", "undo", title="Undo (Ctrl+Z)", disabled=not view.can_undo),
            act("↷", "redo", title="Redo (Ctrl+Y)", disabled=not view.can_redo),
            command("Diff", "diff", css="seg", ref=ref, disabled=not is_kept, title="What changed"), more]


def mistakes(view: DraftView) -> list[Any]:
    """Say what is wrong, with its place; nothing when all is well."""
    if not view.mistakes and not view.notice:
        return []
    told = [html.Div([html.Span("✗ ", className="down"), one.text,
                      html.Span(f" (line {one.line})" if one.line else "", className="muted")])
            for one in view.mistakes[:6]]
    more = len(view.mistakes) - 6
    notice = [html.Div(view.notice, className="warning")] if view.notice else []
    return [*notice, *told, *([html.Div(f"and {more} more", className="muted")] if more > 0 else [])]


def words(view: DraftView) -> list[Any]:
    """Read the rule out in plain words."""
    if view.reading is None:
        return [html.Strong("In words. "), html.Span("The rule is not complete: see what is wrong above.",
                                                     className="muted")]
    said = view.reading
    return [html.Strong("In words. "), f"{said.entry}. {said.exit}; {said.risk}. {said.rank}".strip()]


def buttons(view: DraftView, interval: str) -> list[Any]:
    """Draw what comes after editing."""
    bad = bool(view.mistakes)
    frame = view.head.get("timeframe")
    why = "" if frame in (None, interval) else f"This cockpit decides on {interval} bars, the strategy on {frame}."
    return [command("Save", "save", css="big", disabled=bad or (bool(view.version) and not view.is_changed),
                    title="Keep it as the next version (Ctrl+S)"),
            command("Backtest ↗", "backtest", css="big", disabled=bad, title="Save it and test it with all checks"),
            command("Put on paper", "paper", css="big go", disabled=bad,
                    title=why or "Save it and let the cockpit trade it")]


def trouble(text: str, *doing: Any) -> list[Any]:
    """Say why something was refused, and what can be done."""
    return [html.Div([html.Span("✗ ", className="down"), text]), html.Div(list(doing), className="tools")]


def taken_over(text: str) -> list[Any]:
    """Say what runs now, and where it is seen."""
    return [html.Div([html.Span("✓ ", className="up st-good"), text]),
            html.Div(dcc.Link("Watch it on the Cockpit", href="/", className="btn-line small"), className="tools")]


def conflict(text: str, ref: str) -> list[Any]:
    """Offer the ways out where a newer version is there."""
    return trouble(text, command("Open the newer one", "open", css="btn-line small", ref=ref),
                   command("Save over it", "overwrite", css="btn-line small"),
                   command("Save as a copy", "copy", css="btn-line small"))
