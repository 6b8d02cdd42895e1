"""Agents without an engine: what the page shows of them, and what was asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from tests.fakes.fake_market import PRICES, START_MS
from trading.domain.agents import (
    AgentConfig,
    AgentDecision,
    AgentPrediction,
    AgentsView,
    AgentView,
    CalibrationBin,
    MotherChoice,
    MotherConfig,
    MotherStudy,
    StudyCurve,
)
from trading.domain.strategies import HealthLight, StrategyHealth
from trading.errors import AgentsUnreadable, BadInput

SYMBOLS = tuple(PRICES)
LIGHTS = ("green", "amber", "red", "too few to tell")
SAID = ("BUY", "HOLD", "SELL", "HOLD")


def agent_view(place: int, symbol: str, strategy: str = "demo") -> AgentView:
    """An agent with figures that differ from the next one's."""
    wins, n = (6 + place, 14) if place < 3 else (0, 0)
    shrunk, confidence = (wins + 5) / (n + 10), 0.42 + 0.05 * place
    price = Decimal(str(PRICES[symbol]))
    prediction = AgentPrediction(strategy, SAID[place % 4], round(100 * confidence, 1), price, price * Decimal("1.02"),
                                 price * Decimal("0.99"))
    state = LIGHTS[place % 4]
    light = HealthLight(state, "Within the band: the last 14 trades made +0.12 % on average.", n, 180)
    return AgentView(
        AgentConfig(symbol, "1m", strategy), strategy, f"{symbol[:-4]}/USDT", "running", prediction, START_MS,
        "RSI 28.4 < 30", wins, n, wins / n if n else None, shrunk, confidence, 0.6 * confidence + 0.4 * shrunk,
        Decimal("12.34") * (1 - place), (120 + place, 55 + place), StrategyHealth(0.5, 0.12, -0.8, n), light,
    )


def study_of(end: int) -> MotherStudy:
    """A comparison over sixty moments."""
    time = end - 60_000 * np.arange(60, dtype=np.int64)[::-1]
    names = ("Mother AI", "Equal weight", *(f"demo · {symbol}" for symbol in SYMBOLS))
    curves = tuple(StudyCurve(name, 0.01 * (2 - n), -0.012 - 0.004 * n, 40 - 5 * n,
                              1.0 + np.linspace(0.0, 0.01 * (2 - n), 60)) for n, name in enumerate(names))
    bins = tuple(CalibrationBin(0.42 + 0.04 * n, 0.38 + 0.05 * n, 20 + 10 * n) for n in range(4))
    return MotherStudy(int(time[0]), end, 4_320, "threshold from the first half: 31 of 212 earlier "
                       "decisions scored 0.512 or more and gained +0.081% on average after costs", 0.512, curves, time,
                       {f"{symbol}|demo": bins for symbol in SYMBOLS},
                       ("a rule whose numbers were chosen on these bars looks better than it is",))


class FakeAgents:
    """Implements `services.container.AgentPort`."""

    def __init__(self, *, stored: bool = True) -> None:
        self.agents = {view.config.key: view for view in (agent_view(n, s) for n, s in enumerate(SYMBOLS))}
        if not stored:
            self.agents = {key: replace(view, prediction=None, reason="", time=0, wins=0, n_trades=0, win_rate=None,
                                        shrunk=0.5, pnl=Decimal(0)) for key, view in self.agents.items()}
        self.mother = MotherConfig()
        self.asked: list[tuple[str, object]] = []
        self.stored, self.broken = stored, ""
        self.study_state = ""
        self.found: MotherStudy | None = None
        self.is_own, self.notices = False, ()
        self.dropped: set[str] = set()

    def view(self) -> AgentsView:
        """Everything on the page."""
        if self.broken:
            raise AgentsUnreadable(self.broken)
        decisions = tuple(
            AgentDecision(START_MS - 60_000 * n, SYMBOLS[n % 4], f"{SYMBOLS[n % 4][:-4]}/USDT", "BUY",
                          ("entry", "denied: rank", "denied: min_score")[n % 3], "RSI 28.4 < 30 → place 1, the best 1",
                          f"{SYMBOLS[n % 4]}@{START_MS - 60_000 * n}") for n in range(6)) if self.stored else ()
        return AgentsView(
            tuple(self.agents.values()), self.mother, "Every agent's wish goes straight to risk.", decisions,
            self.decide(), SYMBOLS, "1m", (("demo", "Demo"), ("sma-cross", "SMA cross"), ("model", "the model")),
            self.found, self.study_state, any(view.state == "waiting" for view in self.agents.values()),
            self.is_own, self.notices,
        )

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Add one that waits."""
        self.asked.append(("add", (symbol, timeframe, strategy)))
        wanted = AgentConfig(symbol, timeframe, strategy)
        if wanted.key in self.agents:
            raise BadInput(f"{strategy} is on {symbol} already")
        self.agents[wanted.key] = replace(agent_view(3, symbol, strategy), state="waiting", prediction=None)
        return wanted

    def pause(self, key: str, paused: bool) -> AgentConfig:
        """Pause one."""
        self.asked.append(("pause", (key, paused)))
        view = self.agents[key]
        config = replace(view.config, paused=paused)
        self.agents[key] = replace(view, config=config, state="paused" if paused else "running")
        return config

    def drop(self, key: str) -> AgentConfig:
        """Drop one, but not the last."""
        self.asked.append(("drop", key))
        if len(self.agents) == 1:
            raise BadInput(f"{key} is the last agent that follows rules: pause it")
        self.dropped.add(key)
        return self.agents.pop(key).config

    def is_asked(self, agent: AgentConfig) -> bool:
        """Whether it was dropped before."""
        return agent.key in self.dropped

    def follow_cockpit(self) -> str:
        """Forget the list, or set the broken file aside."""
        self.asked.append(("follow", None))
        self.is_own, broken, self.broken = False, self.broken, ""
        return "agents.json.broken" if broken else ""

    def set_mother(self, changes: Mapping[str, Any]) -> None:
        """Keep them."""
        self.asked.append(("mother", dict(changes)))
        self.mother = replace(self.mother, **changes)

    def predictions(self) -> tuple[AgentPrediction, ...]:
        """What each said last."""
        return tuple(view.prediction for view in self.agents.values() if view.prediction)

    def decide(self, top_n: int | None = None, min_score: float | None = None) -> tuple[MotherChoice, ...]:
        """One line for each that buys."""
        buying = [view for view in self.agents.values() if view.prediction and view.prediction.prediction == "BUY"]
        return tuple(MotherChoice(view.name, view.config.symbol, n, view.score, n == 1, "rank", "place 1")
                     for n, view in enumerate(buying, 1))

    def study(self) -> None:
        """Have an answer at once."""
        self.asked.append(("study", None))
        self.found = study_of(START_MS)
