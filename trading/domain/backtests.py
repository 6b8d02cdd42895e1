"""What a backtest is asked and what it answers, for screen, report and store. UTC ms; rates are fractions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.market import FloatArray, IntArray
from trading.domain.views import RiskProfile


@dataclass(frozen=True, slots=True)
class CostSettings:
    """What trading costs.

    `slippage_atr` adds that many average true ranges to a market order's price, `impact_rate` that fraction of the
    price times the squared share of the bar's volume that the order takes (the default models are off).
    """

    commission_rate: float = 0.001
    spread_bps: float = 1.0
    slippage_bps: float = 2.0
    volume_share: float = 0.10
    slippage_atr: float = 0.0
    impact_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """One question. `document` is the strategy's JSON, `strategy` the name it goes by.

    `train_days` and `test_days` above 0 ask for a walk-forward; `sweep` names parameters and their grids
    (`rsi.period=5:30:1,rsi.buy_below=20:40:5`), which a walk-forward also chooses from.
    """

    strategy: str
    document: Mapping[str, Any]
    symbols: tuple[str, ...]
    interval: str
    start: int | None
    end: int | None
    capital: Decimal
    costs: CostSettings
    profile: RiskProfile
    train_days: int = 0
    test_days: int = 0
    sweep: str = ""


@dataclass(frozen=True, slots=True)
class StrategyChoice:
    """A strategy that can be chosen: its id, what it is called, when it fails, and its document."""

    id: str
    name: str
    notes: str
    document: Mapping[str, Any]
    symbols: tuple[str, ...]
    interval: str | None
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarketChoice:
    """Stored candles of a symbol: the timeframes they fold into, first and last open time of the smallest."""

    symbol: str
    display: str
    intervals: tuple[str, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class BacktestTrade:
    """A finished round trip; money in the quote asset, `pnl` net of fees."""

    number: int
    symbol: str
    display: str
    side: str
    quantity: Decimal
    entry_time: int
    entry_price: Decimal
    exit_time: int
    exit_price: Decimal
    fees: Decimal
    pnl: Decimal
    pnl_rate: float
    opened_by: str
    closed_because: str
    confidence: float | None
    decimals: int


@dataclass(frozen=True, slots=True, eq=False)
class BacktestCurve:
    """Columns `(n_points,)`, at most about 2,000: quote units, drawdown <= 0; the band may be empty."""

    time: IntArray
    equity: FloatArray
    benchmark: FloatArray
    drawdown: FloatArray
    exposure: FloatArray
    band_low: FloatArray
    band_high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Plateau:
    """A figure of merit over two parameters, `values` `(n_y, n_x)`, NaN where nothing was run."""

    x_name: str
    y_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    values: FloatArray
    figure: str
    chosen: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class WalkWindow:
    """One step of a walk-forward: what was chosen on the training part and what came of it on the untouched part."""

    train_start: int
    test_start: int
    test_end: int
    parameters: Mapping[str, float]
    train_sharpe: float | None
    test_sharpe: float | None
    test_return: float
    n_trades: int


@dataclass(frozen=True, slots=True)
class Check:
    """One question of "Is it real?". `state`: waiting, running, pass, warn, fail, skipped; `detail` has the figure."""

    name: str
    state: str
    detail: str
    explanation: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BacktestView:
    """A finished run.

    `figures` holds metrics by name (`total_return`, `cagr`, `sharpe`, `sharpe_low`, `sharpe_high`, `deflated_sharpe`,
    `n_trials`, `max_drawdown`, `drawdown_days`, `win_rate`, `n_trades`, `profit_factor`, `expectancy`, `pbo`, ...; None
    where undefined). `months` rows are (year, twelve returns or None, the year's return). `costs` are (name, amount in
    quote units), `distribution` (bin edges of trade returns, counts). `hashes` name candles, strategy, settings and
    code; `notes` say what a reader must know (gaps, a kill switch that tripped, no trades). `end_equity` is the last
    worth to the unit, None for runs stored before it was kept.
    """

    key: str
    request: BacktestRequest
    quote: str
    seconds: float
    figures: Mapping[str, float | None]
    curve: BacktestCurve
    months: tuple[tuple[int, tuple[float | None, ...], float], ...]
    trades: tuple[BacktestTrade, ...]
    costs: tuple[tuple[str, float], ...]
    distribution: tuple[FloatArray, IntArray]
    plateau: Plateau | None
    windows: tuple[WalkWindow, ...]
    checks: tuple[Check, ...]
    hashes: Mapping[str, str]
    notes: tuple[str, ...]
    end_equity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BacktestProgress:
    """How far a run is. `state`: waiting, running, done, failed or cancelled; `done` 0 to 1; `version` rises."""

    key: str
    state: str
    done: float
    stage: str
    error: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A stored run in the list. `mode` is whole, walk-forward or sweep, or empty for runs stored before it was kept."""

    key: str
    created: int
    strategy: str
    symbols: tuple[str, ...]
    interval: str
    total_return: float | None
    sharpe: float | None
    n_trades: int
    mode: str = ""
    start: int | None = None
    end: int | None = None
    capital: str = ""
