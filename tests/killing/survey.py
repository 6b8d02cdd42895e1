"""Let every scenario live without being killed, and keep which of them pass what trading alone does not.

    python -m tests.killing.survey [--only SCENARIO ...]

Writes `ways.json`, from which a campaign knows in advance how to come to a point; tells which points nobody passed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

from tests.killing.excluded import EXCLUDED
from tests.killing.leash import end_with_parent
from tests.killing.modules import load

WAYS = Path(__file__).with_name("ways.json")
USUAL = ("trading",)


def known() -> dict[str, list[str]]:
    """Return the scenarios that pass a point, by its name, as they were found last."""
    found: dict[str, list[str]] = json.loads(WAYS.read_text()) if WAYS.exists() else {}
    return found


def kept(passed: dict[str, set[str]], points: list[str]) -> dict[str, list[str]]:
    """Return the ways to each point that is not passed all the time."""
    usual = {name for scenario in USUAL for name in passed.get(scenario, ())}
    ways = defaultdict(set, {name: set(scenarios) for name, scenarios in known().items()})
    for scenario, names in passed.items():
        for name in names - usual:
            ways[name].add(scenario)
    return {name: sorted(ways[name]) for name in points if ways[name] and name not in usual | set(EXCLUDED)}


def main() -> int:
    """Survey; 0 when every point was passed by something."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="scenarios, between which there is always some trading")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    end_with_parent()
    points = load()
    from tests.killing.scenarios import SCENARIOS  # only now: the order path must be marked while it is imported
    from tests.killing.world import World

    passed: dict[str, set[str]] = defaultdict(set)
    with World(points, chosen.seed) as world:
        for name in chosen.only or SCENARIOS:
            for one in ("trading", name):
                death, verdict = world.live(SCENARIOS[one], frozenset(), 1)
                passed[one] |= {points.names[n] for n in world.mark.passed.nonzero()[0]}
                print(f"{one}: {death.how} after {death.lived_s:.1f} s {verdict.words or ''}", flush=True)
    ways = kept(passed, points.names)
    WAYS.write_text(json.dumps(ways, indent=1) + "\n")
    reached = {*ways, *EXCLUDED, *(name for names in passed.values() for name in names)}
    missing = [name for name in points.names if name not in reached]
    print(*missing, sep="\n")
    print(f"{len(points.names)} points, {len(EXCLUDED)} excluded, {len(missing)} not passed")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
