"""A part of a campaign in a process of its own: it kills one cockpit after the other.

    python -m tests.killing.worker --kills 50 --seed 1 --part 0 --of 2
"""

from __future__ import annotations

import argparse
import sys

from tests.killing.leash import end_with_parent
from tests.killing.modules import load


def main() -> None:
    """Run the part that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("kills", 25), ("seed", 1), ("part", 0), ("of", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    chosen = parser.parse_args()
    end_with_parent()
    points = load()
    from tests.killing.schedule import Campaign  # only now: the order path must be marked while it is imported

    Campaign(points, chosen).run()


if __name__ == "__main__":
    sys.exit(main())
