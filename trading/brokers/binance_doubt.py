"""A price far from the usual one: nothing acts on it until a second source, the venue's book over REST, agrees."""

from __future__ import annotations

import asyncio
from statistics import median_low

from trading.brokers.binance_office import RECENT_MS, Office
from trading.brokers.binance_settling import UNREADABLE, amount
from trading.domain.venue import Call, Purpose
from trading.errors import NotSent, OutcomeUnknown, Refused
from trading.events import PriceJudged

PATIENCE_S, AGAIN_S = 5.0, 0.25


class Doubts:
    """Remembers which prices are in doubt, and asks.

    `is_far` and `begin` are called on the engine's thread, `ask` runs on the broker's loop.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._asking: set[str] = set()

    def is_far(self, symbol: str, ticks: int) -> bool:
        """Return whether a price is further from the median of those before the last one than the collar allows."""
        seen = self._office.prices.get(symbol, ())
        if not seen:
            return False
        before = [price for time, price in seen[:-1] if time >= seen[-1][0] - RECENT_MS]
        usual = median_low(before or [seen[-1][1]])
        return abs(ticks - usual) > usual * self._office.settings.collar_rate

    def begin(self, symbol: str) -> bool:
        """Return whether a question about a symbol must be asked now: one at a time."""
        is_new = symbol not in self._asking
        self._asking.add(symbol)
        return is_new

    async def ask(self, symbol: str, ticks: int) -> None:
        """Ask the second source. A price that it shows, too, becomes the usual one; one that it denies is forgotten."""
        try:
            known = await self._price(symbol)
        finally:
            self._asking.discard(symbol)
        office = self._office
        agrees = known > 0 and abs(known - ticks) <= known * office.settings.collar_rate
        seen = office.prices.get(symbol, ())
        near = [one for one in seen if abs(one[1] - ticks) <= ticks * office.settings.collar_rate]
        if agrees:
            office.prices[symbol] = ((seen[-1][0] if seen else 0, ticks),)
        else:
            office.prices[symbol] = tuple(one for one in seen if one not in near) if known else seen
            spec = office.instruments[symbol].spec
            other = f"the venue's book says {spec.price(known):f}" if known else "the venue's book cannot be had"
            office.say(f"a price of {spec.price(ticks):f} is far from the usual one and not acted on: {other}", "warn",
                       symbol)
        office.post(PriceJudged(symbol, ticks, agrees))

    async def _price(self, symbol: str) -> int:
        """Return the middle of the venue's best quotes in ticks, 0 when it does not say within some seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        spec = self._office.instruments[symbol].spec
        while loop.time() < until:
            try:
                call = Call("GET", "ticker/bookTicker", {"symbol": symbol}, 2, Purpose.QUERY, signed=False)
                answer = await self._office.ask(call)
                return int((amount(answer["bidPrice"]) + amount(answer["askPrice"])) / 2 / spec.tick_size)
            except (Refused, OutcomeUnknown, NotSent, *UNREADABLE):
                await asyncio.sleep(AGAIN_S)
        return 0
