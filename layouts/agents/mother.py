"""Mother AI: how she ranks, whom she would choose now, what she decided, and what she would have done."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text, theme
from layouts.agents import cards
from trading.domain.agents import AgentsView, MotherConfig, MotherStudy

COLOURS = (theme.ACCENT, theme.MUTED, theme.WARNING, theme.VIOLET, *theme.SERIES_COLOURS[:4])


def ranking(view: AgentsView) -> list[Any]:
    """Draw the scores and what would be chosen now."""
    head = html.Tr([html.Th("#"), html.Th("Agent"), html.Th("Score", className="right"),
                    html.Th("Confidence", className="right"), html.Th("Win rate, shrunk", className="right"),
                    html.Th("Contribution", className="right")])
    rows = cards.rows_by_score(view.agents)
    table: Any = html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table") if rows else parts.empty(
        "No agent runs yet", "Add one above; it runs from the next start on.")
    return [html.P(view.ranking, className="ag-words"), html.Div(table, className="ag-scroll"), *_now(view)]


def _now(view: AgentsView) -> list[Any]:
    if not view.choices:
        return [html.P("Nobody wants to buy on the last bar.", className="muted ag-words")]
    lines = [html.Li([html.Span("✓ " if choice.chosen else "✗ ", className="up" if choice.chosen else "muted"),
                      html.Strong(f"{choice.agent_name} on {text.symbol(choice.symbol)} "),
                      html.Span(f"{choice.rule}: {choice.words}", className="muted")]) for choice in view.choices]
    return [html.H3("Who wants to buy, and what she would say"), html.Ul(lines, className="ag-choices")]


def decisions(view: AgentsView) -> Any:
    """Draw what became of the last wishes."""
    if not view.decisions:
        return parts.empty("No wish to trade so far", "Each one appears here with what became of it and why.")
    rows = [html.Tr([
        html.Td(text.moment(each.time), className="muted"), html.Td(html.Strong(each.display)),
        html.Td(each.action, className=cards.ACTIONS.get(each.action, ("", ""))[1]),
        html.Td(each.outcome, className="ag-outcome"),
        html.Td(each.reason, className="ag-why muted", title=each.reason),
    ]) for each in view.decisions[:40]]
    head = html.Tr([html.Th(word) for word in ("Time", "Symbol", "Wish", "Outcome", "Why")])
    return html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table")


def settings(mother: MotherConfig) -> html.Div:
    """Draw how she ranks from the next start on."""
    switch = dbc.Checklist([{"label": "Mother AI ranks", "value": "ranks"}], ["ranks"] if mother.ranks else [],
                           id=ids.AG_RANKS, className="segments toggle", input_class_name="btn-check",
                           label_class_name="seg", label_checked_class_name="seg-on", inline=True)
    fields = [
        _number("α, confidence", _box(ids.AG_ALPHA, mother.alpha), "Weight of the confidence in the score"),
        _number("β, win rate", _box(ids.AG_BETA, mother.beta), "Weight of the shrunk win rate in the score"),
        _number("Best", _box(ids.AG_TOP, mother.top_n), "So many may buy at one moment"),
        _number("Least score", _box(ids.AG_LEAST, mother.min_score, "learnt"),
                "Empty: learnt from bars before the start"),
    ]
    save = html.Button("Save for the next start", id=ids.AG_SAVE, className="btn-line")
    return html.Div([parts.field("Ranking", switch), *fields, html.Div(save, className="bt-buttons")],
                    className="bt-form ag-mother")


def _box(key: str, value: Any, placeholder: str = "") -> dbc.Input:
    """Draw a number without limits of its own: a browser would send nothing for one beyond them, unsaid."""
    return dbc.Input(id=key, type="number", value=value, step="any", size="sm", placeholder=placeholder)


def _number(label: str, box: dbc.Input, title: str) -> html.Div:
    field = parts.field(label, box, title)
    field.className = "field w-money"
    return field


def study(view: AgentsView) -> list[Any]:
    """Draw the comparison, or why there is none."""
    found = view.study
    if view.study_state and view.study_state != "running":
        return [parts.empty("The comparison failed", view.study_state)]
    if found is None:
        return [parts.empty("Comparing…" if view.study_state else "Not compared yet",
                            "Compare learns the threshold on the first half of the stored bars and lets Mother AI "
                            "trade the second, beside each agent alone and all with equal parts.")]
    words = f"{found.threshold[:1].upper()}{found.threshold[1:]}."
    graphs = html.Div([
        html.Div([html.H3("Equity on the second half"), _graph(_equity(found))]),
        html.Div([html.H3("Calibration: said, and right"), _graph(_calibration(view, found))]),
    ], className="ag-graphs")
    notes = html.Ul([html.Li(note) for note in found.notes], className="muted ag-notes")
    return [html.P(words, className="ag-words"), graphs, _results(found), notes]


def studied(found: MotherStudy | None) -> str:
    """Return which bars were compared."""
    if found is None:
        return "on stored bars, after costs"
    return f"{found.n_bars:,} bars, {text.moment(found.start)} to {text.moment(found.end)}, after costs"


def _graph(figure: dict[str, Any]) -> html.Div:
    return html.Div(dcc.Graph(figure=figure, config=theme.FIGURE_CONFIG, responsive=True), className="ag-graph")


def _equity(found: MotherStudy) -> dict[str, Any]:
    time = found.time.tolist()
    lines = [{"type": "scatter", "mode": "lines", "name": curve.name, "x": time, "y": curve.equity.tolist(),
              "line": {"color": COLOURS[n % len(COLOURS)], "width": 2.0 if n == 0 else 1.1},
              "hovertemplate": f"{curve.name} %{{y:.4f}}<extra></extra>"} for n, curve in enumerate(found.curves)]
    axis = theme.FIGURE_LAYOUT["yaxis"] | {"tickformat": ".3f"}
    return {"data": lines, "layout": theme.FIGURE_LAYOUT | {"yaxis": axis, "showlegend": False, "hovermode": "x"}}


def _calibration(view: AgentsView, found: MotherStudy) -> dict[str, Any]:
    known = [(n, agent, found.calibration[agent.config.key]) for n, agent in enumerate(view.agents)
             if found.calibration.get(agent.config.key)]
    if not known:
        return theme.blank("No firing to compare yet.")
    most = max(each.n for _, _, bins in known for each in bins)
    lines: list[dict[str, Any]] = [{
        "type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
        "line": {"color": theme.MUTED, "width": 1, "dash": "dot"}}]
    lines += [{
        "type": "scatter", "mode": "lines+markers", "x": [b.said for b in bins], "y": [b.right for b in bins],
        "line": {"color": COLOURS[(n + 2) % len(COLOURS)], "width": 1.1},
        "marker": {"size": [4 + 8 * (b.n / most) ** 0.5 for b in bins]},
        "text": [f"{agent.name} on {agent.display}<br>said {text.percent(b.said)}, right {text.percent(b.right)} · n "
                 f"{b.n:,}" for b in bins],
        "hovertemplate": "%{text}<extra></extra>"} for n, agent, bins in known]
    axis = {"type": "linear", "range": [0, 1.02], "tickformat": ".0%", "fixedrange": True, "gridcolor": theme.GRID,
            "nticks": 6}
    layout = theme.FIGURE_LAYOUT | {
        "xaxis": theme.FIGURE_LAYOUT["xaxis"] | axis | {"showgrid": True, "title": _title("said")},
        "yaxis": theme.FIGURE_LAYOUT["yaxis"] | axis | {"side": "left", "title": _title("right after costs")},
        "hovermode": "closest", "showlegend": False, "margin": {"l": 52, "r": 10, "t": 6, "b": 36}}
    return {"data": lines, "layout": layout}


def _title(words: str) -> dict[str, Any]:
    return {"text": words, "font": {"size": 11, "color": theme.MUTED}, "standoff": 4}


def _results(found: MotherStudy) -> html.Div:
    head = html.Tr([html.Th("Who trades"), html.Th("Return", className="right"),
                    html.Th("Worst drawdown", className="right"), html.Th("Trades", className="right")])
    rows = [html.Tr([
        html.Td([html.Span("■ ", style={"color": COLOURS[n % len(COLOURS)]}, **{"aria-hidden": "true"}), curve.name]),
        html.Td(text.signed_percent(curve.total_return), className=f"right {text.tone(curve.total_return)}"),
        html.Td(text.percent(curve.drawdown, 2), className="right"),
        html.Td(f"{curve.n_trades:,}", className="right"),
    ]) for n, curve in enumerate(found.curves)]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table")
    return html.Div(table, className="ag-scroll")
