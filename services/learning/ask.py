"""One training from candles to a kept version: trained on earlier bars, judged on later ones, appointed or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.drift import Recent, Reference, drift, reference_of
from models.feature_table import bars_needed
from models.features import FEATURES, matrix
from models.labels import Labels, make_labels
from models.promotion import Verdict, judge
from models.registry import Registry, Stored
from services.learning.markets import Market
from trading.domain import FloatArray, IntArray
from trading.domain.backtests import CostSettings
from trading.domain.learning import Drift, ModelSettings, ModelVersion, TrainRequest
from trading.errors import BadInput, ModelRefused

JUDGE_BARS = 500
JUDGE_SHARE = 0.2
JUDGED_SPANS = 6
"""Labels that overlap over many bars need more of them to be compared on (`models.promotion.judge`)."""
BASE_RATE = "the base rate"
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The newest bars with a closed answer, which a challenger never sees; `first` is the row where they begin."""

    rows: NDArray[np.float32]
    labels: Labels
    known: NDArray[np.bool_]
    first: int

    def later(self, close_times: IntArray, trained_until: int) -> NDArray[np.bool_]:
        """Return which rows can be judged on, for a model trained until then too."""
        found: NDArray[np.bool_] = self.known & (np.arange(len(close_times)) >= self.first)
        return found & (close_times > trained_until)


def learn(request: TrainRequest, market: Market, registry: Registry, progress: Progress) -> ModelVersion:
    """Train on all but the newest bars, keep the model, and appoint it if it beats who votes on those.

    `progress` hears of the share that is done, and may raise to stop it; nothing is kept then. The version returned has
    its status, and in `detail` what the comparison came to.

    Raises
    ------
    BadInput
        Too few candles, or settings that are not allowed.
    """
    from models.training import train

    progress(0.0, "features")
    window = judge_window(request, market)
    earlier = market.candles[:window.first]
    try:
        trained = train(earlier, request, market.spec, lambda share, stage: progress(0.02 + 0.93 * share, stage))
    except BadInput as error:
        if len(market.candles) >= bars_for(request.settings):
            raise
        raise _too_few(request, len(market.candles), len(market.candles) - window.first) from error
    progress(0.96, "judging")
    verdict = _verdict(request, trained, _opponent(registry, request), window, market)
    progress(0.98, "saving")
    version = registry.save(trained, request, reference_of(window.rows[:window.first]).document(),
                            market.origin)
    return _settled(registry, version, verdict)


def judge_window(request: TrainRequest, market: Market) -> Window:
    """Return the newest 500 bars (more for long labels) with features and a closed answer, at most a fifth of all.

    Raises
    ------
    BadInput
        There are none.
    """
    rows = matrix(market.candles)
    labels = make_labels(market.candles, request.settings, request.costs)
    known = np.isfinite(rows).all(axis=1) & labels.known
    places = np.flatnonzero(known)
    n_judged = min(_most_judged(request.settings), int(JUDGE_SHARE * len(places)))
    if n_judged == 0:
        raise _too_few(request, len(rows), n_judged)
    return Window(rows, labels, known, int(places[-n_judged]))


def _reach(settings: ModelSettings) -> int:
    return 1 if settings.label == "next_bar" else settings.horizon


def _most_judged(settings: ModelSettings) -> int:
    return max(JUDGE_BARS, JUDGED_SPANS * _reach(settings))


def bars_for(settings: ModelSettings) -> int:
    """Return about how many bars a training needs in all.

    The first of `n_folds + 1` equal parts has to hold the fewest labels that can be fitted after the purge and the
    embargo, behind it and before the calibration; the bars that are held back and the features' warm-up come on top.
    """
    from models.ensemble import MIN_ROWS

    reach = _reach(settings)
    seen = (settings.n_folds + 1) * (MIN_ROWS + 2 * (settings.embargo_bars + reach))
    labelled = min(ceil(seen / (1 - JUDGE_SHARE)), seen + _most_judged(settings))
    return bars_needed(FEATURES) + labelled + reach


def _too_few(request: TrainRequest, n_bars: int, n_judged: int) -> BadInput:
    """Say where the bars go, and how many there have to be."""
    settings = request.settings
    return BadInput(
        f"{request.symbol} {request.interval}: {n_bars:,} bars are too few. The first {bars_needed(FEATURES)} warm up "
        f"the features, the newest {n_judged:,} are held back for judging ({_most_judged(settings):,}, or a fifth of "
        f"fewer), the rest is cut into {settings.n_folds + 1} parts with {settings.embargo_bars} bars of embargo; "
        f"about {bars_for(settings):,} are needed in all. Import or download more, or choose a shorter timeframe, "
        "fewer folds or a shorter embargo")


def check_drift(registry: Registry, market: Market, checked: int) -> Drift:
    """Return what became of a market's champion on the bars since it was trained; `checked` is now, UTC ms."""
    symbol, interval = market.candles.symbol, market.candles.interval
    version = registry.champion(symbol, interval)
    if version is None:
        return _unknown("no model votes here", checked)
    try:
        stored = registry.stored(version.id)
    except ModelRefused as error:
        return _unknown(str(error), checked)
    if stored.reference is None:
        return _unknown("it was kept without a picture of its features", checked)
    rows, close_times = matrix(market.candles), _close_times(market)
    since = close_times > version.trained_until
    labels = make_labels(market.candles, version.settings, CostSettings(**stored.request["costs"]))
    recent = Recent(rows[since], stored.ensemble.probability(rows[since]), labels.y[since], _spans(labels)[since])
    names = [(feature.name, feature.label) for feature in FEATURES]
    return drift(Reference.of(stored.reference), recent, names, version.figures.get("accuracy"), checked)


def _opponent(registry: Registry, request: TrainRequest) -> tuple[Stored | None, str]:
    """Return who votes now, or nobody and why."""
    version = registry.champion(request.symbol, request.interval)
    if version is None:
        return None, ""
    try:
        return registry.stored(version.id), ""
    except ModelRefused as error:
        return None, f"the champion cannot be used ({error})"


def _verdict(request: TrainRequest, trained: Any, opponent: tuple[Stored | None, str], window: Window,
             market: Market) -> Verdict:
    champion, trouble = opponent
    said = trained.ensemble.probability(window.rows)
    until = trained.trained_until
    if champion is None or not _same_question(champion, request, market.origin):
        verdict = _compared(_constant(said, trained.ensemble.base_rate), said, window, market, until)
        if champion is not None:
            detail = f"answers another question than the champion ({verdict.detail}); appoint it by hand if you want it"
            return Verdict(False, verdict.p_value, verdict.n, detail, verdict.loss, verdict.opponent_loss)
        return verdict if not trouble else Verdict(verdict.promote, verdict.p_value, verdict.n,
                                                   f"{verdict.detail}; {trouble}", verdict.loss, verdict.opponent_loss)
    theirs = champion.ensemble.probability(window.rows)
    return _compared(theirs, said, window, market, max(until, champion.version.trained_until), "the champion")


def _compared(opponent: FloatArray, challenger: FloatArray, window: Window, market: Market, until: int,
              name: str = BASE_RATE) -> Verdict:
    later = window.later(_close_times(market), until)
    return judge(opponent[later], challenger[later], window.labels.y[later], _spans(window.labels)[later], name)


def _settled(registry: Registry, version: ModelVersion, verdict: Verdict) -> ModelVersion:
    """Appoint or refuse, once."""
    office = registry.office(version.symbol, version.interval)
    reason = verdict.detail
    promote = verdict.promote and not version.leaks
    if verdict.promote and version.leaks:
        reason = f"not appointed by itself: {version.leaks[0]} ({verdict.detail})"
    if version.id != office.champion and office.said.get(version.id) != reason:
        registry.appoint(version.id, "promoted" if promote else "refused", reason)
    return registry.version(version.id)


def _same_question(champion: Stored, request: TrainRequest, origin: str) -> bool:
    """Return whether two models' answers mean the same; the simulated market says nothing of a real one."""
    theirs, settings = champion.version.settings, request.settings
    if origin and not champion.version.origin:
        return False
    if theirs.label != settings.label or settings.label == "next_bar":
        return theirs.label == settings.label
    decisive: Mapping[str, tuple[str, ...]] = {"horizon": ("horizon",),
                                               "triple_barrier": ("horizon", "stop_atr", "target_atr")}
    same_costs = asdict(request.costs) == champion.request["costs"]
    return same_costs and all(asdict(theirs)[name] == asdict(settings)[name] for name in decisive[settings.label])


def _constant(like: FloatArray, value: float) -> FloatArray:
    return np.full(len(like), value)


def _close_times(market: Market) -> IntArray:
    from trading.domain import INTERVAL_MS

    times: IntArray = market.candles.open_time + INTERVAL_MS[market.candles.interval] - 1
    return times


def _spans(labels: Labels) -> IntArray:
    spans: IntArray = np.maximum(1, labels.end - np.arange(len(labels.end)))
    return spans


def _unknown(detail: str, checked: int) -> Drift:
    return Drift("unknown", detail, checked, 0, None, None, None, None)
