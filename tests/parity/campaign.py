"""Many cases through both drivers, with a count of what happened on the way: `python -m tests.parity.campaign`.

With NUMBA_DISABLE_JIT=1 the plain-Python form of the kernel runs. `--plant` changes one line of the kernel before it is
imported, to show that the campaign notices.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from importlib.util import find_spec, module_from_spec
from pathlib import Path

PLANTS = {
    "cost of a sale rounded up": ("trading.book", "book[s, ATOMS], False)", "book[s, ATOMS], True)"),
    "one position too many": ("trading.walk", ">= limits.max_positions", "> limits.max_positions"),
    "a score without its record": ("trading.kernel", "advice.score[row], won, closed)", "advice.score[row], 0, 0)"),
    "a correlation of yesterday": ("trading.kernel", "advice.rows[s, 1] = row", "advice.rows[s, 1] = row - 1"),
    "a touched stop passed over": ("trading.kernel", "tick * (1.0 + 1e-12)", "tick * (1.0 - 1e-2)"),
}


def plant(name: str) -> None:
    """Import a module of the kernel with one line changed."""
    module_name, line, changed = PLANTS[name]
    spec = find_spec(module_name)
    source = Path(spec.origin).read_text(encoding="utf-8")
    assert source.count(line) == 1, f"{line!r} is not exactly once in {module_name}"
    module = module_from_spec(spec)
    sys.modules[module_name] = module
    exec(compile(source.replace(line, changed), spec.origin, "exec"), module.__dict__)


def run(n_examples: int, number: int) -> Counter:
    """Compare both drivers on seeded cases; return how often each thing happened.

    Raises
    ------
    AssertionError
        They differ.
    """
    from hypothesis import HealthCheck, Phase, given, seed, settings

    from tests.parity.cases import Case, cases
    from tests.parity.play import compare

    seen: Counter = Counter()

    @seed(number)
    @settings(max_examples=n_examples, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(cases())
    def check(case: Case) -> None:
        seen.update(compare(case))
        seen["cases"] += 1

    check()
    return seen


def main() -> int:
    """Print the counts as JSON; 1 and one line when the drivers differ."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=PLANTS)
    chosen = parser.parse_args()
    if chosen.plant:
        plant(chosen.plant)
    try:
        seen = run(chosen.examples, chosen.seed)
    except AssertionError as error:
        print(f"the drivers differ: {str(error).splitlines()[0][:300]}", file=sys.stderr)
        return 1
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
