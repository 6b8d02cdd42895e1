"""A million malformed frames and REST bodies, made of real ones: no crash, no order.

    python -m tests.fuzzing --frames 1000000

Market frames and klines go through the feed to its events; answers to every call of the broker and frames of the
account's stream go through engine, broker and exchange with a position standing. Ends with the line
`fuzz frames=N bodies=N seeds=N wrong=0`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.fuzzing import account, market

A_SEED = 20_000
MARKET, ROWS = 0.45, 0.05
"""Shares of market frames, and of answers about candles and symbols; the rest meets the broker."""


@dataclass(frozen=True)
class Outcome:
    """How many frames and bodies there were, what was asked or told, and what should not have been."""

    n_frames: int
    n_bodies: int
    what: Counter[str]
    wrong: list[str]


def play(seed: int, n: int = A_SEED) -> Outcome:
    """Let so many messages come."""
    n_frames, n_rows = round(n * MARKET), round(n * ROWS)
    trading = logging.getLogger("trading")
    level = trading.level
    trading.setLevel(logging.ERROR)
    try:
        told, wrong = market.run(n_frames, n_rows, seed)
        found = account.run(n - n_frames - n_rows, seed)
    finally:
        trading.setLevel(level)
    return Outcome(n_frames + found.n_frames, n_rows + found.n_bodies, told + found.calls, wrong + found.wrong)


def main() -> int:
    """Play seeds on all cores; 0 only when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    n_seeds = -(-chosen.frames // A_SEED)
    n_frames, n_bodies, what, wrong = 0, 0, Counter[str](), Counter[str]()
    with ProcessPoolExecutor() as pool:
        for n, found in enumerate(pool.map(play, range(chosen.seed, chosen.seed + n_seeds)), 1):
            n_frames, n_bodies, what = n_frames + found.n_frames, n_bodies + found.n_bodies, what + found.what
            wrong.update(line[:300] for line in found.wrong)
            if n % 10 == 0 or n == n_seeds:
                print(f"{n_frames + n_bodies:,} messages, {wrong.total()} wrong", flush=True)
    for line, count in wrong.most_common(20):
        print(f"WRONG {count} times: {line}")
    print(", ".join(f"{name} {count}" for name, count in what.most_common()))
    print(f"fuzz frames={n_frames} bodies={n_bodies} seeds={n_seeds} wrong={wrong.total()}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
