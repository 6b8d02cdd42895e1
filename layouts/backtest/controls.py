"""The control row: the form's inputs, Run, Sweep, and what a run says while it runs."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text
from layouts.backtest import form, sweep
from layouts.backtest.form import Choices, Form
from trading.domain.backtests import BacktestProgress, BacktestView

RUN_WORD = "▶ Run"


def is_active(now: BacktestProgress | None) -> bool:
    """Tell whether a run is still computed."""
    return now is not None and now.state in ("waiting", "running")


def card(now: Form, choices: Choices, view: BacktestView | None, run: BacktestProgress | None) -> html.Section:
    """Draw the row; without stored candles there is nothing to run, and one run at a time is enough."""
    fold = html.Button(
        [html.Span(form.summary(now, choices), id=ids.BT_FOLD_WORD), html.Span("▾", className="fold-mark")],
        id=ids.BT_FOLD,
        className="fold",
        title="Show or hide the choices",
        **{"aria-expanded": "false", "aria-controls": ids.BT_FORM},
    )
    blocked = not choices.markets or not choices.strategies or is_active(run)
    buttons = html.Div(
        [
            html.Button(run_word(view), id=ids.BT_GO, className="big go", disabled=blocked),
            html.Button("Sweep…", id=ids.BT_SWEEP, className="big calm", disabled=blocked),
        ],
        className="bt-buttons",
    )
    fields = html.Div([*_fields(now, choices), buttons], id=ids.BT_FORM, className="bt-form")
    return html.Section([fold, fields, *_status(run)], className="panel panel-controls", **{"aria-label": "Backtest"})


def run_word(view: BacktestView | None) -> str:
    """Write on the button how long the run on screen took."""
    return RUN_WORD if view is None else f"{RUN_WORD} · {seconds(view.seconds)}"


def seconds(took: float) -> str:
    """Write how long a run took: `0.21 s`."""
    return f"{took:.2f} s" if took < 10 else text.span(took * 1000)


def _status(run: BacktestProgress | None) -> list[html.Div]:
    shown = progress(run) if run else {}
    error = run.error if run and run.state == "failed" else ""
    bar = html.Div(
        html.Div(className="bar-fill", id=ids.BT_BAR, style=shown.get((ids.BT_BAR, "style"), {"width": "0%"})),
        className="bar",
    )
    running = html.Div(
        [
            bar,
            html.Span(shown.get((ids.BT_STAGE, "children"), ""), id=ids.BT_STAGE, className="bt-stage", role="status"),
            html.Button("Cancel", id=ids.BT_CANCEL, className="btn-line danger"),
        ],
        id=ids.BT_PROGRESS,
        className=shown.get((ids.BT_PROGRESS, "className"), "bt-progress hidden"),
    )
    return [running, html.Div(error, id=ids.BT_ERROR, className="bt-error", role="alert")]


def progress(now: BacktestProgress) -> parts.Parts:
    """Return what follows a run's progress."""
    active = is_active(now)
    return {
        (ids.BT_BAR, "style"): {"width": f"{100 * min(1.0, max(0.0, now.done)):.1f}%"},
        (ids.BT_STAGE, "children"): f"{100 * now.done:.0f} % · {now.stage or now.state}",
        (ids.BT_PROGRESS, "className"): "bt-progress" if active else "bt-progress hidden",
        (ids.BT_TICK, "disabled"): not active,
        (ids.BT_GO, "disabled"): active,
        (ids.BT_SWEEP, "disabled"): active,
        (ids.BT_RUN, "data"): {"key": now.key, "state": now.state},
    }


def _fields(now: Form, choices: Choices) -> list[Any]:
    markets = [{"label": m.display, "value": m.symbol, "search": f"{m.display} {m.symbol}"} for m in choices.markets]
    strategies = [{"label": s.name, "value": s.id} for s in choices.strategies]
    chosen = choices.strategy(now.strategy)
    note = chosen.notes if chosen else ""
    strategy = dcc.Dropdown(strategies, now.strategy, id=ids.BT_STRATEGY, clearable=False, className="box-choice")
    symbols = dcc.Dropdown(
        markets,
        now.symbols,
        id=ids.BT_SYMBOLS,
        multi=True,
        labels={"selected_count": "{num_selected}"},
        clearable=False,
        className="box-choice",
        placeholder="none",
        maxHeight=320,
    )
    intervals = choices.intervals(now.symbols)
    interval = dbc.Select(interval_options(intervals), now.interval, id=ids.BT_INTERVAL, size="sm")
    capital = dbc.Input(id=ids.BT_CAPITAL, type="number", value=now.capital, min=0, step="any", size="sm")
    profile = dbc.Select(
        [{"label": p.name, "value": p.name} for p in choices.profiles], now.profile, id=ids.BT_PROFILE, size="sm"
    )
    named = parts.field("Strategy", strategy, note)
    named.id, named.className = ids.BT_STRATEGY_NOTE, "field w-strategy"
    return [
        named,
        _sized("w-symbols", parts.field("Symbols", symbols)),
        _sized("w-short", parts.field("Timeframe", interval)),
        _sized("w-date", parts.field("From", _date(ids.BT_START, now.start), "First day, UTC")),
        _sized("w-date", parts.field("To", _date(ids.BT_END, now.end), "Last day, UTC")),
        _costs(now),
        _sized("w-money", parts.field("Capital", capital, "Quote currency at the start")),
        _sized("w-profile", parts.field("Risk profile", profile, "Size, stops, targets and limits")),
        _mode(now),
    ]


def interval_options(intervals: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the timeframes to choose from."""
    return [{"label": i, "value": i} for i in intervals]


def _sized(width: str, field: html.Div) -> html.Div:
    field.className = f"field {width}"
    return field


def _date(component_id: str, value: str | None) -> dcc.DatePickerSingle:
    return dcc.DatePickerSingle(id=component_id, date=value, display_format="YYYY-MM-DD", className="box-date")


def _costs(now: Form) -> html.Div:
    boxes = []
    for key, cost in form.COSTS.items():
        box = dbc.Input(
            id=ids.cost(key), type="number", value=now.costs.get(key), min=0, max=cost.high, step="any", size="sm"
        )
        field = parts.field(cost.label, box, cost.title)
        field.children.append(html.Span(cost.unit, className="unit", **{"aria-hidden": "true"}))
        boxes.append(field)
    words = (
        "Slippage is fixed in basis points; volatility and impact add to it where the market is restless or thin. "
        "Only market orders slip, limit orders do not."
    )
    sheet = html.Div(
        [html.Div(boxes, className="limits limits-3"), html.P(words, className="muted sheet-words")],
        className="sheet sheet-costs",
    )
    return _drop("Costs", form.costs_word(now.costs), ids.BT_COSTS_WORD, sheet, "w-costs")


def _mode(now: Form) -> html.Div:
    choose = dbc.RadioItems(
        [{"label": "Whole period", "value": form.WHOLE}, {"label": "Walk-forward", "value": form.WALK}],
        now.mode,
        id=ids.BT_MODE,
    )
    days = [
        parts.field(label, dbc.Input(id=key, type="number", value=value, min=1, step=1, size="sm"))
        for label, key, value in (
            ("Train, days", ids.BT_TRAIN, now.train_days),
            ("Test, days", ids.BT_TEST, now.test_days),
        )
    ]
    words = "Walk-forward chooses parameters on each training part and trades the untouched days after it."
    sheet = html.Div(
        [choose, html.Div(days, className="pair"), html.P(words, className="muted sheet-words")],
        className="sheet sheet-right sheet-mode",
    )
    word = form.mode_word(now.mode, now.train_days, now.test_days)
    return _drop("Mode", word, ids.BT_MODE_WORD, sheet, "w-mode")


def _drop(label: str, word: str, word_id: str, sheet: html.Div, width: str) -> html.Div:
    named = html.Span(f"{label}: ", className="visually-hidden")
    summary = html.Summary([named, html.Span(word, id=word_id, className="box-word")])
    return html.Div(
        [html.Label(label), html.Details([summary, sheet], className="drop box")], className=f"field {width}"
    )


def dialogs(now: Form, choices: Choices) -> list[Any]:
    """Return the dialogs that the row opens."""
    return [sweep.dialog(choices.strategy(now.strategy))]
