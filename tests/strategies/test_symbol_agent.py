"""What a symbol agent says, how sure it is, and that it counts only what has already happened."""

import time

import numpy as np
import pytest

from services.strategies import demo_strategy, parse_strategy, shipped_strategies
from tests.contracts.signal_source import MINUTE, START, advise, random_candles
from trading.agents.quality import signal_quality
from trading.agents.symbol_agent import SymbolAgent
from trading.domain import Action, Candle


def feed(agent, closes):
    return [agent.on_candle(Candle("BTCUSDT", "1m", START + MINUTE * row, c, c, c, c, 1.0))
            for row, c in enumerate(closes)]


def voting(**indicators):
    return SymbolAgent(parse_strategy({"symbol": "BTCUSDT", "indicators": indicators}))


def two_bar_rsi():
    """Buys after every fall, sells after every rise (RSI 2 between 45 and 55 holds)."""
    return voting(rsi={"period": 2, "buy_below": 45.0, "sell_above": 55.0})


def test_signal_shows_votes_inputs_and_reason():
    agent = SymbolAgent(demo_strategy("BTCUSDT"))
    signal = feed(agent, [100.0 - row for row in range(30)])[-1]
    assert signal.source == "demo"
    assert signal.action is Action.BUY
    assert signal.votes == {"rsi": "buy", "ema": "-"}
    assert list(signal.inputs) == ["rsi_14", "ema_20", "close"]
    assert signal.inputs["rsi_14"] == 0.0
    assert signal.inputs["close"] == 71.0
    assert signal.reason == "RSI 0.0 < 30"


def test_cold_agent_says_that_it_is_warming_up_and_gives_no_invented_inputs():
    signal = feed(SymbolAgent(demo_strategy("BTCUSDT")), [100.0])[0]
    assert signal.votes == {"rsi": "warming up", "ema": "warming up"}
    assert signal.inputs == {"close": 100.0}
    assert signal.reason == "RSI 14 is warming up · EMA 20 is warming up"


def test_first_warm_average_has_no_crossing_yet():
    agent = voting(ema={"period": 3})
    signals = feed(agent, [10.0, 9.0, 8.0, 12.0])
    assert [s.votes["ema"] for s in signals] == ["warming up", "warming up", "warming up", "buy"]


def test_quality_counts_only_firings_whose_next_bar_has_closed():
    agent = two_bar_rsi()
    # Bars 1 and 2 fall and buy; the fall of bar 2 makes the first buy a miss; the rise of bar 3 the second a hit.
    signals = feed(agent, [100.0, 99.0, 98.0, 99.5, 99.0])
    assert [s.action for s in signals] == [Action.HOLD, Action.BUY, Action.BUY, Action.SELL, Action.HOLD]
    assert (agent.quality.n, agent.quality.hits) == (3, 2)


def test_quality_is_that_of_both_directions():
    agent = two_bar_rsi()
    signals = feed(agent, [100.0, 99.0, 90.0, 80.0, 120.0])
    assert signals[-1].action is Action.SELL
    assert (agent.quality.n, agent.quality.hits) == (3, 1)


def test_unchanged_close_is_a_miss():
    agent = two_bar_rsi()
    feed(agent, [100.0, 99.0, 99.0])
    assert (agent.quality.n, agent.quality.hits) == (1, 0)


def test_warm_up_and_single_bars_count_the_same_firings():
    candles = random_candles(2_000, seed=11)
    warmed, stepped = SymbolAgent(demo_strategy("BTCUSDT")), SymbolAgent(demo_strategy("BTCUSDT"))
    for low, high in ((0, 1), (1, 900), (900, 2_000)):
        warmed.warm_up(candles[low:high])
        advise(stepped, candles[low:high])
        assert warmed.quality == stepped.quality
    assert stepped.quality.n > 100


def test_counts_equal_a_plain_recount_over_all_bars():
    candles = random_candles(2_000, seed=12)
    agent = SymbolAgent(demo_strategy("BTCUSDT"))
    signals = advise(agent, candles)
    fired = {Action.BUY: 0, Action.SELL: 0}
    hits = {Action.BUY: 0, Action.SELL: 0}
    for row in range(len(signals)):
        if row and signals[row - 1].action in fired:
            last = signals[row - 1].action
            move = candles.close[row] - candles.close[row - 1]
            fired[last] += 1
            hits[last] += move > 0 if last is Action.BUY else move < 0
    assert (agent.quality.n, agent.quality.hits) == (sum(fired.values()), sum(hits.values()))


def test_agents_and_columns_decide_alike_on_real_minutes(shared_data):
    pd = pytest.importorskip("pandas")
    frame = pd.read_parquet(shared_data / "ohlcv" / "SOLUSDT-1m.parquet")[:5_000]
    candles = random_candles(5_000, symbol="SOLUSDT")
    for column in ("open_time", "open", "high", "low", "close", "volume"):
        getattr(candles, column)[:] = frame[column].to_numpy()
    strategy = demo_strategy("SOLUSDT")
    words = {Action.BUY: 1, Action.HOLD: 0, Action.SELL: -1}
    assert [words[s.action] for s in advise(SymbolAgent(strategy), candles)] == strategy.directions(candles).tolist()


def test_cold_agent_takes_in_100_000_bars_in_well_under_a_second():
    candles = random_candles(100_000)
    SymbolAgent(demo_strategy("BTCUSDT")).warm_up(candles[:100])
    agent = SymbolAgent(demo_strategy("BTCUSDT"))
    begin = time.perf_counter()
    agent.warm_up(candles)
    assert time.perf_counter() - begin < 0.5


def test_quality_has_a_wilson_interval_and_says_nothing_without_firings():
    assert signal_quality(0, 0).rate is None
    half = signal_quality(50, 100)
    assert (half.rate, half.low, half.high) == (0.5, pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert signal_quality(0, 3).low == 0.0
    assert signal_quality(3, 3).high == 1.0
    assert np.isfinite(signal_quality(3, 3).low)


def test_a_signal_carries_the_number_by_which_symbols_compete():
    document = next(document for name, document in shipped_strategies() if name == "momentum-rotation")
    strategy = parse_strategy(document).with_parameters({"momentum.bars": 48}).for_symbol("BTCUSDT")
    candles = random_candles(120)
    agent, scores = SymbolAgent(strategy), strategy.scores(candles)
    said = [agent.on_candle(candles.candle(row)).score for row in range(len(candles))]
    assert np.array_equal(said, scores, equal_nan=True) and np.isfinite(scores[-1])
