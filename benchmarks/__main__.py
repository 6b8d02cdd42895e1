"""Run all benchmarks and print one table: `python -m benchmarks` (or the names of some)."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.rows import TITLES, Row, line

NAMES = ("indicators", "backtests", "models", "model_fits", "automl", "engine", "agents", "memory", "screen",
         "training", "wire")


def main(names: list[str]) -> int:
    """Print a Markdown table, row by row."""
    print(line(TITLES))
    print("|---" * len(TITLES) + "|")
    for name in names or NAMES:
        for row in import_module(f"benchmarks.{name}").run():
            print(line(Row(*row)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
