"""Start, pause, stop; mode; and what the account may risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts import arming, ids, parts
from trading.domain import CockpitView, RiskProfile, SessionView

OWN = "Own"
SIGNALS = "Signals only"
HINTS = {
    "stopped": "Start lets the strategy open positions by itself. Open positions keep their exits.",
    "running": "Running: each closed candle decides. Pause keeps working entries, Stop cancels them.",
    "paused": "No new entries; working entries and stops are kept, positions are managed. Start resumes.",
    "killed": "Killed: nothing is sent but reductions by hand. Re-arm above, with a reason.",
}
CONTROLS = (
    ("", "New entries", "Working entries", "Stops", "Positions", "Back again"),
    ("Pause", "no", "kept", "kept and managed", "managed", "one click"),
    ("Stop", "no", "cancelled", "kept on the venue", "exits managed while the cockpit runs", "Start"),
    ("Flatten", "no", "cancelled", "replaced by the exit", "sold", "Start"),
    ("Kill", "no", "cancelled", "kept", "reductions by hand only", "by hand, with a reason"),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """An input of the risk form. `scale` turns the profile's number into the one on screen (100 for percent)."""

    label: str
    unit: str
    scale: float
    low: float
    high: float
    step: float
    title: str


LIMITS: dict[str, Limit] = {
    "risk_rate": Limit("Risk/trade", "%", 100, 0.05, 10, 0.05, "Share of equity lost when the first stop is hit"),
    "stop_atr": Limit("Stop", "ATR", 1, 0.1, 20, 0.1, "Distance of the stop in average true ranges"),
    "target_atr": Limit("Target", "ATR", 1, 0, 50, 0.1, "Distance of the target in average true ranges; 0 = none"),
    "trail_atr": Limit("Trail", "ATR", 1, 0, 20, 0.1, "The stop follows the highest price at this distance; 0 = off"),
    "max_position_rate": Limit("Max position", "%", 100, 0.5, 100, 0.5, "Largest share of equity in one symbol"),
    "max_exposure_rate": Limit("Max exposure", "%", 100, 0.5, 100, 0.5, "Largest share of equity in all positions"),
    "max_positions": Limit("Positions", "max", 1, 1, 50, 1, "Most positions at a time"),
    "daily_loss_rate": Limit("Daily loss", "%", 100, 0.1, 100, 0.1, "No new entries today beyond this loss (UTC day)"),
    "max_drawdown_rate": Limit(
        "Drawdown", "%", 100, 0.5, 100, 0.5, "The kill switch trips at this fall from the highest equity"
    ),
}
FIRST = ("risk_rate", "stop_atr", "target_atr", "trail_atr")
REST = tuple(key for key in LIMITS if key not in FIRST)


def figures(profile: RiskProfile) -> dict[str, float]:
    """Return a profile as the numbers of the form."""
    return {key: round(getattr(profile, key) * limit.scale, 6) for key, limit in LIMITS.items()}


def profile_of(name: str, values: Mapping[str, float | None], active: RiskProfile) -> RiskProfile:
    """Read the form; what it does not show (break-even, time stop, cool-down) stays as in the active profile.

    Raises
    ------
    ValueError
        When a number is missing or outside its bounds; the text names the input.
    """
    read: dict[str, Any] = {}
    for key, limit in LIMITS.items():
        value = values[key]
        if value is None or not limit.low <= value <= limit.high:
            raise ValueError(f"{limit.label}: enter a number from {limit.low:g} to {limit.high:g} {limit.unit}")
        if key == "max_positions" and value != int(value):
            raise ValueError(f"{limit.label}: enter a whole number")
        read[key] = int(value) if key == "max_positions" else value / limit.scale
    return replace(active, name=name, **read)


def name_of(values: Mapping[str, float | None], profiles: tuple[RiskProfile, ...]) -> str:
    """Name the profile that has these numbers, `Own` when none has."""
    return next((p.name for p in profiles if figures(p) == dict(values)), OWN)


def note(values: Mapping[str, float | None], active: RiskProfile) -> str:
    """Say whether what is on screen is what the engine uses."""
    return "in force" if dict(values) == figures(active) else "not applied yet"


def controls(session: SessionView) -> parts.Parts:
    """Return what follows the session's state."""
    state = session.state
    return {
        (ids.AUTO_STATE, "children"): state,
        (ids.AUTO_STATE, "className"): f"card-note state-{state}",
        (ids.AUTO_START, "disabled"): state in ("running", "killed"),
        (ids.AUTO_PAUSE, "disabled"): state != "running",
        (ids.AUTO_STOP, "disabled"): state in ("stopped", "killed"),
        (ids.AUTO_START, "children"): "▶ Resume" if state == "paused" else "▶ Start",
        (ids.AUTO_HINT, "children"): HINTS.get(state, ""),
        (ids.AUTO_MODE, "value"): session.mode,
        (ids.AUTO_MODE, "options"): modes(session),
    }


def modes(session: SessionView) -> list[dict[str, str]]:
    """Return the choices of the mode: trading where the orders go, or only watching."""
    trades = "Paper" if session.armed is None else f"Trade · {session.broker}"
    return [{"label": trades, "value": "paper"}, {"label": SIGNALS, "value": "signals"}]


def live(view: CockpitView, profiles: tuple[RiskProfile, ...]) -> parts.Parts:
    """Return what another tab or the engine may have changed."""
    values = figures(view.session.profile)
    return {
        **controls(view.session),
        **arming.live(view),
        (ids.RISK_PROFILE, "value"): name_of(values, profiles),
        **{(ids.risk(key), "value"): value for key, value in values.items()},
        (ids.RISK_NOTE, "children"): note(values, view.session.profile),
    }


def card(view: CockpitView, profiles: tuple[RiskProfile, ...]) -> html.Section:
    """Draw the card."""
    now = live(view, profiles)
    state = html.Span(now[ids.AUTO_STATE, "children"], id=ids.AUTO_STATE, className=now[ids.AUTO_STATE, "className"])
    apply = html.Div(
        [
            html.Span(now[ids.RISK_NOTE, "children"], id=ids.RISK_NOTE, className="muted risk-note"),
            html.Button("Apply", id=ids.RISK_APPLY, className="btn-line", title="Use these limits from now on"),
        ],
        className="apply",
    )
    more = html.Details([html.Summary("More limits"), _inputs(REST, now)], className="more")
    return parts.card(
        "Auto-trading",
        _buttons(now),
        html.Div(now[ids.AUTO_HINT, "children"], id=ids.AUTO_HINT, className="hint"),
        arming.row(now),
        html.Div([_mode(now), _profile(now, profiles)], className="pair"),
        _inputs(FIRST, now),
        html.Div([more, apply], className="more-line"),
        tools=html.Span([_explained(), state], className="card-note"),
        name="auto",
    )


def _buttons(now: parts.Parts) -> html.Div:
    looks = (
        (ids.AUTO_START, "go", "New entries allowed; every closed candle decides"),
        (ids.AUTO_PAUSE, "calm", "No new entries. Working entries, stops and positions are kept and managed"),
        (
            ids.AUTO_STOP,
            "calm",
            "No new entries, working entries cancelled. Stops stay; exits are managed while the cockpit runs",
        ),
    )
    words = {ids.AUTO_PAUSE: "❚❚ Pause", ids.AUTO_STOP: "■ Stop"}
    buttons = [
        html.Button(
            words.get(key) or now[key, "children"],
            id=key,
            className=f"big {look}",
            title=title,
            disabled=now[key, "disabled"],
        )
        for key, look, title in looks
    ]
    return html.Div(buttons, className="buttons")


def _mode(now: parts.Parts) -> html.Div:
    control = dbc.Select(now[ids.AUTO_MODE, "options"], now[ids.AUTO_MODE, "value"], id=ids.AUTO_MODE, size="sm")
    return parts.field("Mode", control, "Signals only: votes are shown and recorded, nothing is traded")


def _profile(now: parts.Parts, profiles: tuple[RiskProfile, ...]) -> html.Div:
    options = [{"label": name, "value": name} for name in (*(p.name for p in profiles), OWN)]
    control = dbc.Select(options, now[ids.RISK_PROFILE, "value"], id=ids.RISK_PROFILE, size="sm")
    return parts.field("Risk profile", control, "Fills in the limits below; they count once applied")


def _inputs(keys: tuple[str, ...], now: parts.Parts) -> html.Div:
    return html.Div([_input(key, LIMITS[key], now[ids.risk(key), "value"]) for key in keys], className="limits")


def _input(key: str, limit: Limit, value: float) -> html.Div:
    box = dbc.Input(
        id=ids.risk(key),
        type="number",
        value=value,
        min=limit.low,
        max=limit.high,
        step="any",
        size="sm",
        debounce=True,
    )
    field = parts.field(limit.label, box, limit.title)
    field.children.append(html.Span(limit.unit, className="unit", **{"aria-hidden": "true"}))
    return field


def _explained() -> html.Details:
    head, *rows = CONTROLS
    table = html.Table(
        [
            html.Thead(html.Tr([html.Th(cell) for cell in head])),
            html.Tbody([html.Tr([html.Th(row[0]), *(html.Td(cell) for cell in row[1:])]) for row in rows]),
        ]
    )
    return html.Details(
        [html.Summary("What each does"), html.Div(table, className="sheet sheet-right sheet-wide")],
        className="drop quiet",
    )
