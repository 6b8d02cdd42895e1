"""What a model's figures allow to say, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from layouts import text
from trading.domain.learning import ModelReport, ModelVersion

Figures = Mapping[str, float | None]
Line = tuple[str, str]  # tone (good, warn, bad) and words
MARKS = {"good": ("✓", "up"), "warn": ("!", "warning"), "bad": ("✗", "down")}
PERCENTS = 100


def lines(figures: Figures, leaks: tuple[str, ...] = ()) -> list[Line]:
    """Return the verdict, the worst news first."""
    if leaks:
        named = [why.removeprefix("suspected leak: ") for why in leaks]
        return [("bad", f"Suspected leak: {text.typeset(why)}") for why in named] + [("bad", LEAK_ADVICE)]
    found = [line for line in (accuracy(figures), probabilities(figures), result(figures), killed(figures)) if line]
    return sorted(found, key=lambda line: ("bad", "warn", "good").index(line[0]))


LEAK_ADVICE = (
    "Markets do not give this away. Look for a feature that sees the future, or candles that were written "
    "afterwards, before you believe any figure below."
)


def accuracy(f: Figures) -> Line | None:
    """Compare accuracy with always guessing the majority, and with the one-line rule."""
    value, low, high = f.get("accuracy"), f.get("accuracy_low"), f.get("accuracy_high")
    rivals = {"always guessing the majority": f.get("baseline"), "guessing the last bar again": f.get("baseline_rule")}
    known = {name: rate for name, rate in rivals.items() if rate is not None}
    if value is None or low is None or high is None or not known:
        return None
    name, best = max(known.items(), key=lambda rival: rival[1])
    between = f"{text.percent(value)} (95 %: {span(low, high)}) against {text.percent(best)}"
    if low > best:
        return "good", f"Better than {name}: {between}"
    if high < best:
        return "bad", f"Worse than {name}: {between}"
    return "warn", f"No better than {name}: {between}"


def probabilities(f: Figures) -> Line | None:
    """Compare the Brier score with that of always saying the base rate."""
    value, plain = f.get("brier"), f.get("brier_baseline")
    if value is None or plain is None:
        return None
    figures = f"Brier {text.number(value, 4)} against {text.number(plain, 4)}"
    if round(value, 4) < round(plain, 4):
        return "good", f"Its probabilities say more than the base rate does: {figures}"
    return "warn", f"Its probabilities say no more than the base rate does: {figures}"


def result(f: Figures) -> Line | None:
    """Say what following the forecasts came to after costs."""
    value, hold, n = f.get("total_return"), f.get("benchmark_return"), f.get("n_trades")
    if not n:
        return "warn", "It never traded: no forecast was confident enough to be worth the costs"
    if value is None:
        return None
    beside = f", holding {text.signed_percent(hold, 1)}" if hold is not None else ""
    words = f"{text.signed_percent(value, 1)} after costs in {text.plural(round(n), 'trade')}{beside}"
    if value <= 0:
        return "bad", f"Following it lost money: {words}"
    if hold is not None and value < hold:
        return "warn", f"Following it made less than holding: {words}"
    return "good", f"Following it made more than holding: {words}"


def killed(f: Figures) -> Line | None:
    """Say that the account was stopped for good."""
    n = round(f.get("n_killed") or 0)
    return ("warn", f"The kill switch ended trading in {text.plural(n, 'fold')}") if n else None


def span(low: float, high: float) -> str:
    """Write an interval of rates: `52.2 – 54.0`."""
    return f"{text.number(low * PERCENTS, 1)} – {text.number(high * PERCENTS, 1)}"


def strip(version: ModelVersion, report: ModelReport | None) -> html.Div:
    """Draw the verdict; a suspected leak is loud."""
    leaks = report.leaks if report else version.leaks
    said = [(tone, version.detail)] if (tone := _broken(version)) else lines(version.figures, leaks)
    rows = [_line(tone, words, loud=bool(leaks)) for tone, words in said]
    worst = said[0][0] if said else "warn"
    return html.Div(
        rows, className=f"md-verdict is-{worst}{' is-leak' if leaks else ''}", role="alert" if leaks else "status"
    )


def _broken(version: ModelVersion) -> str:
    return "bad" if version.status == "broken" else ""


def _line(tone: str, words: str, *, loud: bool) -> html.Div:
    mark, colour = MARKS[tone]
    shown: Any = html.Strong(words) if loud and words != LEAK_ADVICE else html.Span(words)
    return html.Div([html.Span(mark, className=f"md-mark {colour}", **{"aria-hidden": "true"}), shown])
