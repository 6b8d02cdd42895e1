"""`--mode optimize`: from typed words to a champion, its verdict and a JSON document."""

from __future__ import annotations

import hashlib
import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from services.automl.codec import request_document
from services.automl.counting import TRIALS, leave_trials
from services.automl.journal import take_in
from services.automl.study import check_study, run_study, study_key
from services.backtests.command import progress_bar, typed_candles
from services.backtests.document import write_text
from services.backtests.keeper import Keeper
from services.backtests.markets import Loaded
from services.backtests.spread import Hands
from services.runs import named_profile
from services.settings import Settings
from services.strategies import find_strategy, to_document
from services.version import VERSION, code_version
from storage.backtest_store import BacktestStore
from storage.database import Database
from storage.instance import InstanceLock
from storage.study_store import StudyStore
from trading.domain.studies import StudyRequest, StudyView
from trading.errors import AlreadyRunning, BadInput

DEFAULT_BUDGET, DEFAULT_SEED = 200, 7


def optimize(settings: Settings, chosen: Namespace) -> int:
    """Search, tell the champion and the verdict; 130 when it was stopped and can go on."""
    loaded = typed_candles(settings, chosen)
    request = check_study(typed_study(settings, chosen, loaded))
    key = study_key(request, loaded)
    folder = settings.data_dir / "studies" / key
    try:
        with progress_bar() as progress:
            view = run_study(request, loaded, folder, Hands(cluster=chosen.cluster or ""), progress)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    finally:
        count_trials(settings, folder)
    tell(chosen, view, loaded, folder)
    return 0


def typed_study(settings: Settings, chosen: Namespace, loaded: Loaded) -> StudyRequest:
    """Return the question of a command line."""
    search = chosen.search or "parameters"
    if chosen.short and search != "evolution":
        raise BadInput("--short is for --search evolution: only bred rules are tried long and short")
    wanted = search == "parameters" or settings.strategy
    strategy = find_strategy(settings.strategy or "", settings.data_dir) if wanted and search != "model" else None
    return StudyRequest(
        search=search, strategy=strategy.name if strategy else "", document=to_document(strategy) if strategy else {},
        symbols=tuple(candles.symbol for candles in loaded.candles), interval=loaded.candles[0].interval,
        start=chosen.start, end=chosen.end, costs=settings.costs, profile=named_profile(settings.profile),
        budget=DEFAULT_BUDGET if chosen.budget is None else chosen.budget,
        seed=DEFAULT_SEED if chosen.seed is None else chosen.seed, islands=max(2, len(loaded.candles)),
        short=chosen.short)


def study_document(view: StudyView, loaded: Loaded) -> dict[str, Any]:
    """Return what a search came to as JSON values, without anything of the clock or the machine."""
    champion = view.champion
    text = json.dumps(champion.document if champion else None, sort_keys=True)
    return {
        "search": view.request.search, "key": view.key, "n_trials": view.n_trials,
        "champion": champion.document if champion else None,
        "parameters": dict(champion.parameters) if champion else {},
        "inside": dict(champion.inside) if champion else {}, "outside": dict(champion.outside) if champion else {},
        "gate": None if view.gate is None else {
            "passed": view.gate.passed,
            "lines": [{"question": question, "answer": said, "passed": passed}
                      for question, said, passed in view.gate.lines]},
        "history": view.history.tolist(), "notes": list(view.notes), "request": request_document(view.request),
        "hashes": {"champion": hashlib.sha256(text.encode()).hexdigest(),
                   "candles": {candles.symbol: candles.content_hash() for candles in loaded.candles}},
        "versions": {"cockpit": VERSION, "code": code_version()},
    }


def tell(chosen: Namespace, view: StudyView, loaded: Loaded, folder: Path) -> None:
    """Write the documents, and a table unless the document goes to standard output."""
    if chosen.json:
        text = json.dumps(study_document(view, loaded), separators=(",", ":"), sort_keys=True) + "\n"
        sys.stdout.write(text) if chosen.json == "-" else write_text(text, chosen.json)
    if chosen.out:
        write_text((folder / "champion.json").read_text(encoding="utf-8"), chosen.out)
    if chosen.json != "-":
        print("\n".join(_lines(view)))
        print(f"{'key':<20} {view.key}")
    for note in view.notes:
        print(f"note: {note}", file=sys.stderr)


def count_trials(settings: Settings, folder: Path) -> None:
    """Enter every candidate as a trial of the best idea, and the journal into the database, also of what was stopped.

    While a cockpit holds the data folder both are left for it to take in.
    """
    backtests = settings.data_dir / "backtests"
    leave_trials(folder, backtests)
    if not (folder / TRIALS).exists():
        return
    lock = InstanceLock(settings.data_dir)
    try:
        lock.acquire("a search")
    except AlreadyRunning:
        print("note: a cockpit uses this data folder: it counts there what was tried", file=sys.stderr)
        return
    database = Database(settings.database_path, settings.database_url)
    try:
        database.open()
        Keeper(BacktestStore(database), backtests).counted()
        take_in(StudyStore(database), folder)
    finally:
        database.close()
        lock.release()


def verdict_of(view: StudyView) -> str:
    """Return in words what a champion's answers come to."""
    if view.is_proven:
        return "may be promoted"
    assert view.gate is not None
    return "passed, for research only: spot cannot sell short" if view.gate.passed else "not promoted"


def _lines(view: StudyView) -> list[str]:
    champion = view.champion
    if champion is None:
        return [f"{view.n_trials:,} candidates, none could be judged on every window"]
    found = [f"{'champion':<20} {champion.name}", f"{'candidates':<20} {view.n_trials:,}"]
    for name in ("sharpe", "total_return", "max_drawdown", "n_trades"):
        inside, outside = champion.inside.get(name), champion.outside.get(name)
        found.append(f"{name:<20} inside {_number(inside)}   untouched {_number(outside)}")
    assert view.gate is not None
    found += [f"{'yes' if passed else 'NO':<4} {question} {said}" for question, said, passed in view.gate.lines]
    return [*found, f"{'verdict':<20} " + verdict_of(view)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}"
