"""A trained model as a signal source: it votes beside the rules on each closed bar, and says why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from models.features import FEATURES, FeatureStream
from trading.agents.quality import HitCounter
from trading.domain import (
    INTERVAL_MS,
    Action,
    Candle,
    Candles,
    IntArray,
    ModelStatus,
    Signal,
    SignalQuality,
    split_symbol,
)
from trading.domain.learning import ModelVersion
from trading.errors import BrokenInvariant
from trading.strategies.ruling import ACTIONS

NAME = "model"
KEPT_BARS = 5_000  # more than any feature remembers in float32
COMPACT_BARS = 500
N_TOP, N_SAID = 5, 3
DIRECTIONS = {Action.BUY: 1, Action.SELL: -1, Action.HOLD: 0}
LABELS = tuple(feature.label for feature in FEATURES)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Who votes on a market. `state`: none, loading, ready (with an ensemble) or failed; `detail` says why."""

    state: str
    version: ModelVersion | None = None
    ensemble: Any = None
    detail: str = ""


NOBODY = Standing("none")


class Shelf(Protocol):
    """Where the voting models stand ready; every method returns at once."""

    def standing(self, symbol: str, interval: str) -> Standing:
        """Return who votes on a market now."""
        ...

    def look(self, symbol: str, interval: str) -> None:
        """Take notice of appointments by other processes."""
        ...


class ModelSource:
    """Implements `trading.ports.SignalSource` for one symbol and interval. Bars must rise strictly in time.

    Which version votes is read once, before a bar is looked at: a decision never mixes two. Without one the source is
    silent. It buys where the calibrated probability is above the version's `enter_above`, sells below `exit_below`; the
    confidence is the probability of that class, 0 for a hold, which claims nothing. On bars that the version was
    trained on it abstains.
    """

    def __init__(self, symbol: str, interval: str, shelf: Shelf) -> None:
        self.name, self.symbol, self.interval = NAME, symbol, interval
        self.is_silent = True
        self._display = "/".join(split_symbol(symbol))
        self._shelf = shelf
        self._time = -1
        self._earlier = Candles.empty(symbol, interval)
        self._recent: list[Candle] = []
        self._stream: FeatureStream | None = None
        self._standing = NOBODY
        self._predictor: Any = None
        self._counter = HitCounter()
        self._status = self._stated("abstaining", f"no model votes on {self._display} {interval}", 0)

    @property
    def status(self) -> ModelStatus:
        """What the model said last; a version that was appointed since then votes from the next bar on."""
        now, said = self._shelf.standing(self.symbol, self.interval), self._status
        version = now.version.id if now.version is not None else ""
        if version == said.version and not (now.state == "failed" != said.state):
            return replace(said, detail=now.detail) if said.state == "voting" else said
        words = {"ready": ("warming", "votes from the next bar on"), "loading": ("warming", "being loaded"),
                 "failed": ("failed", now.detail), "none": ("abstaining", self._nobody())}
        return self._stated(*words[now.state], said.time, now)

    @property
    def quality(self) -> SignalQuality:
        """How often this version's signals were right on the next bar, since its training ended."""
        return self._counter.quality

    def warm_up(self, candles: Candles) -> None:
        """Take in earlier bars at once.

        Raises
        ------
        BrokenInvariant
            Bars of another symbol, or bars that do not come after what was taken in before.
        """
        if len(candles) == 0:
            return
        self._accept(candles.symbol, int(candles.open_time[0]), int(candles.open_time[-1]))
        if self._stream is not None:
            self._stream.warm_up(candles)
        self._earlier = _tail(self._bars().then(candles)) if len(self._earlier) or self._recent else _tail(candles)
        self._recent = []

    def on_candle(self, candle: Candle) -> Signal:
        """Take in one closed bar and advise.

        Raises
        ------
        BrokenInvariant
            A bar of another symbol, or one that does not come after the last.
        """
        self._accept(candle.symbol, candle.open_time, candle.open_time)
        self._shelf.look(self.symbol, self.interval)
        standing = self._shelf.standing(self.symbol, self.interval)
        self.is_silent = standing.state == "none"
        if standing is not self._standing:
            self._seat(standing)
        row = self._stream.push(candle) if self._stream is not None else None
        self._keep(candle)
        if standing.state != "ready" or standing.version is None or row is None:
            return self._without(standing, candle)
        try:
            return self._vote(standing.version, standing.ensemble, row, candle)
        except Exception as error:
            self._status = self._stated("failed", f"{type(error).__name__}: {error}", candle.close_time)
            raise

    def _accept(self, symbol: str, first: int, last: int) -> None:
        if symbol != self.symbol or first <= self._time:
            raise BrokenInvariant(f"model on {self.symbol} got a bar of {symbol} at {first}; it stands at {self._time}")
        self._time = last

    def _bars(self) -> Candles:
        return self._earlier.then(Candles.of(self._recent)) if self._recent else self._earlier

    def _keep(self, candle: Candle) -> None:
        self._recent.append(candle)
        if len(self._recent) >= COMPACT_BARS:
            self._earlier, self._recent = _tail(self._bars()), []

    def _seat(self, standing: Standing) -> None:
        """Let another version vote from this bar on; its record is that of the bars since its training."""
        if standing.ensemble is not None and standing.ensemble is self._standing.ensemble:
            self._standing = standing
            return
        self._standing, self._predictor, self._counter = standing, None, HitCounter()
        if standing.state != "ready" or standing.version is None:
            return
        stream, bars = FeatureStream(), _tail(self._bars())
        rows = stream.warm_up(bars)
        if self._stream is None:
            self._stream = stream
        self._predictor = standing.ensemble.compiled()
        since = _close_times(bars) > standing.version.trained_until
        if since.any():
            said = standing.ensemble.probability(rows[since])
            self._counter.count(standing.ensemble.directions(said), bars.close[since])

    def _without(self, standing: Standing, candle: Candle) -> Signal:
        state, detail = {"none": ("abstaining", self._nobody()), "loading": ("warming", "being loaded")}.get(
            standing.state, ("failed", standing.detail))
        reason = detail if standing.state == "none" else f"abstains: {detail}"
        return self._abstain(candle, state, detail, reason)

    def _nobody(self) -> str:
        return f"no model votes on {self._display} {self.interval}"

    def _abstain(self, candle: Candle, state: str, detail: str, reason: str, cold: bool = False) -> Signal:
        self._counter.settle(candle.close)
        self._status = self._stated(state, detail, candle.close_time)
        votes = {"forest": "warming up", "boost": "warming up"} if cold else {}
        return Signal(self.symbol, candle.close_time, self.name, Action.HOLD, 0.0, reason, votes)

    def _vote(self, version: ModelVersion, ensemble: Any, row: Any, candle: Candle) -> Signal:
        if candle.close_time <= version.trained_until:
            return self._abstain(candle, "abstaining", "part of training", "abstains: part of training")
        forecast = self._predictor.explain(row)
        if forecast is None:
            return self._abstain(candle, "warming", "not all features are known yet", "warming up", True)
        probability = float(forecast.probability)
        action = _action(probability, ensemble)
        self._counter.settle(candle.close)
        self._counter.expect(DIRECTIONS[action], candle.close)
        order = np.argsort(-np.abs(forecast.contributions), kind="stable")[:N_TOP]
        top = tuple((LABELS[place], float(forecast.contributions[place])) for place in order)
        stated = self._stated("voting", self._standing.detail, candle.close_time)
        self._status = replace(stated, probability=probability, agreement=float(forecast.agreement), top=top)
        forest, boost = forecast.members
        confidence = {Action.BUY: probability, Action.SELL: 1.0 - probability}.get(action, 0.0)
        return Signal(self.symbol, candle.close_time, self.name, action, confidence,
                      _reason(probability, ensemble, top),
                      {"version": version.id, "forest": f"{forest:.1%}", "boost": f"{boost:.1%}"},
                      {LABELS[place]: float(row[place]) / FEATURES[place].scale for place in order})

    def _stated(self, state: str, detail: str, time: int, standing: Standing | None = None) -> ModelStatus:
        version = (standing or self._standing).version
        if version is None:
            return ModelStatus(self.symbol, self._display, "", state, detail, time, None, None)
        live = self.quality if standing in (None, self._standing) else HitCounter().quality
        figures = {**version.figures, "live_n": float(live.n), "live_accuracy": live.rate, "live_low": live.low,
                   "live_high": live.high}
        return ModelStatus(self.symbol, self._display, version.id, state, detail, time, None, None, figures)


def _action(probability: float, ensemble: Any) -> Action:
    return ACTIONS[ensemble.direction(probability)]


def _reason(probability: float, ensemble: Any, top: tuple[tuple[str, float], ...]) -> str:
    settings = ensemble.settings
    what = {"next_bar": "a higher next close", "horizon": f"a gain after costs in {settings.horizon} bars",
            "triple_barrier": "the target before the stop"}[settings.label]
    parts = "; ".join(f"{label} {part:+.3f}" for label, part in top[:N_SAID] if part)
    said = (f"{probability:.1%} for {what} (buys above {ensemble.enter_above:.1%}, sells below "
            f"{ensemble.exit_below:.1%})")
    return f"{said}: {parts}" if parts else f"{said}: the base rate, no feature matters"


def _tail(candles: Candles) -> Candles:
    return candles[-KEPT_BARS:].map(np.array) if len(candles) > KEPT_BARS else candles


def _close_times(candles: Candles) -> IntArray:
    times: IntArray = candles.open_time + INTERVAL_MS[candles.interval] - 1
    return times
