"""What a training found, as the report that registry, screen and command line share."""

from __future__ import annotations

from collections.abc import Sequence

from models.account import Account
from models.ensemble import Ensemble
from models.importance import importance_of
from models.scores import Figures, calibration_bins, confusion, figures_of
from models.simple import split_accuracy
from models.validation import Problem, Window, forecasts_of
from trading.domain import INTERVAL_MS
from trading.domain.learning import Fold, ModelReport

SUSPECT = 0.58
"""Nobody is known to say the next hour of a liquid market right more often, without condition."""
SUSPECT_AUC = 0.62
"""What 58 % right comes to with even classes and normal scores; it asks the same where classes are uneven."""
HOUR_MS = 3_600_000


def report_of(problem: Problem, windows: Sequence[Window], account: Account, ensemble: Ensemble,
              labels: Sequence[str]) -> ModelReport:
    """Return the report; `labels` are the features' names on screen."""
    _, said = forecasts_of(problem, windows)
    figures = figures_of(said) | account.figures() | {
        "split_accuracy": split_accuracy(problem.candles, problem.settings),
        "enter_above": ensemble.enter_above, "exit_below": ensemble.exit_below,
        "weight_forest": ensemble.weights[0], "weight_boost": ensemble.weights[1],
    }
    return ModelReport(
        figures, _folds(problem, windows, account), calibration_bins(said),
        confusion(said), importance_of(problem, windows, labels), account.curve(),
        leaks=suspected_leaks(figures, problem.settings.label, problem.candles.interval), notes=_notes(figures),
    )


def suspected_leaks(figures: Figures, label: str, interval: str) -> tuple[str, ...]:
    """Say why a result is too good to be believed; empty when it is not.

    An accuracy over 58 % is suspicious. Where classes are uneven, always guessing one may be right more often than
    that: there it is 8 points over the baseline, or an AUC above 0.62. On bars longer than an hour, of which there are
    few, the accuracy's whole interval must lie there.
    """
    accuracy, low, baseline, auc = (figures[name] for name in ("accuracy", "accuracy_low", "baseline", "auc"))
    if accuracy is None or low is None or baseline is None:
        return ()
    if label != "next_bar" and auc is not None and auc > SUSPECT_AUC and INTERVAL_MS[interval] <= HOUR_MS:
        return (f"suspected leak: an AUC of {auc:.3f} on unseen bars is more than the {SUSPECT_AUC:.2f} that can be "
                "believed; look for something in features or candles that knows the future",)
    limit = SUSPECT if label == "next_bar" else max(0.5, baseline) + SUSPECT - 0.5
    if (accuracy if INTERVAL_MS[interval] <= HOUR_MS else low) <= limit:
        return ()
    return (f"suspected leak: {accuracy:.1%} of the unseen bars right is more than the {limit:.0%} that can be "
            "believed; look for something in features or candles that knows the future",)


def _folds(problem: Problem, windows: Sequence[Window], account: Account) -> tuple[Fold, ...]:
    results = zip(windows, account.returns(), account.runs, strict=True)
    return tuple(_fold(problem, window, total, run.n_trades) for window, total, run in results)


def _fold(problem: Problem, window: Window, total_return: float, n_trades: int) -> Fold:
    candles, split = problem.candles, window.split
    rows, said = forecasts_of(problem, [window])
    figures = figures_of(said)
    opened, last = candles.open_time, INTERVAL_MS[candles.interval] - 1
    return Fold(
        train_start=int(opened[split.train[0]]), train_end=int(opened[split.train[-1]]) + last,
        test_start=int(opened[split.test[0]]), test_end=int(opened[split.test[-1]]) + last, n=len(rows),
        accuracy=_number(figures["accuracy"]), baseline=_number(figures["baseline"]), auc=figures["auc"],
        brier=_number(figures["brier"]), ece=_number(figures["ece"]), weights=window.ensemble.weights,
        total_return=total_return, n_trades=n_trades,
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _notes(figures: Figures) -> tuple[str, ...]:
    """Say in plain words what the figures do not support."""
    found = {name: _number(value) for name, value in figures.items()}
    notes = []
    simple = max(found["baseline"], found["baseline_rule"])
    if found["accuracy_low"] <= simple:
        notes.append(f"No better than a simple rule: {found['accuracy']:.1%} right against {simple:.1%}, which lies "
                     f"within or above the interval {found['accuracy_low']:.1%} to {found['accuracy_high']:.1%}.")
    if found["log_loss"] >= found["log_loss_baseline"]:
        notes.append("Its probabilities are no better than always saying the base rate.")
    if found["total_return"] <= 0.0:
        notes.append(f"After costs the account lost: {found['total_return']:+.1%}; buying and holding made "
                     f"{found['benchmark_return']:+.1%}.")
    elif found["total_return"] <= found["benchmark_return"]:
        notes.append(f"After costs {found['total_return']:+.1%}, less than buying and holding, "
                     f"{found['benchmark_return']:+.1%}.")
    if found["n_killed"] > 0.0:
        notes.append(f"The kill switch ended trading in {found['n_killed']:.0f} of the windows.")
    return tuple(notes)
