"""Whether prices can be trusted: possible, whole, and live."""

from __future__ import annotations

from math import inf

from trading.arithmetic import MAX_UNITS
from trading.domain import Candle, Tick, TickRange
from trading.events import FeedStatus
from trading.journal import Journal
from trading.portfolio import Portfolio
from trading.rules import MAX_TICKS

GAP_BARS = 14  # as many as risk's ATR needs
OLD_BARS = 2


class MarketHealth:
    """Keeps impossible prices out and remembers what is wrong with the rest."""

    def __init__(self, step_ms: int, portfolio: Portfolio, journal: Journal) -> None:
        self._step = step_ms
        self._portfolio = portfolio
        self._journal = journal
        self.feed = FeedStatus("connecting")
        self.whole_again: dict[str, int] = {}

    def hear(self, status: FeedStatus, time: int) -> None:
        """Take notice of what the feed says of itself."""
        if status.state != self.feed.state:
            tone = "plain" if status.state in ("live", "ended") else "warn"
            self._journal.write(time, "FEED", f"{status.state} {status.detail}".strip(), tone)
        self.feed = status

    def measured(self, bar: Candle | Tick, time: int) -> TickRange | None:
        """Return a bar's prices in ticks; None when they are impossible: such a bar never trades or values anything."""
        spec = self._portfolio.specs.get(bar.symbol)
        low, high = bar.low, bar.high
        inside = 0 < low <= bar.open <= high < inf and low <= bar.close <= high
        if spec is not None and inside and 0 <= bar.volume / spec.lot < MAX_UNITS and high / spec.tick < MAX_TICKS:
            prices = spec.on_grid(bar)
            if self._portfolio.can_count(bar.symbol, prices.low, prices.high):
                return prices
        trouble = "prices of a symbol that is not traded" if spec is None else "impossible prices"
        self._journal.write(time, "FEED", f"{trouble} ignored: {bar}", "warn", bar.symbol)
        return None

    def follow(self, candle: Candle, last_open: int | None) -> str:
        """After missing bars of a live market, entries wait until risk's indicators have seen enough whole ones.

        Returns what is missing, "" when nothing is. Stored candles may have closed days in them; their holes are
        reported when they are read.
        """
        missing = 0 if last_open is None else (candle.open_time - last_open) // self._step - 1
        if missing <= 0:
            return ""
        self.whole_again[candle.symbol] = candle.open_time + GAP_BARS * self._step
        text = f"{missing} bars are missing: no entry for {GAP_BARS} bars"
        self._journal.write(candle.open_time, "FEED", text, "warn", candle.symbol)
        return text

    def trouble(self) -> str:
        """Return why prices cannot be trusted now; empty when they can."""
        return "" if self.feed.state == "live" else f"the feed is {self.feed.state}"

    def age(self, last_open: int | None, time: int) -> str:
        """Return why the last closed bar is too old to enter on; empty while it is not."""
        n_bars = 0.0 if last_open is None else (time - last_open) / self._step - 1
        return f"the last closed bar is {n_bars:.0f} bars old" if n_bars > OLD_BARS else ""

    def gap(self, candle: Candle) -> str:
        """Return why a bar's indicators cannot be trusted; empty when they can."""
        wait = self.whole_again.get(candle.symbol, 0)
        return "bars are missing: waiting for whole ones" if candle.open_time < wait else ""
