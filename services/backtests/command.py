"""`--mode backtest`: from typed words to a table, a JSON document and a report."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from services.backtests.document import run_document, write_run
from services.backtests.markets import Loaded
from services.backtests.question import check_request, typed_request
from services.backtests.table import figure_lines, note_lines
from services.backtests.trial import Bench, bench_of, notes_of, run
from services.candles import replay_candles
from services.runs import run_settings, strategies_for
from services.settings import Settings
from services.startup import candles_hash
from services.symbols import specs_for
from trading.backtest import Simulation
from trading.compiled import source_hash
from trading.domain.backtests import BacktestRequest

VERSION = "0.1.0"


def answer(settings: Settings, chosen: Namespace, broker: Callable[..., Any], report: Callable[[Any], str]) -> int:
    """Answer one question; return 0."""
    loaded = typed_candles(settings, chosen)
    symbols = tuple(candles.symbol for candles in loaded.candles)
    strategy = strategies_for(settings, symbols)[0]
    request = check_request(typed_request(settings, chosen, strategy, symbols, loaded.candles[0].interval))
    bench = bench_of(request, loaded)
    simulation = run(bench)
    tell(chosen, bench, simulation, request)
    return 0


def typed_candles(settings: Settings, chosen: Namespace) -> Loaded:
    """Return the candles that the command line names, the same as a replay on paper would take."""
    candles = replay_candles(settings, chosen)
    return Loaded(tuple(candles), specs_for([c.symbol for c in candles], {c.symbol: c for c in candles}))


def tell(chosen: Namespace, bench: Bench, simulation: Simulation, request: BacktestRequest) -> None:
    """Write the document, and a table unless the document goes to standard output."""
    versions = {"cockpit": VERSION, "code": source_hash(), "candles": {c.symbol: candles_hash(c) for c in bench.candles}}
    settings = run_settings(bench.strategies, bench.interval, request.capital, bench.setup.profile, request.costs)
    document = run_document(bench, simulation, settings, versions)
    if chosen.json:
        write_run(document, simulation, chosen.json)
    if chosen.json != "-":
        print("\n".join(figure_lines(document["metrics"])))
    for line in note_lines(notes_of(bench, simulation)):
        print(line, file=sys.stderr)
