"""A model's settings by the same search: each window is forecast by a model that was trained before it, and traded.

`document` may fix fields of `ModelSettings` (`label`, `trees` ...); what is left is searched. The champion is trained
once on all that the search may see and then follows the untouched candles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.account import follow
from models.features import FEATURE_NAMES, matrix
from models.splits import Split as Rows
from models.validation import Problem, Window, walk
from services.automl.arena import inside, outside, rules_of, split_of
from services.automl.figures import Figures
from services.automl.fitness import Field, Ground, held
from services.automl.tuning import Tuner
from services.automl.windows import Traded
from services.backtests.markets import Loaded
from trading.domain import Candles, SymbolSpec
from trading.domain.learning import ModelSettings, TrainRequest
from trading.domain.studies import StudyRequest
from trading.errors import BadInput
from trading.metrics import returns_of
from trading.strategies import Tunable

N_WINDOWS = 4
AXES = {
    "depth": Tunable(6, 2, 10, 1), "rounds": Tunable(150, 50, 400, 50),
    "learning_rate": Tunable(0.05, 0.01, 0.2, 0.01), "enter_share": Tunable(0.2, 0.05, 0.4, 0.05),
    "horizon": Tunable(12, 4, 48, 4), "stop_atr": Tunable(2.0, 1.0, 4.0, 0.5),
    "target_atr": Tunable(3.0, 1.0, 6.0, 0.5),
}
NEEDS = {"horizon": ("horizon", "triple_barrier"), "stop_atr": ("triple_barrier",), "target_atr": ("triple_barrier",)}
"""Labels without which a setting says nothing."""


def modeller(request: StudyRequest, loaded: Loaded, folder: Path, saved: dict[str, Any] | None) -> ModelTuner:
    """Return the search of a question."""
    settings = settings_of(request)
    split = split_of(request, loaded)
    grounds = inside(loaded, split)[0], outside(loaded, split)[0]
    asked = TrainRequest(request.symbols[0], request.interval, None, None, settings, request.costs, request.profile)
    before = Folds(grounds[0], asked, Field(grounds[0], rules_of(request)))
    after = Later(grounds[1], asked, Field(grounds[1], rules_of(request)))
    return ModelTuner(request, loaded, axes_of(request, settings), (before, after), (folder, saved))


def settings_of(request: StudyRequest) -> ModelSettings:
    """Return the settings that a search begins with."""
    known = {field.name for field in fields(ModelSettings)}
    unknown = sorted(set(request.document) - known)
    if unknown:
        raise BadInput(f"{unknown[0]!r} is no setting of a model; known are {', '.join(sorted(known))}")
    found: ModelSettings = replace(ModelSettings(), **{"label": "horizon", **request.document, "seed": request.seed,
                                                       "n_folds": N_WINDOWS})
    return found


def axes_of(request: StudyRequest, settings: ModelSettings) -> dict[str, Tunable]:
    """Return what is searched: what the document does not fix and the label needs."""
    return {name: axis for name, axis in AXES.items()
            if name not in request.document and settings.label in NEEDS.get(name, (settings.label,))}


class ModelTuner(Tuner):
    """A search for a model's settings; its candidates have no document."""

    batch = 4
    n_startup = 8
    n_looked_at = 3


class Folds:
    """The windows of a walk-forward on what a search may see: a task is (settings, window)."""

    def __init__(self, ground: Ground, asked: TrainRequest, field: Field) -> None:
        self._candles, self._spec, self._asked, self._field = ground.candles, ground.spec, asked, field
        self._rows: Any = None

    def __len__(self) -> int:
        return N_WINDOWS

    def do(self, task: tuple[Mapping[str, float], int]) -> Traded | None:
        """Train before a window and trade it; None where the settings leave nothing to train on."""
        request = with_values(self._asked, task[0])
        try:
            problem = Problem.of(self._candles, self._features(), FEATURE_NAMES, request)
            windows = walk(problem, [problem.splits()[task[1]]], lambda *_: None)
        except (BadInput, IndexError):
            return None
        return traded(self._candles, windows[0], request, self._spec)

    def held(self) -> Figures:
        """Return buy and hold of all that the search may see."""
        return held((self._field,))

    def _features(self) -> Any:
        if self._rows is None:
            self._rows = matrix(self._candles)
        return self._rows

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": None}


class Later:
    """The untouched candles, traded by a model that was trained on all before them."""

    def __init__(self, ground: Ground, asked: TrainRequest, field: Field) -> None:
        self._ground, self._asked, self._field = ground, asked, field

    def __len__(self) -> int:
        return 1

    def do(self, task: tuple[Mapping[str, float], int]) -> Traded | None:
        """Train on what came before, trade what came then."""
        request, (candles, first) = with_values(self._asked, task[0]), (self._ground.candles, self._ground.first)
        rows = matrix(candles)
        try:
            problem = Problem.of(candles[:first], rows[:first], FEATURE_NAMES, request)
            ensemble = problem.fit(np.arange(first), lambda *_: None)
        except BadInput:
            return None
        split = Rows(0, np.arange(first), np.arange(first, len(candles)))
        # an account reads the directions alone: which way the naive rule goes is a report's business
        window = Window(split, ensemble, ensemble.probability(rows[first:]), ensemble.base_rate, rule_goes_on=True)
        return traded(candles, window, request, self._ground.spec)

    def held(self) -> Figures:
        """Return buy and hold of the untouched candles."""
        return held((self._field,))


def with_values(asked: TrainRequest, values: Mapping[str, float]) -> TrainRequest:
    """Return the question with other settings."""
    return replace(asked, settings=replace(asked.settings, **values))  # type: ignore[arg-type]


def traded(candles: Candles, window: Window, request: TrainRequest, spec: SymbolSpec) -> Traded:
    """Let the account follow a window's forecasts."""
    run = follow(candles, [window], request, spec).runs[0]
    curve = np.concatenate(([run.setup.capital_units], run.equity)).astype(np.float64)
    return Traded(returns_of(curve), run.n_trades)
