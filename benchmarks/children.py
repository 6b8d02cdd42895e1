"""Measurements that need a process of their own: the first run after imports, and peaks of memory.

`python -m benchmarks.children TASK FOLDER` prints JSON. Candles come from the folder that the parent wrote.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from trading.domain import Candles

ROOT = Path(__file__).resolve().parents[1]
MEGA = 1e6


def ask(task: str, folder: Path) -> dict[str, float]:
    """Run a task in a new process and return its figures."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.children", task, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"{task}: {done.stderr.strip().splitlines()[-1:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def save(candles: Candles, folder: Path) -> None:
    """Write candles where a child finds them."""
    for name in Candles.columns():
        np.save(folder / f"{name}.npy", getattr(candles, name))


def load(folder: Path) -> Candles:
    """Read what `save` wrote."""
    return Candles("BTCUSDT", "1m", *(np.load(folder / f"{name}.npy") for name in Candles.columns()))


def resident_mb() -> float:
    """Memory now."""
    return _status("VmRSS")


def peak_mb() -> float:
    """Highest memory since `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Begin to measure the peak anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(field: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / MEGA


def ours_first(folder: Path) -> dict[str, float]:
    """The first backtest of a process, imports done and the compiled cache built."""
    from benchmarks.backtests import our_sma

    return _timed(our_sma, load(folder))


def peer_first(folder: Path) -> dict[str, float]:
    """The same by vectorbt."""
    from benchmarks.peers import vectorbt as peer

    peer.package()
    return _timed(lambda candles: peer.sma_cross(candles, 10, 30), load(folder))


def _timed(work, candles: Candles) -> dict[str, float]:
    began = time.process_time()
    work(candles)
    return {"seconds": time.process_time() - began}


def ours_memory(folder: Path) -> dict[str, float]:
    """One backtest: peak above what was there before, imports, compiled code and candles."""
    from benchmarks.backtests import our_sma

    return _peak(our_sma, folder)


def peer_memory(folder: Path) -> dict[str, float]:
    """The same by vectorbt."""
    from benchmarks.peers import vectorbt as peer

    return _peak(lambda candles: peer.sma_cross(candles, 10, 30), folder)


def ours_sweep(folder: Path) -> dict[str, float]:
    """All pairs."""
    from benchmarks.backtests import PAIRS, our_sweep

    return _peak(our_sweep, folder) | {"n_pairs": len(PAIRS)}


def peer_sweep(folder: Path) -> dict[str, float]:
    """Some of the pairs, as many columns at a time as its users would give it."""
    from benchmarks.backtests import PEER_PAIRS, peer_sweep

    return _peak(peer_sweep, folder) | {"n_pairs": len(PEER_PAIRS)}


def _peak(work, folder: Path) -> dict[str, float]:
    empty = resident_mb()
    candles = load(folder)
    work(candles[:1_000])
    work(candles[:1_000])
    before = resident_mb()
    forget_peak()
    began = time.process_time()
    work(candles)
    seconds = time.process_time() - began
    return {"empty": empty, "before": before, "peak": peak_mb(), "above": peak_mb() - before, "seconds": seconds}


TASKS = {task.__name__: task for task in (ours_first, peer_first, ours_memory, peer_memory, ours_sweep, peer_sweep)}


if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](Path(sys.argv[2]))))
