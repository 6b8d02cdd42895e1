"""One card an agent: what it says, how sure it is, what became of its trades, and whether it still does as promised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain.agents import MODEL, AgentPrediction, AgentView

STATES = {
    "running": ("running", "good", "It advises on every bar"),
    "paused": ("paused", "warn", "It looks at every bar and has no say"),
    "waiting": ("next start", "info", "Added since the cockpit started: it runs from the next start on"),
    "going": ("dropped", "plain", "It has no say any more and is gone at the next start"),
    "leaving": ("until restart", "info", "It was taken out of agents.json by hand and trades until the next start"),
    "unlisted": ("no say", "plain", "The symbol has a model and the list does not name it: add it to let it vote"),
    "failed": ("failed", "bad", "It cannot run; the others do"),
    "silent": ("silent", "plain", "No model votes on this symbol yet"),
}
COMPARE_FIRST = "its trades are held against its hypothetical ones after Compare"
LIGHTS = {"green": "up", "amber": "warning", "red": "down", "too few to tell": "muted"}
ACTIONS = {"BUY": ("▲", "up"), "SELL": ("▼", "down"), "HOLD": ("·", "muted")}


def grid(agents: tuple[AgentView, ...]) -> list[html.Article]:
    """Draw a card for each."""
    return [_card(agent) for agent in agents]


def _card(agent: AgentView) -> html.Article:
    word, tone, title = STATES[agent.state]
    name = html.Span(agent.name, className="ag-name", title=agent.config.strategy)
    head = html.Div([html.Strong(agent.display), name, parts.badge(word, tone, title)], className="ag-head")
    reason = html.P(agent.reason or "It has not seen a bar of this session yet.", className="ag-reason muted",
                    title=agent.reason)
    return html.Article([head, _said(agent.prediction), reason, _record(agent), _light(agent), _tools(agent)],
                        className=f"panel ag-card is-{agent.state}")


def _said(prediction: AgentPrediction | None) -> html.Div:
    if prediction is None:
        return html.Div(html.Span("no prediction yet", className="muted"), className="ag-said")
    mark, tone = ACTIONS[prediction.prediction]
    sign = html.Span(mark, **{"aria-hidden": "true"})
    word = html.Span([sign, f" {prediction.prediction}"], className=f"ag-word {tone}")
    sure = html.Span("claims nothing" if prediction.prediction == "HOLD" else
                     f"confidence {text.number(prediction.confidence, 1)} %", className="ag-sure")
    prices = [_price("Entry", prediction.entry_price), _price("Target", prediction.target_price),
              _price("Stop", prediction.stop_loss)]
    return html.Div([html.Div([word, sure], className="ag-line"), html.Div(prices, className="ag-prices")],
                    className="ag-said")


def _price(label: str, price: Decimal | None) -> html.Span:
    figure = text.NOTHING if price is None else f"{price:,f}"
    return html.Span([html.Span(label, className="muted"), html.Strong(figure)])


def _record(agent: AgentView) -> html.Div:
    """Draw the record: raw and shrunk rate, what it earned, and what the confidence rests on."""
    rate = "no trade yet" if agent.win_rate is None else f"{text.percent(agent.win_rate)} of {agent.n_trades}"
    score = text.number(agent.score, 3) if agent.state in ("running", "paused") else text.NOTHING
    cells = [
        _figure("Win rate", rate, "Of its own closed trades, after costs"),
        _figure("Shrunk", text.percent(agent.shrunk), "Drawn towards a half while there are few trades"),
        _figure("Score", score, "What Mother AI would rank it by now"),
        _figure("P&L", text.signed(agent.pnl), "Sum of its closed trades", text.tone(agent.pnl)),
    ]
    if agent.firings is not None:
        n, wins = agent.firings
        cells.append(_figure("Firings", f"{wins:,} of {n:,}", "Hypothetical trades that made money after costs: what "
                                                             "its confidence to buy rests on"))
    return html.Div(cells, className="ag-figures")


def _figure(label: str, value: str, title: str, tone: str = "") -> html.Div:
    return html.Div([html.Span(label, className="muted"), html.Strong(value, className=tone)], title=title)


def _light(agent: AgentView) -> html.Div:
    light = agent.light
    words = light.words.removeprefix("Too few to tell: ") if light.n_expected else COMPARE_FIRST
    dot = html.Span("●", className=LIGHTS[light.state], **{"aria-hidden": "true"})
    return html.Div([dot, html.Span(light.state, className="ag-light-word"),
                     html.Span(words, className="muted ag-words", title=words)], className="ag-light")


def _tools(agent: AgentView) -> html.Div:
    if agent.state in ("going", "leaving", "unlisted"):
        return html.Div(className="ag-tools")
    act, word = ("resume", "Resume") if agent.config.paused else ("pause", "Pause")
    who = f"{agent.name} on {agent.display}"
    pause = html.Button(word, id=ids.agent_act(act, agent.config.key), className="btn-line",
                        **{"aria-label": f"{word} {who}"})
    drop = html.Button("Drop", id=ids.agent_act("drop", agent.config.key), className="btn-line danger",
                       title="Silent at once, gone at the next start; open positions keep stop and target",
                       **{"aria-label": f"Drop {who}"})
    return html.Div([pause, drop], className="ag-tools")


def strategy_label(reference: str, label: str) -> str:
    """Return how a strategy is offered."""
    return label if reference in (MODEL, label) else f"{label} · {reference}"


def rows_by_score(agents: tuple[AgentView, ...]) -> list[Any]:
    """Return the ranking's rows, the best score first; equals keep their order."""
    ranked = sorted((a for a in agents if a.state in ("running", "paused")), key=lambda agent: -agent.score)
    most = max((abs(agent.pnl) for agent in ranked), default=Decimal(0)) or Decimal(1)
    return [html.Tr([
        html.Td(f"{place}"), html.Td([html.Strong(agent.display), html.Span(f" {agent.name}", className="muted")]),
        html.Td(text.number(agent.score, 3), className="right"),
        html.Td(text.percent(agent.confidence), className="right"),
        html.Td(text.percent(agent.shrunk), className="right"),
        html.Td([html.Span(text.signed(agent.pnl), className=text.tone(agent.pnl)),
                 parts.bar(float(abs(agent.pnl) / most), "up" if agent.pnl >= 0 else "down")],
                className="right ag-pnl"),
    ]) for place, agent in enumerate(ranked, 1)]
