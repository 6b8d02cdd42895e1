"""Invented models with their reports: one worth a look, one no better than guessing, one that saw the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.fakes.fake_market import FIRST_MS, LAST_MS
from trading.domain import ModelStatus
from trading.domain.backtests import BacktestCurve
from trading.domain.learning import (
    Appointment,
    CalibrationBin,
    Drift,
    FeatureDrift,
    Fold,
    Importance,
    ModelReport,
    ModelSettings,
    ModelVersion,
    TrainingRun,
)

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FEATURES = (
    ("rsi_14", "RSI 14"), ("return_1", "Return, 1 bar"), ("atr_share", "ATR 14 of price"), ("ema_gap", "EMA 12 – 34"),
    ("volume_z", "Volume, z-score 50"), ("macd_hist", "MACD histogram"), ("vwap_gap", "Distance to VWAP"),
    ("return_24", "Return, 24 bars"), ("bb_width", "Bollinger width"), ("hour_sin", "Hour of day, sine"),
    ("adx_14", "ADX 14"), ("range_share", "Range of the bar"), ("weekday", "Day of week"), ("mfi_14", "MFI 14"),
)
LEAK = "accuracy 71.8 % of 12,480 forecasts is above the 58 % that liquid markets allow"


def figures(accuracy: float, n: int, total_return: float) -> dict[str, float | None]:
    """Return figures of merit around an accuracy."""
    half = 1.96 * (accuracy * (1 - accuracy) / n) ** 0.5
    skill = accuracy - 0.512
    return {
        "accuracy": accuracy, "accuracy_low": accuracy - half, "accuracy_high": accuracy + half, "n": float(n),
        "baseline": 0.512, "baseline_rule": 0.487, "base_rate": 0.508, "auc": 0.5 + 1.3 * skill,
        "brier": 0.2499 - 0.06 * skill, "brier_baseline": 0.2499, "ece": 0.011, "log_loss": 0.6929 - 0.1 * skill,
        "log_loss_baseline": 0.6930, "split_accuracy": accuracy - 0.004, "total_return": total_return,
        "benchmark_return": 0.614, "sharpe": total_return * 4, "max_drawdown": -0.127, "n_trades": 412.0,
        "enter_above": 0.541, "exit_below": 0.503,
    }


def report(accuracy: float = 0.531, total_return: float = -0.034, leaks: tuple[str, ...] = (),
           seed: int = 1) -> ModelReport:
    """Return what a training might have found."""
    draw = np.random.default_rng(seed)
    made = figures(accuracy, 12_480, total_return)
    importance = tuple(
        Importance(key, label, 0.0031 * 0.74**i - 0.0002, 0.0006 + 0.0004 * draw.random())
        for i, (key, label) in enumerate(FEATURES)
    )
    n = np.array([210, 980, 2_740, 4_120, 2_890, 1_190, 350])
    said = np.array([0.43, 0.46, 0.485, 0.507, 0.529, 0.552, 0.583])
    bins = tuple(_bin(float(s), int(k), float(draw.normal(0, 0.012))) for s, k in zip(said, n, strict=True))
    right = round(12_480 * accuracy)
    confusion = ((right // 2 - 300, 12_480 // 2 - right // 2 + 120), (12_480 // 2 - right // 2 - 120, right // 2 + 300))
    notes = ("the account followed forecasts with the risk profile Balanced, commission, spread and slippage",)
    return ModelReport(made, _folds(draw, accuracy), bins, confusion, importance, _curve(draw, total_return), leaks,
                       notes)


def _bin(said: float, n: int, miss: float) -> CalibrationBin:
    came = said * 0.7 + 0.508 * 0.3 + miss
    half = 1.96 * (came * (1 - came) / n) ** 0.5
    return CalibrationBin(said, came, came - half, came + half, n)


def _folds(draw: np.random.Generator, accuracy: float) -> tuple[Fold, ...]:
    first, length = FIRST_MS + 160 * DAY_MS, 120 * DAY_MS
    folds = []
    for i in range(6):
        start = first + i * length
        hit = accuracy + float(draw.normal(0, 0.011))
        folds.append(Fold(FIRST_MS, start - 24 * HOUR_MS, start, start + length, 2_080, hit,
                          0.51 + float(draw.normal(0, 0.006)), 0.5 + 1.3 * (hit - 0.51), 0.2485, 0.018, (0.44, 0.56),
                          float(draw.normal(-0.005, 0.03)), 68))
    return tuple(folds)


def _curve(draw: np.random.Generator, total_return: float) -> BacktestCurve:
    n = 900
    time = np.linspace(FIRST_MS + 160 * DAY_MS, LAST_MS, n).astype(np.int64)

    def bridge(end: float, spread: float) -> np.ndarray:
        steps = np.cumsum(draw.normal(0, spread, n))
        return np.asarray(10_000 * np.exp(steps - steps[-1] * np.linspace(0, 1, n) + end * np.linspace(0, 1, n)))

    equity, hold = bridge(np.log1p(total_return), 0.004), bridge(np.log1p(0.614), 0.013)
    drawdown = equity / np.maximum.accumulate(equity) - 1
    none = np.empty(0)
    return BacktestCurve(time, equity, hold, drawdown, np.full(n, 0.2), none, none)


def version(number: int, symbol: str = "BTCUSDT", interval: str = "1h", status: str = "challenger",
            **changes: object) -> ModelVersion:
    """Return a version as the registry lists it, `number` days apart."""
    made = ModelVersion(
        f"{symbol}-{interval}-2024-06-{number:02d}-7f3a", symbol, interval, LAST_MS - (20 - number) * DAY_MS, FIRST_MS,
        LAST_MS - (20 - number) * DAY_MS, 21_767, "9f2c1e77a0b41d35", "c0ffee1234567890", "0.1.0 4fd1a9",
        ModelSettings(), figures(0.52 + 0.001 * number, 12_480, -0.10 + 0.006 * number), status, status == "champion",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def versions(symbol: str = "BTCUSDT", interval: str = "1h") -> tuple[ModelVersion, ...]:
    """Return a market's versions, newest first."""
    leaky = {"figures": figures(0.718, 12_480, 4.2), "leaks": (LEAK,), "settings": ModelSettings("triple_barrier")}
    broken = {"detail": "forest.skops does not match its hash: train again or restore the file"}
    guess = {"figures": figures(0.509, 12_480, -0.212)}
    return (
        version(19, symbol, interval, **leaky),
        version(14, symbol, interval, **guess),
        version(11, symbol, interval, "champion"),
        version(7, symbol, interval, "retired", settings=ModelSettings("horizon", horizon=24)),
        version(3, symbol, interval, "broken", **broken),
    )


def appointments(symbol: str = "BTCUSDT", interval: str = "1h") -> tuple[Appointment, ...]:
    """Return a market's changes of champion, newest first."""
    newest, guess, champion, before, _ = (v.id for v in versions(symbol, interval))
    rows = (
        (19, newest, champion, "refused", LEAK),
        (14, guess, champion, "refused", "not better on 500 later bars: p = 0.81, log loss 0.6934 against 0.6925"),
        (11, champion, before, "promoted", "better on 500 later bars: p = 0.031, log loss 0.6921 against 0.6929"),
        (7, before, "", "by hand", "looked fine"),
    )
    return tuple(Appointment(LAST_MS - (20 - d) * DAY_MS, symbol, interval, v, b, k, r) for d, v, b, k, r in rows)


def drift(state: str = "watch") -> Drift:
    """Return what a check might have found."""
    moved = tuple(FeatureDrift(key, label, 0.31 * 0.72**i) for i, (key, label) in enumerate(FEATURES))
    detail = {
        "watch": "ATR 14 of price moved: the market is calmer than in training",
        "drifted": "accuracy fell below what its interval allows; train again",
        "steady": "nothing moved beyond what chance does",
        "unknown": "41 bars since training; 100 are needed to say something",
    }[state]
    return Drift(state, detail, LAST_MS - 3 * HOUR_MS, 216, 0.519, 0.453, 0.584, 0.531, moved)


def trainings(symbol: str = "BTCUSDT", interval: str = "1h") -> tuple[TrainingRun, ...]:
    """Return a market's trainings, newest first."""
    newest, guess, champion, before, _ = (v.id for v in versions(symbol, interval))
    rows = (
        (19, 41.2, "done", "by hand", newest, "challenger: suspected leak"),
        (17, 3.1, "cancelled", "by hand", "", ""),
        (14, 38.9, "done", "schedule", guess, "challenger: not better than the champion (p = 0.81)"),
        (12, 12.0, "failed", "schedule", "", "the process that runs trainings ended (-9); choose fewer bars"),
        (11, 40.3, "done", "schedule", champion, "promoted (p = 0.031)"),
        (7, 36.6, "done", "by hand", before, ""),
    )
    return tuple(
        TrainingRun(f"{symbol}-{interval}-{d}", symbol, interval, LAST_MS - (20 - d) * DAY_MS, s, state, why, v, detail)
        for d, s, state, why, v, detail in rows
    )


def status(symbol: str = "BTCUSDT", state: str = "voting", probability: float | None = 0.557) -> ModelStatus:
    """Return what the first page hears of a champion."""
    top = (("RSI 14", 0.082), ("Return, 1 bar", -0.051), ("ATR 14 of price", 0.044), ("EMA 12 – 34", -0.021),
           ("Volume, z-score 50", 0.012))
    detail = {"voting": "", "warming": "112 of 250 bars seen", "failed": "forest.skops does not match its hash",
              "abstaining": "this bar was part of training"}[state]
    voting = state == "voting"
    return ModelStatus(symbol, f"{symbol[:-4]}/USDT", version(11, symbol).id, state, detail, LAST_MS,
                       probability if voting else None, 1.0 if voting else None, figures(0.531, 12_480, -0.034),
                       top if voting else ())
