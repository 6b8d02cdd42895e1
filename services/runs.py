"""What decides the outcome of a run: strategies, profile and costs as JSON values, and the account it trades on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from services.settings import Settings
from services.startup import run_id
from services.strategies import find_strategy, to_document
from trading.domain import RiskProfile
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.ranking import UNRANKED, Ranking
from trading.risk import PROFILES
from trading.strategies import RuleStrategy

Document = dict[str, Any]
_OFF = ("slippage_atr", "impact_rate")


def strategies_for(settings: Settings, symbols: Sequence[str]) -> list[RuleStrategy]:
    """Return the chosen strategy, or the demo, on each symbol."""
    chosen = find_strategy(settings.strategy or "", settings.data_dir)
    if settings.strategy and not set(symbols) <= set(chosen.symbols):
        named = ", ".join(chosen.symbols)
        print(f"the strategy names {named}; its rules are used on {', '.join(symbols)}", file=sys.stderr)
    return [chosen.for_symbol(symbol) for symbol in symbols]


def named_profile(name: str) -> RiskProfile:
    """Return a shipped risk profile; BadInput names those there are."""
    found = next((p for p in PROFILES if p.name == name), None)
    if found is None:
        raise BadInput(f"risk profile {name!r} is not known: use one of {', '.join(p.name for p in PROFILES)}")
    return found


def profile_for(profile: RiskProfile, strategy: RuleStrategy) -> RiskProfile:
    """Return the profile with what the strategy's document says of risk on top."""
    return replace(profile, **strategy.risk) if strategy.risk else profile


def ranking_of(strategy: RuleStrategy) -> Ranking:
    """Return how entries compete for the wallet: as the strategy's `rank` says, else in the order of the symbols."""
    return Ranking(strategy.rank.top_n) if strategy.rank else UNRANKED


def run_settings(strategies: Sequence[RuleStrategy], interval: str, capital: Decimal, profile: RiskProfile,
                 costs: CostSettings) -> Document:
    """Return what decides the outcome of a run, as JSON values; cost models that are off are left out."""
    rules = {name: value for name, value in to_document(strategies[0]).items() if name not in ("symbols", "notes")}
    priced = {name: rate for name, rate in asdict(costs).items() if rate or name not in _OFF}
    return {
        "assets": list(dict.fromkeys(strategy.symbol for strategy in strategies)), "interval": interval,
        "capital": str(capital),
        "profile": asdict(profile), "strategy": rules, **priced,
    }


def account_name(settings: Settings, badge: str, document: Document, versions: Document) -> str:
    """Return the account that a run trades on: a market's own one, or one for exactly this replay."""
    if badge == "REPLAY":
        return f"replay-{run_id(versions['candles'], document)}"
    return market_account(settings, badge)


def market_account(settings: Settings, badge: str) -> str:
    """Return the paper account of a market."""
    return f"paper-{badge.lower()}" + (f"-{settings.seed}" if badge == "SIMULATED" else "")
