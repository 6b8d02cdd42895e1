"""The tables of the documents name what is in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.commandline import MODES

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("services", "storage", "trading")


def sources() -> list[str]:
    return [path.read_text() for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def rows(document: str, heading: str) -> str:
    """Return the table below a heading."""
    _, _, after = (ROOT / document).read_text().partition(f"## {heading}\n")
    return after.split("\n## ", 1)[0]


def test_every_key_that_closes_the_gate_is_in_the_table_of_the_orders() -> None:
    table = rows("docs/orders.md", "What closes the gate")
    constants = dict(pair for text in sources() for line in re.findall(r"^([A-Z][A-Z_, ]+) = (\".*\")$", text, re.M)
                     for pair in zip(line[0].split(", "), re.findall(r'"([^"]*)"', line[1]), strict=False))
    used = {key for text in sources() for key in re.findall(r"gate\.close\(([A-Z_]+|\"[a-z ]+\")", text)}
    keys = {constants.get(key, key.strip('"')) for key in used} | {"kill switch"}
    assert len(keys) > 10
    assert [key for key in sorted(keys) if key not in table] == []


def test_every_thread_with_a_name_is_in_the_table_of_the_architecture() -> None:
    table = rows("ARCHITECTURE.md", "Threads")
    names = {name for text in sources() for call in re.findall(r"Thread\((?:[^()]|\([^()]*\))*\)", text)
             for name in re.findall(r'name="([a-z ]+)"', call)}
    assert {"engine", "venue"} <= names
    assert [name for name in sorted(names) if name not in table] == []


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_in_the_table_of_what_one_can_ask(mode: str) -> None:
    assert f"--mode {mode}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("setting", ["LADDER", "LIVE_SMALL", "VENUE", "FOREIGN_ORDERS", "CAPITAL"])
def test_every_setting_of_the_way_to_live_is_in_the_table_of_settings(setting: str) -> None:
    assert f"`COCKPIT_{setting}`" in rows("README.md", "Settings")
