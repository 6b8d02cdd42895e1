"""The page as a whole: what is always there, and the body that follows the market."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text
from layouts.backtest.page import no_candles
from layouts.models import calibration, controls, dialog, drift, importance, lists, tiles, verdict, walk
from layouts.models.form import Choices, Form, label_word
from layouts.models.market import Market, number
from trading.domain.backtests import BacktestProgress
from trading.domain.learning import ModelVersion

NAME, SIMULATED = "models", "SIMULATED"
BADGES = {"champion": "good", "challenger": "info", "retired": "plain", "broken": "bad"}


def page(now: Form, choices: Choices, market: Market | None, progress: BacktestProgress | None,
         badge: str = "") -> html.Main:
    """Draw the page for a market, or for none when there is not a candle; `badge` is that of the traded market."""
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME),
        dcc.Store(id=ids.MD_STATE, data=state(market)),
        dcc.Interval(id=ids.MD_TICK, interval=controls.progress(progress)[ids.MD_TICK, "interval"], max_intervals=1),
    ]
    inside = html.Div(body(market), id=ids.MD_BODY, className="bt-body")
    return html.Main(
        [*memory, controls.card(now, choices, progress), *_hidden(choices, badge), inside, dialog.empty()],
        className="bt-page md-page",
    )


def _hidden(choices: Choices, badge: str) -> list[html.Div]:
    """Say that the simulated market, which is traded, cannot be trained on because real candles are stored."""
    if badge != SIMULATED or not choices.markets or any(SIMULATED in m.display for m in choices.markets):
        return []
    words = ("The cockpit trades the simulated market, but trainings use the stored candles of a real one. To train on "
             "the simulated market start with an empty data folder: COCKPIT_DATA_DIR=FOLDER.")
    return [_note(words)]


def _note(words: str) -> html.Div:
    return html.Div([html.Span("!", className="warning note-mark"), html.Span(words)], className="bt-notes")


def state(market: Market | None, key: str | None = None) -> dict[str, Any]:
    """Return what the tab remembers of what it shows; `key` is the training that it follows."""
    if market is None:
        return {"market": None, "version": None, "key": None, "stamp": ""}
    followed = market.active.key if market.active else key
    shown = market.shown.id if market.shown else None
    return {"market": market.name, "version": shown, "key": followed, "stamp": market.stamp}


def body(market: Market | None) -> list[Any]:
    """Draw all that is known of a market."""
    if market is None:
        return [no_candles("A model learns from history.")]
    lower = html.Div([lists.trainings(market), lists.appointments(market)], className="bt-columns md-lower")
    if market.shown is None:
        return [_instead(market), lower]
    return [_heading(market, market.shown), *_known(market, market.shown), lists.versions(market), lower]


def _instead(market: Market) -> html.Section:
    if market.active:
        words = "The first model appears here when the training is done; the rest of the cockpit goes on meanwhile."
        return html.Section(parts.empty("Training…", words), className="panel bt-instead md-instead")
    title = f"No model is trained on {market.words}"
    return html.Section(parts.empty(title, INVITATION), className="panel bt-instead md-instead")


INVITATION = (
    "Train now learns from all candles between the dates and judges the model only on bars that it had not seen: "
    "accuracy with its interval beside always guessing the majority, calibration, and the result after costs. "
    "A model votes on paper once it beats the one before it on later bars."
)


def _heading(market: Market, version: ModelVersion) -> html.Div:
    badge = parts.badge(lists.status_word(version).upper(), BADGES.get(version.status, "plain"), version.detail)
    facts = (
        label_word(version.settings),
        f"{version.n_bars:,} bars from {text.date(version.trained_from)} to {text.minute(version.trained_until)}"
        " (newer ones held back for judging)",
        f"made {text.moment(version.created)}",
        f"data {version.data_hash[:8]}",
        f"code {version.code[:12]}",
    )
    words = [html.Strong(market.words), badge, html.Strong(number(version.id)),
             html.Span(" · ".join(facts), className="muted")]
    return html.Div([html.H2(words, className="bt-heading md-heading"), _tools(market, version)], className="md-head")


def _tools(market: Market, version: ModelVersion) -> html.Div:
    tools: list[Any] = [_fresh(market)]
    if lists.can_vote(version):
        tools.append(html.Button("Use on paper", id=ids.appoint(version.id, "heading"), className="btn-line"))
    can_return = any(v.status == "retired" for v in market.versions)
    tools.append(html.Button("Roll back", id=ids.MD_BACK, className="btn-line", disabled=not can_return,
                             title="Let the champion before this one vote again"))
    is_quiet = market.champion is None or not market.champion.votes
    tools.append(html.Button("Silence", id=ids.MD_SILENCE, className="btn-line danger", disabled=is_quiet,
                             title="No model votes on this market"))
    return html.Div(tools, className="tools md-tools")


def _fresh(market: Market) -> dbc.Checklist:
    return dbc.Checklist(
        [{"label": "Keep fresh", "value": "fresh"}],
        ["fresh"] if market.fresh else [],
        id=ids.MD_FRESH,
        className="segments toggle",
        input_class_name="btn-check",
        label_class_name="seg",
        label_checked_class_name="seg-on",
        inline=True,
    )


def _known(market: Market, version: ModelVersion) -> list[Any]:
    report = market.report
    figures = tiles.row(version.figures, report.folds if report else ())
    made = [*_elsewhere(market, version), verdict.strip(version, report), figures]
    if report is None:
        gone = parts.empty("The report of this version cannot be read", version.detail or "Train again to get one.")
        return [*made, html.Section(gone, className="panel bt-instead md-instead"), _watched(market, None)]
    table = calibration.confusion(report, version.settings.label)
    side = html.Div([calibration.card(report), table], className="bt-side")
    upper = html.Div([walk.card(report, version.settings), side], className="bt-columns")
    return [*made, upper, _watched(market, importance.card(report))]


def _elsewhere(market: Market, version: ModelVersion) -> list[html.Div]:
    """Say that a champion is not heard, because the cockpit decides on other bars."""
    if version.status != "champion" or market.traded in ("", market.interval):
        return []
    words = (f"The cockpit decides on {market.traded} bars, so nobody asks this model now: it votes when the cockpit "
             f"runs with COCKPIT_INTERVAL={market.interval}.")
    return [_note(words)]


def _watched(market: Market, beside: Any) -> html.Div:
    watched = drift.card(market.drift, market.champion is not None)
    return html.Div([beside, watched] if beside else [watched], className="bt-columns md-middle")


def moving(progress: BacktestProgress | None) -> parts.Parts:
    """Return what follows a training that goes on."""
    return {**controls.progress(progress), (ids.MD_ERROR, "children"): ""}


def outcome(market: Market, progress: BacktestProgress | None) -> parts.Parts:
    """Return all that changes when something happened on a market."""
    failed = progress is not None and progress.state == "failed"
    return {
        **moving(progress),
        (ids.MD_ERROR, "children"): progress.error if failed and progress else "",
        (ids.MD_STATE, "data"): state(market, progress.key if progress else None),
        (ids.MD_BODY, "children"): body(market),
    }
