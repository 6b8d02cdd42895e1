"""The rows of `agents.json`, checked one by one: what is wrong is named with its place."""

from __future__ import annotations

import re
from dataclasses import fields
from math import isfinite
from typing import Any

from trading.domain.agents import AgentConfig, MotherConfig
from trading.errors import BadInput

MAX_AGENTS, MAX_BYTES, MAX_PATH = 200, 256 * 1024, 1_000
STRATEGY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?")


def rows_of(rows: Any) -> list[Any]:
    """Return the rows of agents; BadInput where it is no list of them."""
    if not isinstance(rows, list) or len(rows) > MAX_AGENTS:
        raise BadInput(f"agents: a list of at most {MAX_AGENTS} is needed")
    return rows


def agent_of(row: Any, place: int) -> AgentConfig:
    """Return the agent of a row; BadInput names what is wrong with it."""
    known = {field.name for field in fields(AgentConfig)}
    if not isinstance(row, dict):
        raise BadInput(f"agents[{place}]: an object with {', '.join(sorted(known))} is needed")
    if set(row) - known:
        raise BadInput(f"agents[{place}].{min(set(row) - known)} is not known; use {', '.join(sorted(known))}")
    if not isinstance(row.get("paused", False), bool):
        raise BadInput(f"agents[{place}].paused: {row['paused']!r:.40} is not allowed; use true or false")
    given = [row.get(name) for name in ("symbol", "timeframe", "strategy")]
    if not all(isinstance(text, str) for text in given):
        raise BadInput(f"agents[{place}]: symbol, timeframe and strategy must be texts")
    symbol, timeframe, strategy = (str(text) for text in given)
    if not 0 < len(strategy) <= MAX_PATH or not symbol or not timeframe:
        raise BadInput(f"agents[{place}]: symbol, timeframe and strategy must not be empty")
    return AgentConfig(symbol, timeframe, strategy, row.get("paused", False))


def keys_of(keys: Any) -> frozenset[str]:
    """Return the keys of agents that are paused."""
    if not isinstance(keys, list) or len(keys) > MAX_AGENTS or not all(isinstance(key, str) for key in keys):
        raise BadInput(f"paused: a list of at most {MAX_AGENTS} texts such as BTCUSDT|demo is needed")
    return frozenset(keys)


def checked(agent: AgentConfig) -> AgentConfig:
    """Return an agent whose strategy is an id; BadInput says what one looks like."""
    parts = agent.strategy.split("/")
    if not STRATEGY.fullmatch(agent.strategy) or any(set(part) == {"."} for part in parts):
        raise BadInput(f"strategy {agent.strategy!r} is not allowed; use an id such as demo or BTCUSDT/dips, or model")
    return agent


def mother_config(body: Any) -> MotherConfig:
    """Return how Mother AI ranks; BadInput names what is wrong."""
    known = {field.name for field in fields(MotherConfig)}
    if not isinstance(body, dict) or set(body) - known:
        raise BadInput(f"mother: an object with some of {', '.join(sorted(known))} is needed")
    return sound(MotherConfig(**body))


def sound(mother: MotherConfig) -> MotherConfig:
    """Return the settings; BadInput names a figure that makes no ranking."""
    def number(name: str, low: float, high: float) -> None:
        value = getattr(mother, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if value is None:
            raise BadInput(f"mother.{name}: no number was given; use one from {low:g} to {high:g}")
        if not is_number or not low <= value <= high:
            raise BadInput(f"mother.{name}: {value!r:.40} is not allowed; use a number from {low:g} to {high:g}")

    number("alpha", 0.0, 1.0)
    number("beta", 0.0, 1.0)
    number("top_n", 1, 100)
    number("max_correlation", 0.0, 1.0)
    if mother.min_score is not None:
        number("min_score", 0.0, 2.0)
    if mother.alpha + mother.beta <= 0.0:
        raise BadInput("mother.alpha and mother.beta are both 0; one of them must be above 0")
    if int(mother.top_n) != mother.top_n:
        raise BadInput(f"mother.top_n: {mother.top_n!r} is not allowed; use a whole number from 1 to 100")
    if not isinstance(mother.ranks, bool):
        raise BadInput(f"mother.ranks: {mother.ranks!r:.40} is not allowed; use true or false")
    return mother
