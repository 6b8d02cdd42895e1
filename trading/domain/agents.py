"""Agents as the screen sees them: what they say, what became of it, and what Mother AI makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.market import FloatArray, IntArray
from trading.domain.strategies import HealthLight, StrategyHealth

MODEL = "model"


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """An agent: a strategy (`demo`, `BTCUSDT/dips`) or the model (`model`) on a symbol and a timeframe."""

    symbol: str
    timeframe: str
    strategy: str
    paused: bool = False

    @property
    def key(self) -> str:
        """What finds it."""
        return f"{self.symbol}|{self.strategy}"


@dataclass(frozen=True, slots=True)
class MotherConfig:
    """How Mother AI ranks from the next start on; with `min_score` None the threshold is learnt from earlier bars.

    Not `ranks`: every agent's wish goes straight to risk.
    """

    ranks: bool = False
    alpha: float = 0.6
    beta: float = 0.4
    top_n: int = 1
    min_score: float | None = None
    max_correlation: float = 0.9


@dataclass(frozen=True, slots=True)
class Roster:
    """Which agents there are. Not `is_own`: they follow the cockpit, its strategy everywhere and models that vote."""

    agents: tuple[AgentConfig, ...]
    mother: MotherConfig = MotherConfig()
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class AgentPrediction:
    """What an agent says: BUY, SELL or HOLD, how sure it is (0 to 100), and what a trade would do now.

    Prices are those of an entry at the last price under the account's risk settings, or of the open position; None
    while they are not known.
    """

    agent_name: str
    prediction: str
    confidence: float
    entry_price: Decimal | None
    target_price: Decimal | None
    stop_loss: Decimal | None


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent.

    `state`: running, paused, waiting (added since the start), going (dropped since), leaving (taken out of the
    file by hand since), unlisted (a model that votes and is not among the agents), failed or silent.

    Attributes
    ----------
    prediction : what it said last, None before its first bar.
    time : of that bar's close, UTC ms.
    reason : why it said so, or what is wrong.
    wins, n_trades : of its own closed trades on this account; `win_rate` is None without any, `shrunk` never.
    confidence : of a wish to buy now, 0 to 1; while it holds, what it would claim if it bought.
    score : what Mother AI would rank it by now.
    pnl : sum of its closed trades, in the quote asset.
    firings : closed hypothetical trades that its confidence rests on, and how many of them made money.
    """

    config: AgentConfig
    name: str
    display: str
    state: str
    prediction: AgentPrediction | None
    time: int
    reason: str
    wins: int
    n_trades: int
    win_rate: float | None
    shrunk: float
    confidence: float
    score: float
    pnl: Decimal
    firings: tuple[int, int] | None
    health: StrategyHealth
    light: HealthLight


@dataclass(frozen=True, slots=True)
class AgentDecision:
    """What became of an agent's wish: the outcome and the words of the verdict that decided."""

    time: int
    symbol: str
    display: str
    action: str
    outcome: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class MotherChoice:
    """One line of a portfolio decision: an agent's place, its score, whether it is chosen, and why."""

    agent_name: str
    symbol: str
    place: int
    score: float
    chosen: bool
    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Firings whose agent was about as sure: the mean of what it said, the share that made money, and their number."""

    said: float
    right: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class StudyCurve:
    """A way to trade the later bars: its return, worst drawdown, trades, and equity over start `(n_moments,)`."""

    name: str
    total_return: float
    drawdown: float
    n_trades: int
    equity: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class MotherStudy:
    """What Mother AI would have done on stored bars: the threshold from the first half, everything else on the second.

    `time` are close times (UTC ms), thinned as the curves are; `calibration` by agent's key, over all bars.
    """

    start: int
    end: int
    n_bars: int
    threshold: str
    min_score: float | None
    curves: tuple[StudyCurve, ...]
    time: IntArray
    calibration: dict[str, tuple[CalibrationBin, ...]]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AgentsView:
    """Everything on the page.

    Attributes
    ----------
    ranking : how the running engine ranks.
    study : None before the first.
    is_own : whether a list of its own decides who trades, not the cockpit's strategy.
    notices : what must be known before anything else, such as that nobody trades.
    """

    agents: tuple[AgentView, ...]
    mother: MotherConfig
    ranking: str
    decisions: tuple[AgentDecision, ...]
    choices: tuple[MotherChoice, ...]
    symbols: tuple[str, ...]
    timeframe: str
    strategies: tuple[tuple[str, str], ...]
    study: MotherStudy | None
    study_state: str
    needs_restart: bool
    is_own: bool = False
    notices: tuple[str, ...] = ()
