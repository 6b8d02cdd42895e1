"""The suite finds the bugs that are planted into the order path, one changed line each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.planted.patches import ROOT, Patch, all_patches, read

AT_LEAST = 24
NAMES = [patch.name for patch in all_patches()]
PATCHES = {patch.name: patch for patch in all_patches()}


def test_there_are_bugs_enough():
    assert len(PATCHES) >= AT_LEAST
    assert len({patch.words for patch in PATCHES.values()}) == len(PATCHES)


@pytest.mark.parametrize("name", NAMES)
def test_bug_fits_one_line_of_the_order_path(name: str):
    patch = PATCHES[name]
    source = (ROOT / patch.path).read_text()
    before, after = source.split("\n"), patch.applied(source).split("\n")
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    compile("\n".join(after), patch.path, "exec")


def test_bug_that_fits_no_more_is_refused():
    patch = Patch("old", "an old bug", "", "trading/gate.py", ("no such line",), ("nor this",))
    with pytest.raises(ValueError, match="in 0 places, 1 is needed"):
        patch.applied((ROOT / patch.path).read_text())


def test_patch_of_two_lines_is_refused(tmp_path: Path):
    path = tmp_path / "long.patch"
    path.write_text("Planted: too much\nFound by: none\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n")
    with pytest.raises(ValueError, match="must change one"):
        read(path)


@pytest.mark.timeout(600)
def test_every_planted_bug_is_found_by_the_test_that_is_named_for_it():
    done = subprocess.run([sys.executable, "-m", "tests.planted", "--named"], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.stdout.splitlines()[-1] == f"planted bugs={len(PATCHES)} found={len(PATCHES)}", done.stdout
    assert done.returncode == 0
