"""The control row: the form's inputs, Train, and what a training says while it runs."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts
from layouts.models import form
from layouts.models.form import Choices, Form
from layouts.models.market import is_active
from trading.domain.backtests import BacktestProgress

TO_TITLE = "Last day, UTC; its newest 500 bars (a fifth of fewer) are held back for judging, not trained on"
FAST_MS, SLOW_MS = 300, 4_000


def card(now: Form, choices: Choices, run: BacktestProgress | None) -> html.Section:
    """Draw the row; one training of a market at a time is enough."""
    fold = html.Button(
        [html.Span(form.summary(now, choices), id=ids.MD_FOLD_WORD), html.Span("▾", className="fold-mark")],
        id=ids.MD_FOLD,
        className="fold",
        title="Show or hide the choices",
        **{"aria-expanded": "false", "aria-controls": ids.MD_FORM},
    )
    blocked = not choices.markets or is_active(run)
    go = html.Button("▶ Train now", id=ids.MD_GO, className="big go", disabled=blocked)
    fields = html.Div(
        [*_fields(now, choices), html.Div(go, className="bt-buttons")], id=ids.MD_FORM, className="bt-form"
    )
    return html.Section([fold, fields, *_status(run)], className="panel panel-controls", **{"aria-label": "Training"})


def _status(run: BacktestProgress | None) -> list[html.Div]:
    shown = progress(run)
    bar = html.Div(
        html.Div(className="bar-fill", id=ids.MD_BAR, style=shown[ids.MD_BAR, "style"]), className="bar"
    )
    running = html.Div(
        [
            bar,
            html.Span(shown[ids.MD_STAGE, "children"], id=ids.MD_STAGE, className="bt-stage", role="status"),
            html.Button("Cancel", id=ids.MD_CANCEL, className="btn-line danger"),
        ],
        id=ids.MD_PROGRESS,
        className=shown[ids.MD_PROGRESS, "className"],
    )
    error = run.error if run and run.state == "failed" else ""
    return [running, html.Div(error, id=ids.MD_ERROR, className="bt-error", role="alert")]


def progress(now: BacktestProgress | None) -> parts.Parts:
    """Return what follows a training's progress."""
    active, done = is_active(now), now.done if now else 0.0
    return {
        (ids.MD_BAR, "style"): {"width": f"{100 * min(1.0, max(0.0, done)):.1f}%"},
        (ids.MD_STAGE, "children"): f"{100 * done:.0f} % · {now.stage or now.state}" if now else "",
        (ids.MD_PROGRESS, "className"): "bt-progress" if active else "bt-progress hidden",
        (ids.MD_TICK, "interval"): FAST_MS if active else SLOW_MS,
        (ids.MD_GO, "disabled"): active,
    }


def _fields(now: Form, choices: Choices) -> list[html.Div]:
    markets = [{"label": m.display, "value": m.symbol, "search": f"{m.display} {m.symbol}"} for m in choices.markets]
    symbol = dcc.Dropdown(
        markets, now.symbol, id=ids.MD_SYMBOL, clearable=False, className="box-choice", placeholder="none"
    )
    interval = dbc.Select(options(choices.intervals(now.symbol)), now.interval, id=ids.MD_INTERVAL, size="sm")
    label = dbc.Select(
        [{"label": name, "value": key} for key, name in form.LABEL_NAMES.items()], now.label, id=ids.MD_LABEL, size="sm"
    )
    horizon = _box(ids.MD_HORIZON, form.HORIZON, now.horizon)
    horizon.disabled = now.label == "next_bar"
    return [
        _sized("w-symbols", parts.field("Symbol", symbol)),
        _sized("w-short", parts.field("Timeframe", interval)),
        _sized("w-label", parts.field("Label", label, "\n".join(form.LABEL_NOTES.values()))),
        _sized("w-horizon", _united(parts.field("Horizon", horizon, form.HORIZON.title), form.HORIZON)),
        _scheme(now),
        _sized("w-date", parts.field("From", _date(ids.MD_START, now.start), "First day, UTC")),
        _sized("w-date", parts.field("To", _date(ids.MD_END, now.end), TO_TITLE)),
        _advanced(now, choices),
    ]


def options(intervals: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the timeframes to choose from."""
    return [{"label": i, "value": i} for i in intervals]


def _box(name: str, knob: form.Knob, value: Any) -> dbc.Input:
    step = 1 if knob.whole else "any"
    return dbc.Input(id=name, type="number", value=value, min=knob.low, max=knob.high, step=step, size="sm")


def _united(field: html.Div, knob: form.Knob) -> html.Div:
    if knob.unit:
        field.children.append(html.Span(knob.unit, className="unit", **{"aria-hidden": "true"}))
    return field


def _sized(width: str, field: html.Div) -> html.Div:
    field.className = f"field {width}"
    return field


def _date(component_id: str, value: str | None) -> dcc.DatePickerSingle:
    return dcc.DatePickerSingle(id=component_id, date=value, display_format="YYYY-MM-DD", className="box-date")


def _scheme(now: Form) -> html.Div:
    choose = dbc.RadioItems(
        [{"label": name, "value": key} for key, name in form.SCHEME_NAMES.items()], now.scheme, id=ids.MD_SCHEME
    )
    folds = parts.field(form.FOLDS.label, _box(ids.MD_FOLDS, form.FOLDS, now.n_folds), form.FOLDS.title)
    words = (
        "Each fold is forecast by a model that was trained before it. Anchored trains on everything earlier, "
        "rolling on the last bars only."
    )
    sheet = html.Div(
        [choose, html.Div(folds, className="pair"), html.P(words, className="muted sheet-words")],
        className="sheet sheet-mode",
    )
    return _drop("Walk-forward", form.scheme_word(now.scheme, now.n_folds), ids.MD_SCHEME_WORD, sheet, "w-mode")


def _advanced(now: Form, choices: Choices) -> html.Div:
    boxes = [
        _united(parts.field(knob.label, _box(ids.model_setting(key), knob, now.advanced.get(key)), knob.title), knob)
        for key, knob in form.ADVANCED.items()
    ]
    profile = dbc.Select(
        [{"label": p.name, "value": p.name} for p in choices.profiles], now.profile, id=ids.MD_PROFILE, size="sm"
    )
    boxes.append(parts.field("Risk profile", profile, "Size, stops and limits of the account that follows the model"))
    words = "The usual values are there for a reason: each change that is tried until a result looks good is luck."
    sheet = html.Div(
        [html.Div(boxes, className="limits limits-3"), html.P(words, className="muted sheet-words")],
        className="sheet sheet-right sheet-costs sheet-advanced",
    )
    return _drop("Advanced", form.more_word(now.profile, now.advanced), ids.MD_MORE_WORD, sheet, "w-more")


def _drop(label: str, word: str, word_id: str, sheet: html.Div, width: str) -> html.Div:
    named = html.Span(f"{label}: ", className="visually-hidden")
    summary = html.Summary([named, html.Span(word, id=word_id, className="box-word")])
    return html.Div(
        [html.Label(label), html.Details([summary, sheet], className="drop box")], className=f"field {width}"
    )
