"""Load the compiled rules before the first order: numba fetches each from its disk cache at its first call."""

import numpy as np

from trading import arithmetic, rules, scoring
from trading.domain import Candle
from trading.shadow import Shadow


def load_rules() -> None:
    """Call once whatever engine, agents, risk, ledger and paper broker call of the compiled rule book.

    Each first call in a process costs about 10 ms, and an order asks for several one after the other.
    """
    market, costs = rules.Market(10, 1, 1_000, 1, 0, 1), rules.Costs(1_000, 50, 200, 100_000)
    _load_entry(market, costs)
    _load_prices(market, costs)
    _load_ranking()
    shadow = Shadow()
    shadow.push(Candle("BTCUSDT", "1m", 0, 1.0, 1.0, 1.0, 1.0, 1.0), 1.0, 1)
    shadow.confidence(1)


def _load_entry(market: rules.Market, costs: rules.Costs) -> None:
    limits, wallet = rules.Limits(10_000, 2_000, 3_000, 0, 250_000, 600_000, 4, 30_000, 100_000), rules.Wallet(1, 1, 0)
    rules.approved_entry(market, limits, costs, wallet, rules.Entry(1, 1, 0, 0))
    rules.stop_price(1, 1, 1)
    rules.target_price(1, 1, 1)
    rules.raised_stop(limits, rules.Position(1, 1, 1, rules.STOP_FIXED), 1)
    rules.protective_exit(1, 1, 1, 1, 1)
    rules.loss_ppm(1, 1)


def _load_prices(market: rules.Market, costs: rules.Costs) -> None:
    for price_rule in (rules.notional_ceil, rules.notional_floor, rules.holding_value):
        price_rule(market, 1, 1)
    rules.atoms_value(1, 1, 1, 1)
    rules.affordable_lots(market, 1, 1)
    rules.buy_price(costs, 1, 1, 1)
    rules.sell_price(costs, 1, 1, 1)
    rules.commission_units(costs, 1)
    rules.commission_atoms(market, costs, 1)
    rules.volume_taken(1, 1)
    rules.fillable_lots(costs, 1, 1)


def _load_ranking() -> None:
    arithmetic.ppm_floor(1, 1)
    rules.combined_score(rules.WEIGHTS, 0.5, 1, 1)
    rules.shrunk_rate(1, 1, 1.0, 1.0)
    scoring.passed_over(0.5, 0.5, False, 1, 1)
    known = scoring.Closes(np.arange(3), np.ones(3), 0, 2)
    scoring.correlation(known, known, 2)
