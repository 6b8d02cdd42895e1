"""The candles that a model is trained on: the same sources as a backtest's."""

from __future__ import annotations

from dataclasses import dataclass

from services.backtests.markets import Source, Span, is_simulated, read
from services.symbols import specs_for
from trading.domain import Candles, SymbolSpec
from trading.domain.learning import TrainRequest

SIMULATED = "SIMULATED"


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Bars of one symbol and interval with the symbol's limits; `origin` is `SIMULATED` for invented ones."""

    candles: Candles
    spec: SymbolSpec
    origin: str = ""


def market_of(source: Source, request: TrainRequest) -> Market:
    """Return the candles that a question asks about.

    Raises
    ------
    BadInput
        There are none, or none between the dates.
    """
    return newest_of(source, Span(request.symbol, request.interval, request.start, request.end))


def newest_of(source: Source, span: Span) -> Market:
    """Return a span's bars as stored now; raises as `market_of`."""
    candles = read(source, span)
    if source.simulated is not None and is_simulated(source):
        return Market(candles, source.simulated.candles(span.symbol)[1], SIMULATED)
    return Market(candles, specs_for([span.symbol], {span.symbol: candles})[span.symbol])
