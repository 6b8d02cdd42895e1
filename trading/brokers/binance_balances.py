"""What the venue holds against what is ours by the ledger and what was there beside it: never corrected by a guess."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.brokers.binance_fills import FillBook
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_options import IGNORE
from trading.brokers.binance_settling import held
from trading.brokers.binance_trades import UNITS, VenueTrade
from trading.domain import Side
from trading.domain.venue import BalanceLine, Call, Purpose, VenueState
from trading.errors import BadInput

SHORT_OF_CASH = "balance"
GAP = "than the books say"
ROUNDS = 4
TOLERANCE = Decimal("0.000001")
"""Of the quote asset: the venue rounds each execution to 1e-8, in a direction that it does not document."""
UNSETTLED = (VenueState.INTENT, VenueState.SENT, VenueState.UNKNOWN)


class Balances:
    """Compares the account with the ledger when nothing is on its way."""

    def __init__(self, hands: Hands) -> None:
        self._hands, self._office = hands, hands.office
        self.lines: tuple[BalanceLine, ...] = ()
        self.checked = 0
        self.forgiven: set[str] = set()
        self.agrees = self.compared = False
        """What the newest check came to; while orders are on their way nothing can be compared."""

    async def open(self) -> None:
        """See the account for the first time, and keep what is not ours; afterwards compare.

        Raises
        ------
        BadInput
            If the account holds less of the quote asset than the ledger's cash.
        """
        if self._office.store.baseline() is not None:
            await self.check()
            return
        venue, ours = await self._venue(), self._ours()
        for asset, amount in ours.items():
            if venue.get(asset, Decimal(0)) < amount:
                raise BadInput(f"the account holds {venue.get(asset, Decimal(0)):f} {asset}, {amount:f} are needed: "
                               "lower the capital, or deposit")
        self._keep({asset: venue.get(asset, Decimal(0)) - amount for asset, amount in ours.items()})
        self._show(venue)

    async def check(self) -> bool:
        """Compare; act on what differs twice while nothing moved. Return whether all is as it should be."""
        before: dict[str, Decimal] = {}
        self.agrees = self.compared = False
        for _ in range(ROUNDS):
            version = self._hands.fills.version
            venue = await self._venue()
            if self._is_moving() or version != self._hands.fills.version:
                return True
            self._show(venue)
            gaps = self._gaps(venue)
            if not gaps:
                self._see_cash(venue)
                self.agrees = self.compared = True
                return True
            if gaps == before:
                self.compared = True
                settled = [self._settle(asset, gap, venue) for asset, gap in gaps.items()]
                return all(settled)
            before = gaps
            for symbol in self._office.instruments:
                self.see_foreign(await self._hands.fills.catch_up(symbol))
        return True

    def see_foreign(self, trades: list[VenueTrade]) -> None:
        """Adopt trades that are not ours into the baseline, or halt their symbols, as set."""
        for trade in trades:
            if self._office.settings.foreign_orders != IGNORE:
                self._office.quarantine(trade.symbol, f"trade {trade.trade_id} was made on the account by another hand")
                continue
            spec = self._office.instruments[trade.symbol].spec
            sign = 1 if trade.side == Side.BUY else -1
            self.transfer(spec.base, sign * trade.quantity)
            self.transfer(spec.quote, -sign * trade.quantity * trade.price)
            self.transfer(trade.asset, -trade.commission)

    def transfer(self, asset: str, amount: Decimal) -> None:
        """Book what came or went beside the ledger: a deposit, a withdrawal, another hand's trade."""
        baseline = self._office.store.baseline()
        if baseline is not None and asset in baseline:
            self._keep(baseline | {asset: baseline[asset] + amount})

    def _keep(self, baseline: Mapping[str, Decimal]) -> None:
        self._office.store.keep_baseline(baseline)

    async def _venue(self) -> dict[str, Decimal]:
        answer: Mapping[str, Any] = await self._office.ask(Call("GET", "account", {}, 20, Purpose.RECONCILE))
        return {str(row["asset"]): held(row) for row in answer["balances"]}

    def _ours(self) -> dict[str, Decimal]:
        fills: FillBook = self._hands.fills
        ours: dict[str, Decimal] = {}
        for symbol, instrument in self._office.instruments.items():
            ours.setdefault(instrument.spec.quote, Decimal(fills.cash) / UNITS)
            held = Decimal(fills.atoms[symbol]) / UNITS
            ours[instrument.spec.base] = ours.get(instrument.spec.base, Decimal(0)) + held
        return ours

    def _gaps(self, venue: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return by how much the venue holds more (or less) than ours and the others' together."""
        others, ours = self._office.store.baseline() or {}, self._ours()
        missing = {asset: venue.get(asset, Decimal(0)) - ours[asset] for asset in ours if asset not in others}
        if missing:
            self._keep(others | missing)
            others = others | missing
        gaps = {asset: venue.get(asset, Decimal(0)) - ours[asset] - others[asset] for asset in ours}
        return {asset: gap for asset, gap in gaps.items() if abs(gap) > (TOLERANCE if self._is_quote(asset) else 0)}

    def _settle(self, asset: str, gap: Decimal, venue: Mapping[str, Decimal]) -> bool:
        """Take a gap as another hand's, if it may be; else close the gate. Return whether it is settled."""
        spare = venue.get(asset, Decimal(0)) - self._ours()[asset]
        words = f"the account holds {abs(gap):f} {asset} {'more' if gap > 0 else 'less'} {GAP}"
        if self._is_quote(asset):
            if spare >= 0:
                self.transfer(asset, gap)
                self._office.say(f"{words}: taken as a transfer", "warn")
                self._see_cash(venue)
            elif not self._office.gate.closed_by(SHORT_OF_CASH):
                self._office.gate.close(SHORT_OF_CASH, words)
                self._office.say(f"{words}: nothing is entered until it is back", "bad")
            return spare >= 0
        if self._office.settings.foreign_orders == IGNORE and spare >= 0:
            self.transfer(asset, gap)
            self._office.say(f"{words}: taken as another hand's", "warn")
            return True
        mine = [symbol for symbol, one in self._office.instruments.items() if one.spec.base == asset]
        if spare >= 0 and any(symbol in self.forgiven for symbol in mine):
            self.transfer(asset, gap)
            self._office.say(f"{words}: taken as another hand's, as confirmed by the release", "warn")
            return True
        for symbol in mine:
            self._office.quarantine(symbol, words)
        return False

    def _see_cash(self, venue: Mapping[str, Decimal]) -> None:
        """Open the gate again once the account holds the ledger's cash."""
        quotes = {asset: ours for asset, ours in self._ours().items() if self._is_quote(asset)}
        if all(venue.get(asset, Decimal(0)) >= ours - TOLERANCE for asset, ours in quotes.items()):
            self._office.gate.open(SHORT_OF_CASH)

    def _is_quote(self, asset: str) -> bool:
        return any(instrument.spec.quote == asset for instrument in self._office.instruments.values())

    def _is_moving(self) -> bool:
        orders = self._office.blotter.orders.values()
        return self._hands.fills.is_holding or any(order.state in UNSETTLED for order in orders)

    def _show(self, venue: Mapping[str, Decimal]) -> None:
        ours = self._ours()
        self.lines = tuple(BalanceLine(asset, venue.get(asset, Decimal(0)), amount,
                                       venue.get(asset, Decimal(0)) - amount) for asset, amount in ours.items())
        self.checked = self._office.venue.now()
