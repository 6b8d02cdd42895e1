"""Fixtures that all tests share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

settings.register_profile("default", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real market data beside the repository; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no market data in {folder}")
    return folder


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    """An open database of its own for each test."""
    from storage.database import Database  # most tests need none

    found = Database(tmp_path / "cockpit.db")
    found.open()
    yield found
    found.close()
