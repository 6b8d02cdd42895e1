"""Put the rehearsal service together: the exchange's command line, and settings for the cockpit on it."""

from __future__ import annotations

from importlib import import_module

from services.backtests.markets import Source, market_choices
from services.rehearsal.child import ROOT
from services.rehearsal.drill import strategy_of
from services.rehearsal.prices import stored_files
from services.rehearsal.running import ComposeCockpit
from services.rehearsal.service import RehearsalParts, RehearsalService
from services.settings import Settings
from trading.domain.rehearsal import STORED, RehearsalRequest, RehearsalUrls

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
"""What the exchange lists without stored candles; a test compares them with its own documents."""

HISTORY_BARS = 1_000  # enough for every shipped indicator, and fetched within a second


def rehearsal_service(settings: Settings, compose: ComposeCockpit) -> RehearsalService:
    """Return the service; nothing runs before a rehearsal is started."""
    import_module("pandas")  # pyarrow would, on the rehearsal's thread: the screen's encoder trips over half of it
    source = Source(settings.candles_dir)
    return RehearsalService(RehearsalParts(lambda request, port: exchange_command(settings, request, port), compose,
                                           SYMBOLS, lambda: market_choices(source)))


def exchange_command(settings: Settings, request: RehearsalRequest, port: int) -> list[str]:
    """Return the command line of the exchange; stored candles are laid out for it first."""
    prices = ["--sim"]
    if request.source == STORED:
        folder = settings.data_dir / "rehearsal" / "candles"
        prices = ["--data", str(stored_files(settings.candles_dir, request.symbols, folder))]
    faults = ["--faults-every", f"{request.faults_every_s:g}"] if request.faults_every_s else []
    return [str(ROOT / "main.py"), "--mode", "exchange", "--port", str(port), "--assets", ",".join(request.symbols),
            "--seed", str(request.seed), "--speed", f"{request.speed:g}", *prices, *faults]


def settings_there(settings: Settings, request: RehearsalRequest, urls: RehearsalUrls) -> Settings:
    """Return the settings of the cockpit on the exchange: those of this one, but for where and what it trades."""
    changes = {
        "venue": "rehearsal", "exchange_url": urls.rest, "feed": "binance", "assets": request.symbols, "interval": "1m",
        "history_bars": min(settings.history_bars, HISTORY_BARS), "rest_url": urls.rest, "stream_url": urls.streams,
        "strategy": strategy_of(request, settings.strategy, settings.data_dir / "rehearsal"),
    }
    return settings.model_copy(update=changes)
