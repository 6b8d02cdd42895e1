"""Run all benchmarks and print one table: `python -m benchmarks` (or the names of some)."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("indicators", "engine", "memory", "screen")


def main(names: list[str]) -> int:
    """Print a Markdown table, row by row."""
    print("| what | figure | note |\n|---|---|---|")
    for name in names or NAMES:
        for row in import_module(f"benchmarks.{name}").run():
            print("| " + " | ".join(row) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
