"""Plant bugs one at a time and see whether the suite finds them.

    python -m tests.planted [--only NAME] [--named]

Every bug meets the same tests, and so does the tree without one, which must pass. `--named` shows each bug only the
test that is named in its patch. Ends with the line `planted bugs=N found=N`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.planted.patches import ROOT, Patch, all_patches
from tests.planted.planting import Found, show

SUITE = (
    *(f"tests/trading/test_{name}.py" for name in (
        "gate", "recall", "orders", "portfolio", "binance_settling", "binance_requests", "binance_doors",
        "binance_broker", "binance_protection", "binance_contract", "binance_doubt", "binance_endurance", "engine",
        "controls", "arming", "binance_crashes", "binance_machine")),
    "tests/binance/test_binance_governor.py", "tests/binance/test_binance_refusals.py",
    "tests/binance/test_binance_clock.py", "tests/binance/test_binance_client.py",
    "tests/storage/test_venue_store.py", "tests/test_live_campaign.py",
)
HEAVY = ["pytest", "_pytest.assertion.rewrite", "pytest_timeout", "_hypothesis_pytestplugin", "hypothesis.stateful",
         "aiohttp", "numpy", "pandas", "numba.np.ufunc", "scipy", "sqlalchemy.dialects.sqlite", "alembic"]
"""What takes long to import and is none of ours: shared by all that are forked from it."""


def show_all(bugs: Iterable[tuple[Patch | None, tuple[str, ...]]]) -> Iterable[Found]:
    """Look at bugs side by side, each in a fresh process."""
    context = get_context("forkserver")
    context.set_forkserver_preload(HEAVY)
    with ProcessPoolExecutor(os.cpu_count(), context, max_tasks_per_child=1) as pool:
        yield from pool.map(show, *zip(*bugs, strict=True))


def main() -> int:
    """Plant, look, tell; 0 only when the tree is clean without a bug and every bug is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the name of one bug")
    parser.add_argument("--named", action="store_true", help="show each bug only the test that its patch names")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    os.environ["CI"] = "1"  # hypothesis draws the same each time
    patches = [patch for patch in all_patches() if chosen.only in (None, patch.name)]
    for patch in patches:
        patch.applied((ROOT / patch.path).read_text())
    bugs: list[tuple[Patch | None, tuple[str, ...]]] = [(p, (p.test,) if chosen.named else SUITE) for p in patches]
    if not chosen.named and chosen.only is None:
        bugs.insert(0, (None, SUITE))
    n_found, is_clean = 0, True
    for found in show_all(bugs):
        if found.name:
            n_found += bool(found.by) and not found.broken
            what = found.broken or (f"found by {found.by}" if found.by else "NOT FOUND")
        else:
            is_clean = not (found.by or found.broken)
            what = "the tree without a bug passes" if is_clean else f"FAILS WITHOUT A BUG: {found.by or found.broken}"
        print(f"{found.name or 'none'}: {what}, {found.seconds:.1f} s", flush=True)
    print(f"planted bugs={len(patches)} found={n_found}")
    return 0 if is_clean and n_found == len(patches) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
