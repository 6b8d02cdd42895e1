"""The JSON document of a run: nothing in it depends on the wall clock or the machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from storage.history import History
from storage.rows import money
from trading.engine import Engine
from trading.errors import BadInput
from trading.metrics import total_return

Document = dict[str, Any]


def run_document(engine: Engine, history: History, settings: Document, versions: Document) -> Document:
    """Return trades, equity, metrics, decision counts, settings and versions; money as decimal strings."""
    trades = [{name: value for name, value in row.items() if name not in ("account", "number")}
              for row in history.trade_rows()]
    equity = [[row["time"], row["equity"], row["benchmark"]] for row in history.equity_rows()]
    return {"trades": trades, "equity": equity, "metrics": run_metrics(engine), "decisions": dict(engine.outcomes),
            "settings": settings, "versions": versions}


def run_metrics(engine: Engine) -> Document:
    """Return the figures of a run."""
    portfolio = engine.portfolio
    equity, benchmark = portfolio.equity(), portfolio.benchmark_equity()
    return {
        "start_equity": money(portfolio.start_units), "end_equity": money(equity), "cash": money(portfolio.cash),
        "total_return": total_return(portfolio.start_units, equity),
        "buy_and_hold_return": total_return(portfolio.start_units, benchmark),
        "max_drawdown": portfolio.worst_drawdown / 1e6, "sharpe": engine.performance.sharpe(),
        "n_trades": portfolio.n_trades,
        "win_rate": portfolio.n_wins / portfolio.n_trades if portfolio.n_trades else None,
        "fees": money(sum(h.fees for h in portfolio.holdings.values())),
        "realized_pnl": money(sum(h.realized for h in portfolio.holdings.values())),
        "unrealized_pnl": money(sum(portfolio.unrealized(s) for s in portfolio.holdings)),
        "open_positions": portfolio.open_symbols(), "killed": engine.session.kill_reason,
    }


def check_targets(data_dir: Path, targets: Iterable[str | None]) -> None:
    """Refuse files that cannot be written before anything is worked out; folders are made in the data folder alone.

    Raises
    ------
    BadInput
        The folder of a file does not exist, or the file is a folder.
    """
    for target in targets:
        path = Path(target) if target and target != "-" else None
        if path is None:
            continue
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name a file in it")
        if not path.parent.is_dir() and data_dir.resolve() not in path.resolve().parents:
            raise BadInput(f"{path} cannot be written: there is no folder {path.parent}; make it first")


def write_document(document: Document, target: str) -> None:
    """Write a document to a file (whole or not at all), or to standard output when the target is `-`."""
    text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    write_text(Path(target), text)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
