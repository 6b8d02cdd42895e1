"""Misdeeds that happen inside the exchange: thin books, orders filled in passing, strangers at the account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trading.simulation.exchange.accounts import UNITS, Account
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.faults import Asked, Faults, Misdeed, Switch
from trading.simulation.exchange.market import Market
from trading.simulation.exchange.refusals import VenueError
from trading.simulation.exchange.symbols import units_of

BNB_GIFT = Decimal(10)
_QUANTITIES = ("quantity", "workingQuantity")


class Mischief:
    """Carries out what faults decide, through the exchange's own doors, so that its ledger stays the truth."""

    def __init__(self, exchange: Exchange, market: Market, faults: Faults) -> None:
        self._exchange = exchange
        self._market = market
        self._faults = faults
        faults.changed.append(self._switched)

    def tick(self) -> None:
        """Do what strangers do by themselves."""
        trade, cancel = self._faults.on("external_trade"), self._faults.on("external_cancel")
        for account in list(self._exchange.accounts.values()):
            if trade and self._sell(account, trade) is not None:
                self._faults.strikes("external_trade")
            if cancel and self._cancel(account, cancel):
                self._faults.strikes("external_cancel")

    def before(self, asked: Asked, account: Account | None, misdeed: Misdeed) -> None:
        """Prepare the book for a request that is about to be carried out."""
        symbol = asked.params.get("symbol", "")
        if account is None or symbol not in self._market.stalls:
            return
        if "partial" in misdeed.names:
            self._thin(symbol, asked, misdeed.share)
        if "fill_on_cancel" in misdeed.names:
            self._fill(symbol, asked, account)

    def trade(self, account: Account, symbol: str, side: str, quantity: str) -> Any:
        """Trade at market by hand."""
        asked = {"symbol": symbol, "side": side, "type": "MARKET", "quantity": quantity}
        return self._exchange.request("POST", "order", asked, account)

    def _thin(self, symbol: str, asked: Asked, share: float) -> None:
        found = self._exchange.symbols[symbol]
        quantity = next((units_of(asked.params[n]) for n in _QUANTITIES if n in asked.params), 0)
        if "quoteOrderQty" in asked.params:
            quantity = int(units_of(asked.params["quoteOrderQty"]) / float(self._market.price(symbol)))
        is_buy = asked.params.get("side", asked.params.get("workingSide")) == "BUY"
        self._market.stalls[symbol].thin(is_buy, max(1, int(quantity * share) // found.lot))

    def _fill(self, symbol: str, asked: Asked, account: Account) -> None:
        """Let the price touch the order that is about to be cancelled."""
        for order in self._open_orders(account, symbol):
            named = {str(order["orderId"]), order["clientOrderId"]}
            wanted = {asked.params.get(n) for n in ("orderId", "origClientOrderId", "cancelOrderId",
                                                    "cancelOrigClientOrderId")} - {None}
            listed = str(order["orderListId"]) == asked.params.get("orderListId")
            if listed or named & wanted or (not wanted and "orderListId" not in asked.params):
                text = order["price"] if Decimal(order["price"]) else order.get("stopPrice", "0")
                ticks = units_of(text) // self._exchange.symbols[symbol].tick
                lots = units_of(order["origQty"]) // self._exchange.symbols[symbol].lot
                if ticks:
                    self._market.touch(symbol, ticks, lots)
                return

    def _sell(self, account: Account, switch: Switch) -> Any:
        wanted = switch.text("symbol").upper()
        for name, symbol in self._exchange.symbols.items():
            lots = int(account.balance(symbol.base).free * switch.number("share")) // symbol.lot
            if (wanted and name != wanted) or name not in self._market.stalls or not lots:
                continue
            try:
                return self.trade(account, name, "SELL", symbol.quantity_text(lots))
            except VenueError:
                continue
        return None

    def _cancel(self, account: Account, switch: Switch) -> bool:
        for order in self._open_orders(account, switch.text("symbol").upper()):
            named = {"symbol": order["symbol"], "orderId": str(order["orderId"])}
            try:
                self._exchange.request("DELETE", "order", named, account)
            except VenueError:
                continue
            return True
        return False

    def _open_orders(self, account: Account, symbol: str) -> list[dict[str, Any]]:
        asked = {"symbol": symbol} if symbol else {}
        return list(self._exchange.request("GET", "openOrders", asked, account))

    def _switched(self, switch: Switch, is_on: bool) -> None:
        if switch.name == "status_break":
            wanted = switch.text("symbol").upper()
            for name in [wanted] if wanted else list(self._exchange.symbols):
                self._market.set_status(name, "BREAK" if is_on else "TRADING")
        elif switch.name == "fee_asset":
            for account in self._exchange.accounts.values():
                account.bnb_discount = is_on
                if is_on and account.balance("BNB").free < UNITS:
                    self._exchange.deposit(account, "BNB", BNB_GIFT)
