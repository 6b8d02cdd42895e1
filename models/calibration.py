"""Turn a vote into a probability that comes true as often as it says (Platt 1999), or into the base rate.

p = sigmoid(slope * log odds of the vote + shift). The slope is held at or above 0: where later bars show that high
votes came true less often than low ones, the vote has no skill, and the honest answer is the base rate for every bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from trading.domain import FloatArray

N_STEPS = 50
CLOSE_ENOUGH = 1e-10
EDGE = 1e-12
MOST = 50.0
"""A slope above this says yes or no; a slice that the vote separates without a fault has no finite best slope."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The two numbers of a Platt calibration."""

    slope: float
    shift: float


def platt(vote: FloatArray, y: NDArray[np.int8], weight: FloatArray) -> Calibration:
    """Fit on votes `(n,)` of bars later than those that the members were fitted on, by Newton's method.

    The two targets are Platt's, (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), so that few bars do not say 0 or 1.
    """
    target = _targets(y, weight)
    held = np.clip(vote, EDGE, 1.0 - EDGE)
    odds = np.log(held) - np.log1p(-held)
    if float(np.ptp(odds)) < CLOSE_ENOUGH:
        return base_rate_only(y, weight)
    middle, spread = float(odds.mean()), float(odds.std())
    slope, shift = _newton((odds - middle) / spread, target, weight)
    slope = min(slope / spread, MOST)
    return base_rate_only(y, weight) if slope <= 0.0 else Calibration(slope, shift - slope * middle)


def base_rate_only(y: NDArray[np.int8], weight: FloatArray) -> Calibration:
    """Return the calibration that says the same of every bar: how often it came true here."""
    share = float((_targets(y, weight) * weight).sum() / weight.sum())
    return Calibration(0.0, log(share / (1.0 - share)))


def _targets(y: NDArray[np.int8], weight: FloatArray) -> FloatArray:
    ones = float(weight[y == 1].sum())
    zeros = float(weight.sum()) - ones
    return np.where(y == 1, (ones + 1.0) / (ones + 2.0), 1.0 / (zeros + 2.0))


def _newton(x: FloatArray, target: FloatArray, weight: FloatArray) -> tuple[float, float]:
    slope, shift, best = 0.0, 0.0, np.inf
    step = np.zeros(2)
    for _ in range(N_STEPS):
        tried = slope + float(step[0]), shift + float(step[1])
        at = _loss(x, target, weight, *tried)
        if at > best:  # overshot: half the step
            step = step / 2.0
            continue
        gained, best = best - at, at
        slope, shift = tried
        if gained < CLOSE_ENOUGH * float(weight.sum()):
            break
        step = _step(x, target, weight, slope, shift)
    return float(slope), float(shift)


def _loss(x: FloatArray, target: FloatArray, weight: FloatArray, slope: float, shift: float) -> float:
    value = slope * x + shift
    return float((weight * (np.logaddexp(0.0, value) - target * value)).sum())


def _step(x: FloatArray, target: FloatArray, weight: FloatArray, slope: float, shift: float) -> FloatArray:
    p = 1.0 / (1.0 + np.exp(-np.clip(slope * x + shift, -500.0, 500.0)))
    error, bend = weight * (target - p), weight * p * (1.0 - p) + 1e-12
    hessian = np.array([[(bend * x * x).sum(), (bend * x).sum()], [(bend * x).sum(), bend.sum()]])
    step: FloatArray = np.linalg.solve(hessian + np.eye(2) * 1e-9, np.array([(error * x).sum(), error.sum()]))
    return step
