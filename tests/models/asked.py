"""Small questions to training."""

from __future__ import annotations

from services.symbols import specs_for
from tests.fakes.asked import AGGRESSIVE
from trading.domain.backtests import CostSettings
from trading.domain.learning import ModelSettings, TrainRequest

SMALL = ModelSettings(n_folds=3, trees=8, depth=3, rounds=8, embargo_bars=5)
FREE = CostSettings(commission_rate=0.0, spread_bps=0.0, slippage_bps=0.0)
DEAR = CostSettings()
SPEC = specs_for(["BTCUSDT"])["BTCUSDT"]


def asked(settings: ModelSettings = SMALL, costs: CostSettings = DEAR, interval: str = "1h") -> TrainRequest:
    """Return a question about Bitcoin."""
    return TrainRequest("BTCUSDT", interval, None, None, settings, costs, AGGRESSIVE)


def still(_share: float, _stage: str) -> None:
    """Hear of progress and do nothing."""
