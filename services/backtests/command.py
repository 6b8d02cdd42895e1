"""`--mode backtest`: from typed words to a table, a JSON document, a Parquet file and a report."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from services.backtests.archive import keep, repeat
from services.backtests.ask import Answer, ask
from services.backtests.checks import case_of, judge
from services.backtests.document import run_document, write_run, write_text
from services.backtests.markets import Loaded
from services.backtests.picture import check_key
from services.backtests.question import check_request, typed_request
from services.backtests.replay import BrokerOf
from services.backtests.spread import Hands
from services.backtests.sweep import Progress
from services.backtests.table import check_lines, figure_lines, note_lines
from services.candles import replay_candles
from services.runs import strategies_for
from services.settings import Settings
from services.symbols import specs_for
from trading.domain.backtests import BacktestRequest, BacktestView, Check
from trading.errors import BadInput

PROGRESS_AFTER_S = 2.0


def answer(settings: Settings, chosen: Namespace, broker: BrokerOf, report: Callable[[BacktestView], str]) -> int:
    """Answer one question, or repeat a stored run; return 0, or 1 when a repeated run differs."""
    if chosen.repeat:
        return _repeat(settings, chosen)
    if chosen.out and not (chosen.sweep or chosen.walk_forward):
        raise BadInput("--out takes the results of a sweep; add --sweep rsi.period=5:30:1, or use --json")
    begun = time.perf_counter()
    loaded = typed_candles(settings, chosen)
    symbols = tuple(candles.symbol for candles in loaded.candles)
    strategy = strategies_for(settings, symbols)[0]
    request = check_request(typed_request(settings, chosen, strategy, symbols, loaded.candles[0].interval))
    target = sweep_target(settings, chosen)
    with progress_bar() as progress:
        found = ask(request, loaded, Hands(cluster=chosen.cluster or ""), target, progress)
        found = replace(found, view=replace(found.view, seconds=time.perf_counter() - begun))
        if chosen.checks or chosen.html:
            found = _doubted(request, found, broker, progress)
    view = keep(settings, chosen.data, found)
    tell(chosen, found, view, target)
    if chosen.html:
        write_text(report(view), chosen.html)
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


def tell(chosen: Namespace, found: Answer, view: BacktestView, target: Path | None) -> None:
    """Write the document, and a table unless the document goes to standard output."""
    document = run_document(found)
    if chosen.json:
        write_run(document, found.simulation, chosen.json)
    if chosen.json != "-":
        print("\n".join(figure_lines({**document["metrics"], **view.figures})))
        print("".join(check_lines(view.checks)), end="")
        print(f"{'key':<20} {view.key}")
    if target is not None:
        print(f"results of every combination: {target}", file=sys.stderr if chosen.json == "-" else sys.stdout)
    for line in note_lines(view.notes):
        print(line, file=sys.stderr)


def _doubted(request: BacktestRequest, found: Answer, broker: BrokerOf, progress: Progress) -> Answer:
    """Return the answer with its checks."""
    case = case_of(request, found, broker)
    checks: list[Check] = [c if check_key(c) == "trials" else judge(check_key(c), case, progress)
                           for c in found.view.checks]
    return replace(found, view=replace(found.view, checks=tuple(checks)))


def _repeat(settings: Settings, chosen: Namespace) -> int:
    with progress_bar() as progress:
        differing = repeat(settings, chosen.repeat, Hands(cluster=chosen.cluster or ""), progress)
    if differing:
        print(f"{chosen.repeat}: not the same any more: {', '.join(differing)}", file=sys.stderr)
        return 1
    print(f"{chosen.repeat}: the same answer, byte for byte")
    return 0


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
