"""The JSON document of a backtest: what `--mode paper` writes of a replay, from the kernel, written as a stream."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from services.backtests.ask import Answer
from services.backtests.figures import paper_figures
from services.backtests.trial import Bench, decisions_of
from storage.rows import trade_row
from trading.domain import IntArray

CHUNK = 50_000
_UNIT = 10**8
Document = dict[str, Any]


def run_document(found: Answer) -> Document:
    """Return trades, metrics, decision counts, settings and versions; the equity is too long to hold as text."""
    bench, simulation = found.bench, found.simulation
    figures = {name: value for name, value in found.view.figures.items() if name != "buy_and_hold"}  # told once
    return {"trades": trade_rows(bench, simulation), "settings": found.settings, "versions": found.versions,
            "metrics": {**figures, **paper_figures(bench, simulation)},
            "decisions": decisions_of(bench, simulation)}


def trade_rows(bench: Bench, simulation: Any) -> list[Document]:
    """Return round trips as rows, money as decimal text."""
    rows = [trade_row(bench.setup.specs[trade.symbol], trade) for trade in simulation.trades]
    return [{name: value for name, value in row.items() if name != "number"} for row in rows]


def write_run(document: Document, simulation: Any, target: str) -> None:
    """Write a run to a file (whole or not at all), or to standard output when the target is `-`.

    Byte for byte what `services.documents.write_document` would write, without holding the equity as objects.
    """
    with _opened(target) as file:
        lead = "{"
        for name in sorted({*document, "equity"}):
            file.write(f'{lead}"{name}":')
            if name == "equity":
                file.writelines(_equity(simulation))
            else:
                file.write(_text(document[name]))
            lead = ","
        file.write("}\n")


def write_text(text: str, target: str) -> None:
    """Write a text to a file, whole or not at all."""
    with _opened(target) as file:
        file.write(text)


@contextmanager
def _opened(target: str) -> Iterator[TextIO]:
    if target == "-":
        yield sys.stdout
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        yield file
    partial.replace(path)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _equity(simulation: Any) -> Iterator[str]:
    yield "["
    for start in range(0, len(simulation.time), CHUNK):
        rows = slice(start, start + CHUNK)
        columns = (_listed(column[rows]) for column in (simulation.time, simulation.equity, simulation.benchmark))
        lines = [f'[{time},"{_money(equity)}","{_money(benchmark)}"]'
                 for time, equity, benchmark in zip(*columns, strict=True)]
        yield ("," if start else "") + ",".join(lines)
    yield "]"


def _listed(column: IntArray) -> list[int]:
    return column.tolist()


def _money(units: int) -> str:
    """Return what `storage.rows.money` returns, thirty times as fast."""
    whole, part = divmod(abs(units), _UNIT)
    return f"{'-' if units < 0 else ''}{whole}.{part:08d}"
