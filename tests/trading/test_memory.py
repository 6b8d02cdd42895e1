"""What a rule's firings came to is known after a restart, whatever the restart finds of earlier bars."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from services.strategies import parse_strategy
from tests.contracts.signal_source import random_candles
from trading.agents.memory import remembered, remind
from trading.agents.symbol_agent import SymbolAgent
from trading.domain import SymbolSpec
from trading.domain.backtests import CostSettings
from trading.portfolio import costs_of
from trading.risk import PROFILES
from trading.shadow import terms_of

SPEC = SymbolSpec("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(0), Decimal(0))
N_BARS, N_KNOWN, CUT = 1_200, 300, 900
CANDLES = random_candles(N_BARS)


def agent(period: int = 5, profile=PROFILES[1]) -> SymbolAgent:
    rules = parse_strategy({"symbol": "BTCUSDT", "indicators": {
        "rsi": {"period": period, "buy_below": 40.0, "sell_above": 60.0}}}, "", "dips")
    return SymbolAgent(rules, terms_of(SPEC, costs_of(CostSettings(0.0)), profile))


def after(n_bars: int) -> SymbolAgent:
    """An agent that saw bars from the first on, some at once and the last ones one by one."""
    seen = agent()
    seen.warm_up(CANDLES[: n_bars - 50])
    for row in range(n_bars - 50, n_bars):
        seen.on_candle(CANDLES.candle(row))
    return seen


def restarted(kept: list, first_asked: int, fresh: SymbolAgent | None = None) -> SymbolAgent:
    """An agent of the next process: it is shown the bars before `first_asked`, as many as a restart finds."""
    fresh = fresh or agent()
    remind([fresh], json.loads(json.dumps(kept)))
    fresh.warm_up(CANDLES[first_asked - N_KNOWN:first_asked])
    return fresh


@pytest.mark.parametrize("first_asked", [CUT, CUT - 1, CUT + 40], ids=("at once", "a bar asked again", "bars after it"))
def test_firings_are_counted_once_whatever_a_restart_finds(first_asked: int) -> None:
    fresh = restarted(remembered([after(CUT)]), first_asked)
    for row in range(first_asked, N_BARS):
        fresh.on_candle(CANDLES.candle(row))
    assert fresh.record == after(N_BARS).record
    assert restarted([], first_asked).record[0] < after(first_asked).record[0]


def test_what_is_kept_is_the_same_whether_bars_came_one_by_one_or_at_once() -> None:
    whole = agent()
    whole.warm_up(CANDLES[:CUT])
    assert whole.kept[-1] == after(CUT).kept[-1]


@pytest.mark.parametrize("other", [agent(7), agent(profile=replace(PROFILES[1], stop_atr=9.0))], ids=("rules", "stop"))
def test_other_rules_or_limits_begin_their_own_count(other: SymbolAgent) -> None:
    fresh = agent(7) if other.fingerprint == agent(7).fingerprint else agent(profile=replace(PROFILES[1], stop_atr=9.0))
    fresh.warm_up(CANDLES[CUT - N_KNOWN:CUT])
    assert restarted(remembered([after(CUT)]), CUT, other).record == fresh.record


def test_a_count_of_another_make_is_begun_anew() -> None:
    (row,) = remembered([after(CUT)])
    damaged = [[*row[:3], [[time, state[:-1]] for time, state in row[3]]]]
    assert restarted(damaged, CUT).record == restarted([], CUT).record


def test_agents_without_a_record_are_left_alone() -> None:
    assert remembered([object()]) == []
    remind([object()], [["BTCUSDT", "dips", "x", []]])
