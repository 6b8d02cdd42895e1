"""The strategy workshop on a folder of its own and on made candles; rules, store and kernel are the real ones."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.backtests.markets import Loaded, Source
from services.strategies.preview import Previewer
from services.strategies.workshop import Surroundings, Workshop
from services.symbols import specs_for
from tests.contracts.signal_source import random_candles
from trading.domain import INTERVAL_MS, Candles
from trading.domain.backtests import BacktestRequest, CostSettings
from trading.errors import BadInput
from trading.risk import PROFILES

N_BARS = 3_500
DIPS = {
    "version": 2, "name": "RSI dips", "symbols": ["BTCUSDT"], "timeframe": "1h", "side": "long",
    "parameters": {"rsi.period": {"value": 14, "low": 5, "high": 30, "step": 1}},
    "entry": {"all": [
        {"left": {"indicator": "rsi", "parameters": {"period": "$rsi.period"}}, "op": "crosses_above", "right": 30},
        {"left": "close", "op": ">", "right": "ema_200"},
        {"any": [{"left": "volume", "op": ">", "right": {"indicator": "volume_sma", "parameters": {"period": 20},
                                                         "times": 1.5}},
                 {"rising": "adx_14", "bars": 3}]}]},
    "exit": {"any": [{"left": "rsi_14", "op": ">", "right": 70}]},
    "risk": {"stop_atr": 2, "target_atr": 3}}
HOURS = {"time": {"from": "22:00", "to": "04:00"}}
NIGHT = {"version": 2, "name": "Night hours", "symbols": ["ETHUSDT"], "timeframe": "1h", "entry": HOURS,
         "exit": {"not": HOURS}}


class MadePreviewer(Previewer):
    """Previews on a random walk; a symbol that is none of ours has no candles."""

    n_asked = 0

    def _loaded(self, request: BacktestRequest) -> Loaded:
        self.n_asked += 1
        symbol, interval = request.symbols[0], request.interval
        if symbol not in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"):
            raise BadInput(f"no stored {interval} candles of {symbol}: download or import some")
        made = random_candles(N_BARS, 5)
        times = 1_651_438_800_000 + INTERVAL_MS[interval] * (made.open_time - made.open_time[0]) // (
            made.open_time[1] - made.open_time[0])
        candles = Candles(symbol, interval, times, *(getattr(made, name) for name in Candles.columns()[1:]))
        return Loaded((candles,), specs_for([symbol], {symbol: candles}))


def fake_workshop(folder: Path | None = None, stored: bool = True, trades: Any = ()) -> Workshop:
    """Return a workshop with two sound strategies and a broken one, or with none."""
    own = None if folder else tempfile.TemporaryDirectory(prefix="workshop-")
    place = folder or Path(own.name)
    previewer = MadePreviewer(Source(place), Decimal(10_000), CostSettings(), PROFILES[1])
    previewer.folder = own  # which is deleted with the workshop
    around = Surroundings(lambda: trades, lambda *_: (), lambda: ("demo",), ("BTCUSDT", "ETHUSDT"), "1h")
    workshop = Workshop(place / "strategies", previewer, around)
    if stored:
        workshop.save("BTCUSDT", "rsi-dips", DIPS, 0)
        workshop.save("BTCUSDT", "rsi-dips", DIPS | {"exit": {"any": [{"left": "rsi_14", "op": ">", "right": 65}]}}, 1)
        workshop.save("ETHUSDT", "night-hours", NIGHT, 0)
        (place / "strategies" / "ETHUSDT" / "broken.json").write_text('{"version": 2, "symbols": ["ETHUSDT"],\n "x"')
    return workshop
