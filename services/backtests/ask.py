"""One question from candles to answer: a run, a sweep with its best run, or a walk-forward."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.backtests.codec import encoded
from services.backtests.figures import sharpe_sample
from services.backtests.grid import Grid, own_grid, parse_grid
from services.backtests.keeper import Outcome
from services.backtests.lineage import Ground, Trial, ground_of, parameters_hash
from services.backtests.markets import Loaded
from services.backtests.picture import Findings, picture
from services.backtests.rows import Work, period_count
from services.backtests.spread import Hands
from services.backtests.sweep import Progress, Swept, plateau_of, sweep
from services.backtests.trial import Bench, bench_of, kill_reason, notes_of, run
from services.backtests.walk import DAY_MS, Walked, walk, windows_of
from services.runs import run_settings
from services.strategies import to_document
from services.version import VERSION, code_version
from trading.domain.backtests import BacktestRequest, BacktestView
from trading.errors import BadInput
from trading.metrics import SharpeSample


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a question came to. `simulation` has the columns of a `Simulation`; `trials` were tried on `ground`."""

    bench: Bench
    simulation: Any
    view: BacktestView
    settings: dict[str, Any]
    versions: dict[str, Any]
    ground: Ground
    trials: list[Trial]
    sample: SharpeSample | None
    parameters: dict[str, float]

    def outcome(self, question: str, source: str) -> Outcome:
        """Return the answer without its columns."""
        return Outcome(self.view, self.ground, self.trials, self.sample, self.parameters, encoded(self.view), question,
                       source)


def ask(request: BacktestRequest, loaded: Loaded, hands: Hands, target: Path | None, progress: Progress) -> Answer:
    """Answer a question; `progress` hears of the share that is done, and may raise to stop it.

    Raises
    ------
    BadInput
        The question does not fit the candles or the strategy.
    """
    bench = bench_of(request, loaded)
    settings, versions = settings_of(request, bench), versions_of(bench)
    ground = ground_of(request.document, bench.candles, versions["candles"])
    progress(0.02, "candles are ready")
    if not request.sweep and not request.train_days:
        return _single(request, bench, (settings, versions, ground), loaded.notes)
    grid = parse_grid(request.sweep) if request.sweep else own_grid(bench.strategies[0].parameters)
    check_names(grid, bench)
    windows = windows_of(bench.candles, request.train_days, request.test_days) if request.train_days else ()
    work = Work(bench, grid, period_count(len(bench.tape.time), len(grid)), windows)
    about = {"hashes": hashes_of(settings, versions), "settings": settings}
    swept = sweep(work, hands, target, about, progress)
    shown = _walked(request, work, swept, loaded.notes) if windows else _best(request, work, swept, loaded.notes)
    chosen, simulation, found = shown
    last = dict(found.windows[-1].parameters) if windows else grid.combination(swept.best)
    view = picture(request, chosen, simulation, found)
    return _answer(view, chosen, simulation, (settings, versions, ground), swept.trials(ground), last)


def check_names(grid: Grid, bench: Bench) -> None:
    """Refuse a grid of parameters that the strategy does not have."""
    strategy = bench.strategies[0]
    unknown = [name for name in grid.names if name not in strategy.parameters]
    if unknown:
        has = ", ".join(strategy.parameters) or "none"
        raise BadInput(f"{unknown[0]!r} is no parameter of {strategy.name}; it has {has}")


def settings_of(request: BacktestRequest, bench: Bench) -> dict[str, Any]:
    """Return what decides the outcome, as JSON values; a sweep or walk-forward is part of it."""
    settings = run_settings(bench.strategies, bench.interval, request.capital, bench.setup.profile, request.costs)
    asked = {"sweep": request.sweep, "train_days": request.train_days, "test_days": request.test_days}
    return settings | {name: value for name, value in asked.items() if value}


def versions_of(bench: Bench) -> dict[str, Any]:
    """Return the versions of code and candles."""
    return {"cockpit": VERSION, "code": code_version(), "candles": {c.symbol: c.content_hash() for c in bench.candles}}


def hashes_of(settings: Mapping[str, Any], versions: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of candles, strategy, settings and code."""
    rest = {name: value for name, value in settings.items() if name != "strategy"}
    return {"candles": digest(versions["candles"]), "strategy": digest(settings["strategy"]), "settings": digest(rest),
            "code": f"{versions['cockpit']} {versions['code']}"}


def key_of(hashes: Mapping[str, str]) -> str:
    """Return the key of a run: the hash of its hashes."""
    return digest(dict(hashes))


def digest(value: Any) -> str:
    """Return a short hash of JSON values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


_Known = tuple[dict[str, Any], dict[str, Any], Ground]


def _single(request: BacktestRequest, bench: Bench, known_facts: _Known, notes: tuple[str, ...]) -> Answer:
    simulation = run(bench)
    view = picture(request, bench, simulation, Findings({}, (*notes, *notes_of(bench, simulation))))
    sample = sharpe_sample(bench, simulation)
    name = parameters_hash(to_document(bench.strategies[0]), bench.setup.profile, bench.setup.costs)
    trial = known_facts[2].trial(name, sample.sharpe if sample else None)
    return _answer(view, bench, simulation, known_facts, [trial])


def _best(request: BacktestRequest, work: Work, swept: Swept,
          notes: tuple[str, ...]) -> tuple[Bench, Any, Findings]:
    bench = work.bench.with_parameters(swept.grid.combination(swept.best))
    simulation = run(bench)
    said = (*notes, *_sweep_notes(swept), *notes_of(bench, simulation))
    return bench, simulation, Findings({"pbo": swept.pbo}, said, plateau_of(swept))


def _walked(request: BacktestRequest, work: Work, swept: Swept,
            notes: tuple[str, ...]) -> tuple[Bench, Any, Findings]:
    found = walk(work, swept.rows)
    figures = {"pbo": swept.pbo, "oos_ratio": found.ratio, "n_windows": float(len(found.windows))}
    n = len(found.windows)
    said = [*notes, f"out of sample: {n} window{'s' * (n != 1)} of {request.test_days} days{_stub(request, found)}, "
            f"each after {request.train_days} days of training on {len(work.grid)} candidates"]
    if found.run.n_killed:
        said.append(f"{kill_reason(work.bench)} in {found.run.n_killed} of the windows: a real account would have been "
                    "stopped for good at the first of them, while here each window starts with the drawdown counted "
                    "anew and what follows goes on trading")
    said += notes_of(work.bench, found.run)
    return work.bench, found.run, Findings(figures, tuple(said), plateau_of(swept), found.windows)


def _stub(request: BacktestRequest, found: Walked) -> str:
    """Say that the last window ends early."""
    last = found.windows[-1]
    days = (last.test_end - last.test_start) / DAY_MS
    return f" (the last one {days:.3g} days)" if days < request.test_days else ""


def _sweep_notes(swept: Swept) -> list[str]:
    refused = sum(not name for name in swept.rows.hashes)
    best = ", ".join(f"{name} {value:g}" for name, value in swept.grid.combination(swept.best).items())
    notes = [f"{len(swept.grid):,} combinations; shown is the best by Sharpe ratio: {best}"]
    if refused:
        notes.append(f"{refused:,} combinations are not allowed by the strategy and were not run")
    return notes


def _answer(view: BacktestView, bench: Bench, simulation: Any, known_facts: _Known, trials: list[Trial],
            parameters: dict[str, float] | None = None) -> Answer:
    settings, versions, ground = known_facts
    hashes = hashes_of(settings, versions)
    view = replace(view, key=key_of(hashes), hashes=hashes)
    return Answer(bench, simulation, view, settings, versions, ground, trials, sharpe_sample(bench, simulation),
                  parameters or {})


__all__ = ["Answer", "Grid", "ask", "digest", "hashes_of", "key_of", "settings_of", "versions_of"]
