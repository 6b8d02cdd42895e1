"""Every row of the catalogue has a test that provokes it."""

import importlib
from pathlib import Path

import pytest

from tests.faults.catalogue import COVERED, NOT_YET, ROWS

for file in sorted(Path(__file__).parent.glob("test_*.py")):
    if file.stem != "test_catalogue":
        importlib.import_module(f"tests.faults.{file.stem}")


@pytest.mark.parametrize("row", [row for row in ROWS if row not in NOT_YET])
def test_a_row_has_a_test(row: int):
    assert COVERED[row], f"nothing provokes row {row}: {ROWS[row]}"


def test_no_test_covers_a_row_that_does_not_exist():
    assert set(COVERED) <= set(ROWS)
    assert not set(COVERED) & set(NOT_YET), "a row of a part that is said not to exist has a test"
