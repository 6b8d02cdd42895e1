"""Bars of the rehearsal exchange: folded from its trades, from candles, and cut by Binance's rules."""

import random
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from services.importing import load_candles
from trading.simulation.exchange import TradeDone, VenueError, default_symbols
from trading.simulation.exchange.klines import CLOSE, DAY_MS, HIGH, LOTS, LOW, MINUTE_MS, OPEN, Tape, grid_of, rest_row
from trading.simulation.exchange.paths import CandlePath, walk_inside
from trading.simulation.exchange.symbols import symbol_of

NOW = 1_700_000_040_000
BTC = symbol_of(default_symbols()[0])


def trade(n: int, time: int, price: str, quantity: str = "0.01", buyer_is_maker: bool = False) -> TradeDone:
    return TradeDone("BTCUSDT", n, Decimal(price), Decimal(quantity), time, buyer_is_maker, 2 * n, 2 * n + 1)


def test_a_bar_is_its_trades():
    tape = Tape(BTC)
    for n, price in enumerate(("100.00", "103.50", "99.01", "101.00"), 1):
        tape.add(trade(n, NOW + n * 1000, price, buyer_is_maker=n == 3))
    rows = tape.bars(grid_of("1m"), NOW, NOW)
    assert rest_row(BTC, rows[0], grid_of("1m")) == [
        NOW, "100.00000000", "103.50000000", "99.01000000", "101.00000000", "0.04000000", NOW + MINUTE_MS - 1,
        "4.03510000", 4, "0.03000000", "3.04500000", "0",
    ]  # fmt: skip


def test_a_minute_without_trades_is_flat_and_a_halted_one_is_missing():
    tape = Tape(BTC)
    tape.add(trade(1, NOW, "100.00"))
    tape.roll(NOW + 2 * MINUTE_MS)
    tape.trading = False
    tape.roll(NOW + 5 * MINUTE_MS)
    rows = tape.bars(grid_of("1m"), NOW, NOW + 9 * MINUTE_MS)
    assert [(int(r[0] - NOW) // MINUTE_MS, int(r[CLOSE]), int(r[LOTS])) for r in rows] == [
        (0, 10_000, 1_000), (1, 10_000, 0), (2, 10_000, 0)]


def test_longer_bars_are_folded_from_the_same_trades_whatever_the_interval():
    tape, dice = Tape(BTC), random.Random(3)
    for n in range(3_000):
        tape.add(trade(n + 1, NOW + n * 370_003, f"{dice.uniform(90, 110):.2f}", f"{dice.uniform(0.001, 2):.5f}"))
    end = NOW + 3_000 * 370_003
    whole = tape.bars(grid_of("1m"), 0, end)
    for interval in ("3m", "15m", "1h", "4h", "1d", "3d", "1w", "1M"):
        rows = tape.bars(grid_of(interval), 0, end)
        assert rows[:, LOTS].sum() == whole[:, LOTS].sum()
        assert rows[:, HIGH].max() == whole[:, HIGH].max()
        assert (rows[0, OPEN], rows[-1, CLOSE]) == (whole[0, OPEN], whole[-1, CLOSE])
        assert set(rows[:, OPEN].tolist()) <= set(whole[:, OPEN].tolist())
    assert tape.bars(grid_of("1w"), 0, end)[1, 0] // DAY_MS % 7 == 4, "weeks begin on Monday"


def test_days_of_another_time_zone_begin_at_its_midnight():
    tape = Tape(BTC)
    for n in range(100):
        tape.add(trade(n + 1, NOW + n * 3_600_000, "100.00"))
    rows = tape.bars(grid_of("1d", 8 * 3_600_000), 0, NOW + DAY_MS * 9)
    assert {int(t) % DAY_MS for t in rows[:, 0]} == {16 * 3_600_000}


def test_an_interval_that_there_is_not_is_refused():
    with pytest.raises(VenueError) as caught:
        grid_of("7m")
    assert caught.value.code == -1120


def test_a_walk_inside_a_bar_touches_high_and_low_and_trades_its_volume():
    for seed in range(200):
        dice = random.Random(seed)
        low, high = sorted(dice.sample(range(1_000, 2_000), 2))
        o, c, lots = dice.randint(low, high), dice.randint(low, high), dice.randint(0, 5_000)
        way = walk_inside((o, high, low, c), lots, dice)
        prices = [price for price, _ in way]
        assert (prices[0], max(prices), min(prices), prices[-1]) == (o, high, low, c)
        assert sum(n for _, n in way) == lots


def test_candles_become_a_past_that_ends_now_and_a_future_that_walks_to_and_fro(shared_data: Path):
    candles = load_candles(shared_data / "ohlcv" / "BTCUSDT-1m.parquet")[0][:200]
    path = CandlePath([candles], seed=5)
    past = path.history(BTC, NOW)
    assert past[-1, 0] == NOW - MINUTE_MS
    assert past[:, CLOSE].tolist() == [round(c * 100) for c in candles.close[:100].tolist()]
    assert past[:, LOTS].tolist() == [round(v * 1e5) for v in candles.volume[:100].tolist()]
    told = path.points({"BTCUSDT": BTC})
    walked = [next(told) for _ in range(60 * 210)]
    for n in (0, 57, 99, 100, 150, 199, 200):
        row = 100 + (n if n < 100 else 199 - n if n < 200 else n - 200)
        prices = [ticks for time, points in walked[n * 60 : n * 60 + 60] for _, ticks, _ in points]
        assert max(prices) <= round(candles.high[row] * 100)
        assert min(prices) >= round(candles.low[row] * 100)
    again = path.points({"BTCUSDT": BTC})
    assert walked == [next(again) for _ in walked]


def test_a_past_of_hours_is_told_by_the_minute_where_it_is_new(shared_data: Path):
    candles = load_candles(shared_data / "ohlcv" / "BTCUSDT-1h.parquet")[0][:400]
    past = CandlePath([candles], seed=5).history(BTC, NOW)
    assert past[-1, 0] == NOW - MINUTE_MS
    fine = past[-120 * 60 :]
    assert np.all(np.diff(fine[:, 0]) == MINUTE_MS)
    last = fine[-60:]
    assert last[:, HIGH].max() == round(candles.high[199] * 100)
    assert last[:, LOW].min() == round(candles.low[199] * 100)
    assert last[:, LOTS].sum() == round(candles.volume[199] * 1e5)
