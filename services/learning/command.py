"""`--mode train`: from typed words to a kept model, a table and a JSON document."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from models.packing import plain
from models.registry import Registry
from services.backtests.command import progress_bar
from services.candles import between, existing, file_candles
from services.documents import write_document
from services.importing.names import named
from services.learning.ask import Progress, learn
from services.learning.markets import Market
from services.runs import named_profile
from services.settings import Settings
from services.symbols import specs_for
from services.version import training_version
from storage.candle_store import CandleStore
from trading.domain import Candles, split_symbol
from trading.domain.learning import ModelReport, ModelSettings, ModelVersion, TrainRequest
from trading.errors import BadInput
from trading.folding import divides

Document = dict[str, Any]
SHOWN = ("accuracy", "n", "baseline", "split_accuracy", "auc", "brier", "ece", "total_return", "benchmark_return",
         "n_trades")


def run_train(settings: Settings, chosen: Namespace) -> int:
    """Train on each symbol's candles, keep and judge the models, and say what they are worth."""
    registry = Registry(settings.models_dir, training_version())
    symbols = _symbols(settings, chosen)
    documents = []
    with progress_bar() as progress:
        for number, symbol in enumerate(symbols):
            documents.append(_one(settings, chosen, symbol, registry, _part(progress, number, len(symbols), symbol)))
    if chosen.json:
        write_document(documents[0] if len(documents) == 1 else documents, chosen.json)  # type: ignore[arg-type]
    if chosen.json != "-":
        print("\n\n".join("\n".join(_lines(document)) for document in documents))
    return 0


def train_document(version: ModelVersion, report: ModelReport, request: TrainRequest) -> Document:
    """Return what is known of a model as JSON values; nothing in it depends on the wall clock.

    `status` and `verdict` depend on who voted when it was trained.
    """
    figures = {name: _finite(value) for name, value in report.figures.items()}
    named_ones = {name: figures.get(name) for name in ("accuracy", "baseline", "brier", "auc", "ece", "split_accuracy")}
    return {
        **named_ones, "n": int(figures.get("n") or 0),
        "accuracy_interval": [figures.get("accuracy_low"), figures.get("accuracy_high")],
        "version": version.id, "status": version.status, "votes": version.votes, "verdict": version.detail,
        "figures": figures, "folds": plain(report.folds), "calibration": plain(report.calibration),
        "confusion": plain(report.confusion), "importance": plain(report.importance), "leaks": list(report.leaks),
        "notes": list(report.notes), "trained_from": version.trained_from, "trained_until": version.trained_until,
        "n_bars": version.n_bars, "settings": plain(asdict(request)),
        "hashes": {"data": version.data_hash, "features": version.features_hash, "code": version.code},
    }


def _symbols(settings: Settings, chosen: Namespace) -> tuple[str, ...]:
    path = existing(chosen.data) if chosen.data else None
    told = named(path)[0] if path and not path.is_dir() else None
    if not chosen.assets and told is None:
        raise BadInput("--mode train needs a symbol, such as --asset BTCUSDT")
    if not chosen.assets:
        return (str(told),)
    if told and (told,) != settings.assets:
        raise BadInput(f"{chosen.data} holds {told} by its name, not {', '.join(settings.assets)}; "
                       "correct --asset or --data")
    return settings.assets


def _one(settings: Settings, chosen: Namespace, symbol: str, registry: Registry, progress: Progress) -> Document:
    candles = _candles(settings, chosen, symbol)
    built = ModelSettings(label=chosen.label, seed=settings.seed) if chosen.label else ModelSettings(seed=settings.seed)
    request = TrainRequest(symbol, candles.interval, chosen.start, chosen.end, built, settings.costs,
                           named_profile(settings.profile))
    market = Market(candles, specs_for([symbol], {symbol: candles})[symbol])
    version = learn(request, market, registry, progress)
    return train_document(version, registry.report(version.id), request)


def _candles(settings: Settings, chosen: Namespace, symbol: str) -> Candles:
    """Return the candles of `--data` or the store, at `--interval`, else at the cockpit's own if they fold into it."""
    if chosen.data:
        return between(file_candles(Path(chosen.data), symbol, chosen.interval)[0], chosen.start, chosen.end)
    store = CandleStore(settings.candles_dir)
    base = store.smallest_interval(symbol)
    if base is None:
        raise BadInput(f"no stored candles of {symbol}: import or download some, or give --data FILE")
    own = settings.interval if divides(base, settings.interval) else base
    return between(store.read(symbol, chosen.interval or own), chosen.start, chosen.end)


def _part(progress: Progress, number: int, total: int, symbol: str) -> Progress:
    display = "/".join(split_symbol(symbol))
    return lambda share, stage: progress((number + share) / total, f"{display}: {stage}")


def _finite(value: float | None) -> float | None:
    return value if value is None or isfinite(value) else None


def _lines(document: Document) -> list[str]:
    """Return a table for a person; suspected leaks come on standard error too."""
    for leak in document["leaks"]:
        print(leak, file=sys.stderr)
    figures = document["figures"]
    low, high = document["accuracy_interval"]
    lines = [f"{name:<20} {_figure(figures.get(name))}" for name in SHOWN]
    lines.insert(1, f"{'95 % interval':<20} {_figure(low)} to {_figure(high)}")
    return [f"{'version':<20} {document['version']}", *lines, f"{'status':<20} {document['status']}",
            f"{'verdict':<20} {document['verdict']}"]


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) > 1 else f"{value:.4f}"
