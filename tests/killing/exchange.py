"""The exchange of a campaign, in a process of its own: `python -m tests.killing.exchange SEED`.

Four symbols that take orders each in its own way, no rate limits, and back doors beside the rehearsal's: other limits
of a symbol, executions that show late, orders matched late, orders by our own hand that no database knows.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.fakes.rehearsal_exchange import wall_ms
from tests.killing.leash import end_with_parent
from trading.simulation.exchange.accounts import Account
from trading.simulation.exchange.limits import RAW, Limit
from trading.simulation.exchange.order_counts import OrderLimit
from trading.simulation.exchange.paths import SimulatedPath
from trading.simulation.exchange.rehearsal import Rehearsal, Terms
from trading.simulation.exchange.server import ExchangeServer
from trading.simulation.exchange.symbols import default_symbols

PLAIN, GAPPY, BARE, LONELY = "BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"
"""Takes brackets; has stops with a limit only, so no brackets; takes them by OTO; says so and refuses them."""
SYMBOLS = (PLAIN, GAPPY, BARE, LONELY)
WITHOUT_END = 10**7
WORKS = ("NEW", "PARTIALLY_FILLED")
ALONE = -1
"""Number of the list of an order that is in none."""
USUAL, MOST = 500, 1_000
"""How many trades GET myTrades tells of, unless told otherwise, and at most."""
FUNDS = {"USDT": Decimal(1_000_000), "BTC": Decimal(10), "ETH": Decimal(100), "SOL": Decimal(1_000),
         "BNB": Decimal(1_000)}


def documents() -> list[dict[str, Any]]:
    """Return the symbols' documents."""
    found = {str(each["symbol"]): dict(each) for each in default_symbols()}
    kinds = found[GAPPY]["orderTypes"]
    found[GAPPY]["orderTypes"] = [kind for kind in kinds if kind not in ("STOP_LOSS", "TAKE_PROFIT")]
    found[BARE]["opoAllowed"] = False
    change(found[LONELY], "MAX_NUM_ORDER_LISTS", maxNumOrderLists=0)
    for each in found.values():
        change(each, "MAX_NUM_ALGO_ORDERS", maxNumAlgoOrders=50)
    return list(found.values())


def change(document: Mapping[str, Any], name: str, **values: Any) -> dict[str, Any]:
    """Set values of a filter and return what they were."""
    one = next(each for each in document["filters"] if each["filterType"] == name)
    before = {key: one.get(key) for key in values}
    one.update(values)
    return before


class BackDoor:
    """What a campaign does to the exchange beside its switches."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._lag_ms = self._slow_ms = 0
        self._changed: dict[tuple[str, str], dict[str, Any]] = {}
        self._truth = rehearsal.exchange.request
        rehearsal.exchange.request = self._request  # type: ignore[method-assign]

    def open(self, server: ExchangeServer) -> None:
        """Add the doors to the rehearsal's own."""
        server._admin._routes |= {("POST", "/limits"): self._limits, ("POST", "/lag"): self._lag,
                                  ("POST", "/order"): self._order, ("POST", "/still"): self._still,
                                  ("POST", "/slow"): self._slow, ("POST", "/reset"): self._reset}

    def _limits(self, account: Account, asked: Mapping[str, Any]) -> Any:
        symbol, name = asked["symbol"], asked["filter"]
        before = change(self._rehearsal.exchange.symbols[symbol].document, name, **asked["values"])
        self._changed.setdefault((symbol, name), before)
        return before

    def _lag(self, account: Account, asked: Mapping[str, Any]) -> Any:
        self._lag_ms = int(asked["ms"])
        return {}

    def _order(self, account: Account, asked: Mapping[str, Any]) -> Any:
        params = dict(asked)
        method, path = params.pop("method", "POST"), params.pop("path", "order")
        return self._truth(method, path, params, account)

    def _slow(self, account: Account, asked: Mapping[str, Any]) -> Any:
        self._slow_ms = int(asked["ms"])
        return {}

    def _still(self, account: Account, asked: Mapping[str, Any]) -> Any:
        paused = self._rehearsal.market.paused
        paused.clear()
        paused |= set(asked["symbols"])
        return {}

    def _reset(self, account: Account, asked: Mapping[str, Any]) -> Any:
        """Undo what a life that was killed has left."""
        for (symbol, name), before in self._changed.items():
            change(self._rehearsal.exchange.symbols[symbol].document, name, **before)
        self._changed.clear()
        self._rehearsal.market.paused.clear()
        self._rehearsal.faults.clear()
        self._rehearsal.gateway.desk.limits.forgive()
        self._lag_ms = self._slow_ms = 0
        return {}

    def _request(self, method: str, path: str, params: Mapping[str, str], account: Account | None = None) -> Any:
        """Answer; executions of the last moment are not among the account's trades yet, nor told of their orders."""
        if path == "myTrades" and self._lag_ms:
            return self._old_trades(params, account)
        answer = self._truth(method, path, params, account)
        if path == "order" and method in ("GET", "POST") and self._slow_ms:
            return self._unmatched(answer)
        return answer

    def _old_trades(self, params: Mapping[str, str], account: Account | None) -> list[dict[str, Any]]:
        """Return what a venue that lags shows: as many trades as are asked for, the youngest not among them."""
        since, limit = self._rehearsal.now() - self._lag_ms, int(params.get("limit", USUAL))
        rows = self._truth("GET", "myTrades", {**params, "limit": str(MOST)}, account)
        shown = [row for row in rows if row["time"] < since]
        return shown[:limit] if {"fromId", "startTime"} & set(params) else shown[-limit:]

    def _unmatched(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a young order that trades at once as it was when it came: accepted, and not matched yet."""
        is_young = row.get("transactTime", row.get("time", 0)) > self._rehearsal.now() - self._slow_ms
        if not is_young or row.get("orderListId", 0) != ALONE:
            return row
        if row.get("type") != "MARKET" and row.get("timeInForce") != "IOC":
            return row
        nothing = {"status": "NEW", "executedQty": "0.00000000", "cummulativeQuoteQty": "0.00000000"}
        return row | nothing | ({"fills": []} if "fills" in row else {})


async def serve(seed: int) -> None:
    """Run until the end of the parent."""
    limits = (Limit("REQUEST_WEIGHT", "MINUTE", 1, WITHOUT_END), RAW)
    orders = (OrderLimit("SECOND", 10, WITHOUT_END), OrderLimit("DAY", 1, WITHOUT_END))
    terms = Terms(documents(), FUNDS, limits=limits, order_limits=orders, seed=seed)
    rehearsal = Rehearsal(SimulatedPath(SYMBOLS, seed, wall_ms(), history_days=1), wall_ms, terms)
    server = ExchangeServer(rehearsal)
    BackDoor(rehearsal).open(server)
    await server.start()
    print(json.dumps(server.urls), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    asyncio.run(serve(int(sys.argv[1])))
