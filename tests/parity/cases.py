"""Random markets, accounts and strategies on which engine and kernel must agree."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from tests.fakes.made_candles import stored_candles
from trading.domain import INTERVAL_MS, Candles, FloatArray, RiskProfile, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.indicators import INDICATORS
from trading.ranking import UNRANKED, Mother, Ranking
from trading.rules import Weights

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
START = 1_700_006_400_000  # 2023-11-15 00:00 UTC


@dataclass(frozen=True, slots=True)
class Case:
    """One question for both drivers."""

    candles: tuple[Candles, ...]
    specs: dict[str, SymbolSpec]
    capital: int
    costs: CostSettings
    profile: RiskProfile
    directions: tuple[np.ndarray, ...]
    scores: tuple[FloatArray, ...]
    ranking: Ranking


def either(*values):
    return st.sampled_from(values)


profiles = st.builds(
    RiskProfile, name=st.just("Own"), risk_rate=either(0.002, 0.01, 0.1), stop_atr=either(0.3, 1.0, 2.0, 5.0),
    target_atr=either(0.0, 0.5, 1.0, 3.0), trail_atr=either(0.0, 0.0, 0.7, 2.0),
    max_position_rate=either(0.02, 0.25, 1.0), max_exposure_rate=either(0.05, 0.3, 0.6, 1.0),
    max_positions=either(1, 2, 20), daily_loss_rate=either(0.001, 0.02, 0.5),
    max_drawdown_rate=either(0.002, 0.01, 0.1, 0.9),
    breakeven_atr=either(0.0, 0.0, 0.3, 1.0), time_stop_bars=either(0, 0, 3, 12), cool_down_bars=either(0, 0, 2, 8),
)
cost_settings = st.builds(
    CostSettings, commission_rate=either(0.0, 0.001, 0.01), spread_bps=either(0.0, 1.0, 30.0),
    slippage_bps=either(0.0, 2.0, 25.0), volume_share=either(0.01, 0.1, 1.0), slippage_atr=either(0.0, 0.0, 0.05, 0.4),
    impact_rate=either(0.0, 0.0, 0.1, 2.0),
)


@dataclass(frozen=True, slots=True)
class Weather:
    """How a made market moves; `_rate` are chances a bar."""

    interval: str
    n_bars: int
    volatility: float
    jump_rate: float
    volume_lots: int
    missing_rate: float
    buy_rate: float
    sell_rate: float
    seed: int


weathers = st.builds(
    Weather, interval=either("1m", "1h", "1d"), n_bars=st.integers(18, 120), volatility=either(0.0003, 0.003, 0.02),
    jump_rate=either(0.0, 0.02, 0.1), volume_lots=either(3, 60, 2_000, 10**7), missing_rate=either(0.0, 0.1),
    buy_rate=either(0.05, 0.3, 0.8), sell_rate=either(0.0, 0.05, 0.3), seed=st.integers(0, 2**32 - 1),
)


MOTHERS = (
    Ranking(1, 0.4, Mother()), Ranking(2, 0.3, Mother(Weights(0.2, 0.8, 1.0, 2.0), 0.0, 60)),
    Ranking(3, mother=Mother(Weights(0.5, 0.5), -0.2, 45)),
)
rankings = either(UNRANKED, Ranking(1, 0.3), Ranking(2), *MOTHERS)
GRIDS = ("0.01", "0.00001"), ("0.01", "0.01"), ("0.5", "0.3"), ("0.00025", "1"), ("1", "0.00000001")


@st.composite
def specs_of(draw, symbol: str) -> SymbolSpec:
    tick, lot = draw(either(*GRIDS))
    least, most = draw(either(1, 1, 1, 7, 40)), draw(either(0, 0, 50, 900, 10**12))
    step = Decimal(lot)
    return SymbolSpec(symbol, Decimal(tick), step, step * least, step * max(most, least) if most else Decimal(0),
                      Decimal(draw(either("0", "5", "40"))))


@st.composite
def walks(draw) -> Case:
    """Random walks of one to three symbols."""
    symbols = [f"S{n}USDT" for n in range(draw(either(1, 1, 2, 3)))]
    specs = {symbol: draw(specs_of(symbol)) for symbol in symbols}
    return _advised(draw, draw(weathers), specs, draw(profiles), draw(rankings))


@st.composite
def crowds(draw) -> Case:
    """Twelve symbols that all want to buy at once."""
    weather = Weather("1m", 24, 0.002, 0.0, 10**7, 0.0, 0.9, 0.1, draw(st.integers(0, 2**32 - 1)))
    specs = {s: fine(s) for s in (f"S{n}USDT" for n in range(12))}
    return _advised(draw, weather, specs, RiskProfile("Own", 0.001, 1.0, 0.0, 0.0, 0.02, 1.0, 50, 0.5, 0.9), UNRANKED)


@st.composite
def dusty(draw) -> Case:
    """A stop that is hit while the entry still waits for volume, so that too little is left to sell."""
    n, lots, missing = 20, draw(st.integers(20, 200)), draw(st.integers(1, 6))
    spec = SymbolSpec("S0USDT", Decimal("0.01"), Decimal("0.01"), Decimal("0.07"), Decimal(0), Decimal(0))
    close = 1_000.0 + np.arange(n) % 2
    close[17:] = 900.0
    volume = np.full(n, float(lots))
    volume[16:] = (lots - missing) / 100, 0.0, 90.0, 90.0
    open_ = np.concatenate(([1_000.0], close[:-1]))
    candles = _candles("S0USDT", "1h", _with_wicks(open_, close, volume))
    direction = np.zeros(n, np.int8)
    direction[15] = 1
    profile = RiskProfile("Own", 0.1, 0.3, 0.0, 0.0, 0.25, 1.0, 1, 0.9, 0.95)
    capital = int(lots / 100 * 1_001 * 4 * 1.002 * 10**8)
    costs = CostSettings(0.0, 0.0, 0.0, 1.0)
    return Case((candles,), {"S0USDT": spec}, capital, costs, profile, (direction,), (np.zeros(n),), UNRANKED)


@st.composite
def pinched(draw) -> Case:
    """An entry that is worth enough at the close and too little at the open by which the venue judges it."""
    n, minimum = 20, draw(st.integers(5, 500))
    spec = SymbolSpec("S0USDT", Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(0), Decimal(minimum))
    open_ = np.full(n, 1_000.0)
    candles = _candles("S0USDT", "1h", _with_wicks(open_, open_ + draw(st.integers(1, 9)), np.full(n, 50.0)))
    direction = (np.arange(n) % 4 == 3).astype(np.int8)
    profile = RiskProfile("Own", 0.1, 0.3, 0.0, 0.0, 0.1, 1.0, 1, 0.9, 0.95)
    capital = int(minimum * 10 * (1.0 + draw(st.integers(1, 9)) / 10_000) * 10**8)
    return Case((candles,), {"S0USDT": spec}, capital, CostSettings(), profile, (direction,), (np.zeros(n),), UNRANKED)


def _with_wicks(open_: np.ndarray, close: np.ndarray, volume: np.ndarray) -> tuple[np.ndarray, ...]:
    return open_, np.maximum(open_, close) + 1, np.minimum(open_, close) - 1, close, volume


def fine(symbol: str) -> SymbolSpec:
    """A grid as the venue has it for large coins."""
    return SymbolSpec(symbol, Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(9_000), Decimal(5))


@st.composite
def real(draw) -> Case:
    """Stretches of real candles under rules of averages and of the relative strength index."""
    files = sorted((SHARED / "ohlcv").glob("*USDT-*.parquet"))
    interval = draw(either("1m", "1h"))
    names = [path for path in files if path.stem.endswith(interval)][: draw(either(1, 1, 3))]
    start, n = draw(st.integers(0, 20_000)), draw(st.integers(30, 150))
    candles = tuple(_stored(path)[start : start + n] for path in names)
    specs = {c.symbol: fine(c.symbol) for c in candles}
    period, level = draw(st.integers(2, 14)), draw(st.integers(35, 55))
    directions = tuple(_rules(c, period, level) for c in candles)
    scores = tuple(np.nan_to_num(INDICATORS["rsi"].compute(c, period=5)["rsi"]) for c in candles)
    capital, ranking = draw(either(300, 10_000)), draw(either(UNRANKED, Ranking(1, 20.0), Ranking(2, 5.0, Mother())))
    return Case(candles, specs, capital * 10**8, draw(cost_settings), draw(profiles), directions, scores, ranking)


@lru_cache(maxsize=8)
def _stored(path: Path) -> Candles:
    return stored_candles(path)


def _rules(candles: Candles, period: int, level: float) -> np.ndarray:
    """Buy below a level of the index, sell when the close crosses below its average."""
    rsi = INDICATORS["rsi"].compute(candles, period=period)["rsi"]
    mean = INDICATORS["sma"].compute(candles, period=period)["sma"]
    below = candles.close < mean
    crossed = below & ~np.concatenate(([True], below[:-1]))
    return (rsi < level).astype(np.int8) * ~crossed - crossed.astype(np.int8) * ~(rsi < level)


def cases():
    """Every kind of case, in the proportions that reach each rule."""
    kinds = [walks()] * 8 + [crowds(), dusty(), pinched()] + [real()] * (3 if (SHARED / "ohlcv").is_dir() else 0)
    return st.one_of(kinds)


def _advised(draw, weather: Weather, specs: dict[str, SymbolSpec], profile: RiskProfile, ranking: Ranking) -> Case:
    rng = np.random.default_rng(weather.seed)
    candles = tuple(walk(rng, symbol, spec, weather) for symbol, spec in specs.items())
    chances = [weather.sell_rate * (1 - weather.buy_rate), 0.0, weather.buy_rate]
    chances[1] = 1.0 - sum(chances)
    directions = tuple(rng.choice(np.array([-1, 0, 1], np.int8), len(c), p=chances) for c in candles)
    scores = tuple(np.where(rng.random(len(c)) < 0.1, np.nan, rng.integers(0, 5, len(c)) / 4.0) for c in candles)
    capital = draw(either(11, 300, 10_000, 1_000_000, 50_000_000))
    return Case(candles, specs, capital * 10**8, draw(cost_settings), profile, directions, scores, ranking)


def _candles(symbol: str, interval: str, bars: tuple[np.ndarray, ...]) -> Candles:
    times = START + np.arange(len(bars[0]), dtype=np.int64) * INTERVAL_MS[interval]
    zeros = np.zeros(len(times))
    return Candles(symbol, interval, times, *bars, zeros, zeros.astype(np.int64), zeros)


def walk(rng: np.random.Generator, symbol: str, spec: SymbolSpec, weather: Weather) -> Candles:
    """A random walk on the symbol's grid, with jumps, quiet bars, bars without volume and bars that are missing."""
    n, tick, lot = weather.n_bars, float(spec.tick_size), float(spec.lot_size)
    level = tick * int(10 ** rng.uniform(2.5, 6.5))
    jumps = np.where(rng.random(n) < weather.jump_rate, rng.normal(0, 0.05, n), 0.0)
    steps = rng.normal(0, weather.volatility, n) + jumps
    close = np.maximum(2 * tick, level * np.exp(np.cumsum(steps)))
    gap = np.where(rng.random(n) < 0.3, rng.normal(0, weather.volatility * 2, n), 0.0)
    open_ = np.maximum(2 * tick, np.concatenate(([level], close[:-1])) * np.exp(gap))
    wick = np.abs(rng.normal(0, weather.volatility, (2, n))) * close * (rng.random((2, n)) < 0.8)
    o, c = np.round(open_ / tick) * tick, np.round(close / tick) * tick
    high = np.round((np.maximum(o, c) + wick[0]) / tick) * tick
    low = np.maximum(tick, np.round((np.minimum(o, c) - wick[1]) / tick) * tick)
    volume = np.round(rng.exponential(weather.volume_lots, n)) * lot * (rng.random(n) < 0.95)
    bars = o, np.maximum(high, np.maximum(o, c)), np.minimum(low, np.minimum(o, c)), c, volume
    candles = _candles(symbol, weather.interval, bars)
    present = rng.random(n) >= weather.missing_rate
    present[0] = True
    return candles.map(lambda column: np.ascontiguousarray(column[present]))
