"""Hours of trading on a clock that jumps: engine, broker and exchange in one thread, everything that can fail failing.

    python -m tests.live_campaign --hours 1000

Each seed is one run of some hours: a price path, wishes to buy and sell, clicks, lost requests, lost replies, late
requests, refusals, lost events, outages, spikes, thin books, halts, other hands, locked databases, crashes. At every
minute the invariants must hold, and when the weather clears the books must be the exchange's. Every tenth seed is
played a second time, by a process that hashes differently: it must come to the same hash of all that happened. Ends
with the line `simulation hours=N seeds=N wrong=0 unlike=0`.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.trading.live_bench import LiveBench
from tests.trading.live_hours import Hours

ROOT = Path(__file__).resolve().parent.parent
HOURS_A_SEED = 10.0
TWICE_EVERY = 10


@dataclass(frozen=True)
class Outcome:
    """What one seed came to; `wrong` says what the check found, "" when all was well.

    `again` is the hash of the second run, "" when there was none.
    """

    seed: int
    hours: float
    digest: str
    n_orders: int
    n_fills: int
    n_crashes: int
    wrong: str
    again: str = ""

    @property
    def is_unlike(self) -> bool:
        """Whether a second run came to something else."""
        return self.again not in ("", self.digest)

    def __str__(self) -> str:
        ends = f" UNLIKE {self.again}" if self.is_unlike else " twice" if self.again else ""
        return (f"seed {self.seed}: {self.n_orders} orders, {self.n_fills} fills, {self.n_crashes} crashes, "
                f"hash {self.digest}{ends}{' WRONG ' + self.wrong if self.wrong else ''}")


def digest(bench: LiveBench) -> str:
    """Return a hash of every request that arrived, every step of every order, every fill and every line."""
    parts: Iterator[str] = (repr(part) for part in (bench.venue.arrived, list(bench.disk.rows.values()),
                                                    bench.store.history, bench.disk.fills, bench.disk.lines))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def play(seed: int, hours: float = HOURS_A_SEED) -> Outcome:
    """Play one seed and check it at every minute and at its end."""
    logging.disable(logging.CRITICAL)
    run = Hours(seed)
    bench, wrong = run.bench, ""
    try:
        run.run(hours)
    except Exception as error:
        words = str(error).splitlines()
        wrong = f"after {bench.loop.time() / 3600:.2f} h: {type(error).__name__}: {words[0] if words else ''}"
    finally:
        logging.disable(logging.NOTSET)
    found = Outcome(seed, hours, digest(bench), len(bench.venue.posts()), len(bench.disk.fills), bench.n_crashes, wrong)
    bench.close()
    return found


def play_elsewhere(seed: int, hours: float) -> str:
    """Return the hash that another process comes to, one whose sets and dictionaries hash otherwise."""
    command = [sys.executable, "-m", "tests.live_campaign", "--only", str(seed), "--hours", str(hours)]
    environment = os.environ | {"PYTHONHASHSEED": str(seed + 1)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True,
                          text=True).stdout.strip()


def play_checked(seed: int, hours: float) -> Outcome:
    """Play one seed, some of them twice."""
    found = play(seed, hours)
    if seed % TWICE_EVERY:
        return found
    return Outcome(**vars(found) | {"again": play_elsewhere(seed, hours)})


def main() -> int:
    """Play seeds on all cores; 0 only when nothing was wrong and nothing unlike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--only", type=int, help="play this seed alone and print its hash")
    chosen = parser.parse_args()
    if chosen.only is not None:
        print(play(chosen.only, chosen.hours).digest)
        return 0
    n_seeds = max(1, round(chosen.hours / HOURS_A_SEED))
    hours = min(chosen.hours, HOURS_A_SEED)
    with ProcessPoolExecutor() as pool:
        seeds = range(chosen.seed, chosen.seed + n_seeds)
        found = []
        for one in pool.map(partial(play_checked, hours=hours), seeds):
            found.append(one)
            print(one, flush=True)
    n_wrong, n_unlike = sum(bool(one.wrong) for one in found), sum(one.is_unlike for one in found)
    print(f"simulation hours={n_seeds * hours:g} seeds={n_seeds} wrong={n_wrong} unlike={n_unlike}")
    return 1 if n_wrong or n_unlike else 0


if __name__ == "__main__":
    sys.exit(main())
