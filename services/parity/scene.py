"""What the replay of an account starts from: its settings at every start, its limits, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.agents.engaging import ranking_from
from services.parity.account import Recorded
from services.parity.acts import acts_of, asked_inline, session_at_start
from services.parity.replay import Rules, Scene, Start
from services.parity.trips import Held, Holdings, Wallet
from services.strategies import parse_strategy
from trading.domain import INTERVAL_MS, RiskProfile
from trading.domain.backtests import CostSettings
from trading.portfolio import costs_of
from trading.strategies import RuleStrategy

UNITS = 10**8
COSTS = tuple(CostSettings.__dataclass_fields__)


def scene_of(account: Recorded, wallet: Wallet) -> Scene:
    """Return everything but the candles."""
    holdings = Holdings(account.course, wallet)

    def standing(time: int) -> tuple[int, dict[str, Held]] | None:
        return (account.equity[time], holdings.at(time)) if time in account.equity else None

    state, mode = session_at_start(account)
    step = INTERVAL_MS[account.settings["interval"]]
    held = {(symbol, time + 1 - step) for symbol, time in account.held_back}
    held |= {(symbol, time + 1 - step) for symbol, time in account.no_position if holdings.at(time)[symbol].is_open}
    return Scene(account.specs, wallet.units, rules_of(account), acts_of(account), frozenset(held),
                 account.votes, Start(state, mode, asked_inline(account)), standing, account.abstained,
                 account.absent)


def wallet_of(account: Recorded) -> Wallet:
    """Return what the account's ledger started with."""
    units = int(Decimal(account.settings["capital"]) * UNITS)
    return Wallet(account.specs, units, _rules(account.settings, {}).costs)


def rules_of(account: Recorded) -> list[tuple[int, Rules]]:
    """Return the rules of each start that changed them, with the open time from which they held."""
    first = account.starts[0].body if account.starts else {}
    found = [(0, _rules(account.settings, first))]
    step, known = INTERVAL_MS[account.settings["interval"]], account.settings
    for start in account.starts[1:]:
        if start.body["settings"] != known:
            known = start.body["settings"]
            found.append(((start.body["time"] + 1) // step * step, _rules(known, start.body)))
    return found


def _rules(settings: Mapping[str, Any], start: Mapping[str, Any]) -> Rules:
    costs = CostSettings(**{name: settings[name] for name in COSTS if name in settings})
    ranking = ranking_from(settings["ranking"]) if "ranking" in settings else None
    return Rules(_strategies(settings), RiskProfile(**settings["profile"]), costs_of(costs), ranking,
                 start.get("known_from", {}))


def _strategies(settings: Mapping[str, Any]) -> tuple[RuleStrategy, ...]:
    """Return each agent's rules; without agents of their own, the same rules on every symbol."""
    if "agents" in settings:
        return tuple(_parsed(agent["rules"], [agent["symbol"]]) for agent in settings["agents"])
    strategy = _parsed(settings["strategy"], list(settings["assets"]))
    return tuple(strategy.for_symbol(symbol) for symbol in settings["assets"])


def _parsed(rules: Mapping[str, Any], symbols: list[str]) -> RuleStrategy:
    return parse_strategy({**rules, "symbols": symbols}, "", rules.get("name", ""))
