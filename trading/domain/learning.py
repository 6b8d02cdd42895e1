"""What training is asked and what a trained model says of itself, for screen, registry and command line.

UTC ms; rates, accuracies and returns are fractions; probabilities are of class 1 (up, or a gain after costs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trading.domain.backtests import BacktestCurve, CostSettings
from trading.domain.views import RiskProfile

LABELS = ("next_bar", "horizon", "triple_barrier")
SCHEMES = ("anchored", "rolling")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is built.

    Attributes
    ----------
    label : `next_bar` (1: the next close is higher), `horizon` (1: the close `horizon` bars later is higher by more
        than a round trip's costs) or `triple_barrier` (1: `target_atr` average true ranges up are reached before
        `stop_atr` down, within `horizon` bars; where neither is reached, 1 for a gain after costs).
    scheme : `anchored` walk-forward trains on everything earlier, `rolling` on the last `train_bars`.
    n_folds, embargo_bars : test windows of the walk-forward; bars left out after each training window on top of the
        purge.
    trees, depth, rounds, learning_rate : Random Forest trees, depth of both, XGBoost rounds and its rate.
    enter_share : the part of bars, by confidence on the calibration slice, that are worth a buy.
    """

    label: str = "next_bar"
    horizon: int = 12
    stop_atr: float = 2.0
    target_atr: float = 3.0
    scheme: str = "anchored"
    n_folds: int = 6
    train_bars: int = 8_760
    embargo_bars: int = 24
    trees: int = 100
    depth: int = 6
    rounds: int = 150
    learning_rate: float = 0.05
    enter_share: float = 0.2
    seed: int = 7


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """One question: train on a symbol's candles of an interval with `start <= open_time < end` (None: all)."""

    symbol: str
    interval: str
    start: int | None
    end: int | None
    settings: ModelSettings
    costs: CostSettings
    profile: RiskProfile


@dataclass(frozen=True, slots=True)
class Fold:
    """One test window of the walk-forward and what was said about it before it was seen.

    `weights` are those of forest and boost in the vote; `total_return` is after costs, `n_trades` its round trips.
    """

    train_start: int
    train_end: int
    test_start: int
    test_end: int
    n: int
    accuracy: float
    baseline: float
    auc: float | None
    brier: float
    ece: float
    weights: tuple[float, float]
    total_return: float
    n_trades: int


@dataclass(frozen=True, slots=True)
class Importance:
    """Loss of accuracy (log loss units) when a feature's test values are shuffled: mean and spread over folds."""

    feature: str
    label: str
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Forecasts of about the same probability: their mean, the share that came true with its 95 % interval."""

    said: float
    came: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class ModelReport:
    """What is known of a model, all out of sample.

    Attributes
    ----------
    figures : `accuracy`, `accuracy_low`, `accuracy_high`, `n`, `n_effective` (overlapping labels counted by their
        uniqueness), `baseline` (always the majority class of the training part), `baseline_rule` (the last bar's
        direction, followed or faded as was right more often in the training part), `base_rate`, `auc`, `brier`,
        `brier_baseline`, `ece`, `log_loss`, `log_loss_baseline`, `split_accuracy` (single 80/20 split in time),
        `total_return`, `benchmark_return`, `sharpe`, `max_drawdown`, `n_trades`, `enter_above`, `exit_below` ...; None
        where undefined.
    folds : in time.
    calibration : bins in rising probability.
    confusion : ((said 0 came 0, said 0 came 1), (said 1 came 0, said 1 came 1)).
    importance : most important first.
    curve : the account that followed the forecasts after costs, chained over the folds.
    leaks : why the result is suspected to see the future; empty when it is not.
    """

    figures: Mapping[str, float | None]
    folds: tuple[Fold, ...]
    calibration: tuple[CalibrationBin, ...]
    confusion: tuple[tuple[int, int], tuple[int, int]]
    importance: tuple[Importance, ...]
    curve: BacktestCurve | None
    leaks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained model as the registry lists it.

    `status`: champion, challenger, retired, or broken (its files cannot be used; `detail` says why). `votes` whether
    it advises on paper. `trained_until` is the close time of the last bar that it has seen in any way. `origin` is
    `SIMULATED` for one that was trained on the simulated market: it does not vote on a real one.
    """

    id: str
    symbol: str
    interval: str
    created: int
    trained_from: int
    trained_until: int
    n_bars: int
    data_hash: str
    features_hash: str
    code: str
    settings: ModelSettings
    figures: Mapping[str, float | None]
    status: str
    votes: bool
    leaks: tuple[str, ...] = ()
    detail: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Appointment:
    """A change of champion. `kind`: promoted, rolled back, by hand, refused or silenced; `reason` has the figures."""

    time: int
    symbol: str
    interval: str
    version: str
    before: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far a feature's recent values moved from those of training (population stability index).

    `usual` is how far windows of the same length moved within training: up to there it counts as no move.
    """

    feature: str
    label: str
    psi: float
    usual: float = 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """What became of a model since it was trained. `state`: steady, watch, drifted or unknown (too few bars)."""

    state: str
    detail: str
    checked: int
    n: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    expected: float | None
    features: tuple[FeatureDrift, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training in the history. `state`: waiting, running, done, failed, cancelled or interrupted.

    `why`: by hand or schedule. How long an interrupted one ran is not known: its `seconds` are 0.
    """

    key: str
    symbol: str
    interval: str
    begun: int
    seconds: float
    state: str
    why: str
    version: str
    detail: str
