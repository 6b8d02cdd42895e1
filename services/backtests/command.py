"""`--mode backtest`: from typed words to a table, a JSON document, a Parquet file and a report."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from services.backtests.ask import Answer, ask
from services.backtests.document import run_document, write_run
from services.backtests.markets import Loaded
from services.backtests.question import check_request, typed_request
from services.backtests.spread import Hands
from services.backtests.sweep import Progress
from services.backtests.table import figure_lines, note_lines
from services.candles import replay_candles
from services.runs import strategies_for
from services.settings import Settings
from services.symbols import specs_for

PROGRESS_AFTER_S = 2.0


def answer(settings: Settings, chosen: Namespace, broker: Callable[..., Any], report: Callable[[Any], str]) -> int:
    """Answer one question; return 0."""
    loaded = typed_candles(settings, chosen)
    symbols = tuple(candles.symbol for candles in loaded.candles)
    strategy = strategies_for(settings, symbols)[0]
    request = check_request(typed_request(settings, chosen, strategy, symbols, loaded.candles[0].interval))
    target = sweep_target(settings, chosen)
    with progress_bar() as progress:
        found = ask(request, loaded, Hands(cluster=chosen.cluster or ""), target, progress)
    tell(chosen, found, target)
    return 0


def typed_candles(settings: Settings, chosen: Namespace) -> Loaded:
    """Return the candles that the command line names, the same as a replay on paper would take."""
    candles = replay_candles(settings, chosen)
    return Loaded(tuple(candles), specs_for([c.symbol for c in candles], {c.symbol: c for c in candles}))


def sweep_target(settings: Settings, chosen: Namespace) -> Path | None:
    """Return where the results of a sweep go."""
    if chosen.out:
        return Path(chosen.out)
    return settings.data_dir / "backtests" / "sweep.parquet" if chosen.sweep else None


def tell(chosen: Namespace, found: Answer, target: Path | None) -> None:
    """Write the document, and a table unless the document goes to standard output."""
    document = run_document(found.bench, found.simulation, found.settings, found.versions)
    if chosen.json:
        write_run(document, found.simulation, chosen.json)
    out = sys.stderr if chosen.json == "-" else sys.stdout
    if chosen.json != "-":
        print("\n".join(figure_lines({**found.view.figures, **document["metrics"]})))
    if target is not None:
        print(f"results of every combination: {target}", file=out)
    for line in note_lines(found.view.notes):
        print(line, file=sys.stderr)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a bar on anything over two seconds."""
    bar = tqdm(total=100, unit="%", delay=PROGRESS_AFTER_S, mininterval=0.5, disable=None, file=sys.stderr,
               bar_format="{l_bar}{bar}| {postfix}")

    def progress(share: float, stage: str) -> None:
        bar.set_postfix_str(stage, refresh=False)
        bar.update(max(0, round(share * 100) - bar.n))

    with bar:
        yield progress
