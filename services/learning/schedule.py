"""Background jobs of learning: they only submit; the work is done in the process that trains."""

from __future__ import annotations

from services.learning.service import SCHEDULE, LearningService
from trading.domain import RiskProfile
from trading.domain.learning import TrainRequest
from trading.errors import BadInput


def retrain(service: LearningService, profile: RiskProfile) -> str:
    """Train every market again that is kept fresh and has newer candles; say how many."""
    begun, skipped, refused = 0, 0, []
    last = {choice.symbol: choice.last for choice in service.markets()}
    for symbol, interval in service.held_markets():
        if symbol not in last or not service.is_kept_fresh(symbol, interval):
            continue
        asked, seen = service.trained_last(symbol, interval)
        if last[symbol] <= seen:
            skipped += 1
            continue
        try:
            service.start(asked or _usual(service, symbol, interval, profile), SCHEDULE)
            begun += 1
        except BadInput as error:
            refused.append(str(error))
    words = [f"{begun} begun", *([f"{skipped} without newer candles"] if skipped else []), *refused]
    return ", ".join(words)


def _usual(service: LearningService, symbol: str, interval: str, profile: RiskProfile) -> TrainRequest:
    """Return the question for a market that was never trained from the page: its champion's settings, all candles."""
    champion = service.champion(symbol, interval)
    if champion is None:
        raise BadInput(f"{symbol} {interval}: train it once by hand")
    return TrainRequest(symbol, interval, None, None, champion.settings, service.costs(), profile)


def check_drift(service: LearningService) -> str:
    """Have every champion looked at; say how many."""
    begun = sum(service.check_drift(symbol, interval) for symbol, interval in service.held_markets())
    return f"{begun} champions looked at" if begun != 1 else "1 champion looked at"
