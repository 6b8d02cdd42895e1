"""Market streams: who listens to what, and what goes out when. Knows no sockets: a subscriber has a `send`."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from trading.simulation.exchange import tickers
from trading.simulation.exchange.gateway import in_microseconds, to_json
from trading.simulation.exchange.klines import DAY_MS, HOUR_MS, MINUTE_MS, Grid, stream_bar
from trading.simulation.exchange.market import Market
from trading.simulation.exchange.market_events import BookChanged, MarketEvent, TradeDone
from trading.simulation.exchange.market_lies import MarketLies
from trading.simulation.exchange.market_routes import taker_of, zone_ms
from trading.simulation.exchange.stream_names import Stream, stream_of

_ROLLING = {"1h": HOUR_MS, "4h": 4 * HOUR_MS, "1d": DAY_MS}
Send = Callable[[str], None]
Frame = Mapping[str, Any]


@dataclass(eq=False, slots=True)
class Subscriber:
    """One connection: what it listens to, and how frames are handed to it."""

    send: Send
    combined: bool = False
    in_microseconds: bool = False
    streams: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """Levels of one book that changed since the last frame of one depth stream."""

    first: int = 0
    last: int = 0
    bids: dict[str, str] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)

    def add(self, event: BookChanged) -> None:
        """Take one change in."""
        self.first = self.first or event.update_id
        self.last = event.update_id
        self.bids.update(event.bids)
        self.asks.update(event.asks)


class StreamHub:
    """Turns what happens on the exchange into frames.

    `settled` after every act sends trades and best prices; `tick` sends what comes at a pace. Both are called by
    whoever drives the exchange.
    """

    def __init__(self, market: Market, lies: MarketLies) -> None:
        self._market = market
        self._exchange = market.exchange
        self._lies = lies
        self._pending: list[MarketEvent] = []
        self._listening: dict[str, tuple[Stream, dict[Subscriber, None]]] = {}
        self._due: dict[str, int] = {}
        self._bars: dict[str, int] = {}
        self._sent: dict[str, Any] = {}
        self._changes: dict[str, Changes] = {}
        self._delayed: list[tuple[int, int, Stream, Frame]] = []
        self._order = count()
        self.subscribers: dict[Subscriber, None] = {}
        self._exchange.on_market.append(self._pending.append)

    def join(self, subscriber: Subscriber, names: list[str]) -> None:
        """Take a connection in, with the streams that its URL names."""
        self.subscribers[subscriber] = None
        self.subscribe(subscriber, names)

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a connection."""
        self.unsubscribe(subscriber, list(subscriber.streams))
        self.subscribers.pop(subscriber, None)

    def subscribe(self, subscriber: Subscriber, names: list[str]) -> None:
        """Add streams; unknown ones are accepted and stay silent."""
        now = self._exchange.now()
        for name in names:
            subscriber.streams[name] = None
            if name not in self._listening:
                stream = stream_of(name, self._exchange)
                if stream is None:
                    continue
                self._listening[name] = (stream, {})
                self._begin(stream, now)
            self._listening[name][1][subscriber] = None

    def unsubscribe(self, subscriber: Subscriber, names: list[str]) -> None:
        """Take streams away."""
        for name in names:
            subscriber.streams.pop(name, None)
            found = self._listening.get(name)
            if found is None:
                continue
            found[1].pop(subscriber, None)
            if not found[1]:
                for table in (self._listening, self._due, self._bars, self._sent, self._changes):
                    table.pop(name, None)

    def settled(self) -> None:
        """Send what happened since the last call."""
        events, self._pending[:] = list(self._pending), []
        if not self._listening:
            return
        last_change = {e.symbol: e for e in events if isinstance(e, BookChanged)}
        for event in events:
            if isinstance(event, TradeDone):
                self._publish(f"{event.symbol.lower()}@trade", _trade(event, self._exchange.now()))
            else:
                for name in self._changes:
                    if self._listening[name][0].symbol == event.symbol:
                        self._changes[name].add(event)
        self._send_aggregates([e for e in events if isinstance(e, TradeDone)])
        for symbol, change in last_change.items():
            self._send_touch(symbol, change.update_id)

    def tick(self, now: int) -> None:
        """Send what is due."""
        self.settled()
        while self._delayed and self._delayed[0][0] <= now:
            _, _, stream, frame = heapq.heappop(self._delayed)
            self._spread(stream.name, frame)
        for name, due in list(self._due.items()):
            if name not in self._listening:
                continue
            stream = self._listening[name][0]
            if stream.kind == "kline":
                self._close_bars(stream, now)
            if now >= due:
                self._due[name] = now // stream.pace_ms * stream.pace_ms + stream.pace_ms
                self._send_paced(stream, now)

    def shout(self, frame: Frame, stream: str) -> None:
        """Send a frame to every connection."""
        for subscriber in list(self.subscribers):
            subscriber.send(_text(subscriber, stream, frame))

    def flood(self, n_frames: int) -> None:
        """Send the newest best prices again and again."""
        for name, (stream, subscribers) in list(self._listening.items()):
            for subscriber in list(subscribers):
                for frame in self._frames_for_flood(stream, n_frames):
                    subscriber.send(_text(subscriber, name, frame))

    def _frames_for_flood(self, stream: Stream, n_frames: int) -> list[Frame]:
        now = self._exchange.now()
        if stream.kind == "kline":
            frame = self._bar(stream, self._bars[stream.name], now, False)
            return [frame] * n_frames if frame else []
        if stream.kind == "bookTicker":
            return [self._touch_frame(stream.symbol, 0)] * n_frames
        return []

    def _begin(self, stream: Stream, now: int) -> None:
        if stream.pace_ms:
            self._due[stream.name] = now // stream.pace_ms * stream.pace_ms + stream.pace_ms
        if stream.kind == "depth":
            self._changes[stream.name] = Changes()
        if stream.kind == "kline":
            self._bars[stream.name] = _grid(stream).open_time(now)

    def _send_aggregates(self, trades: list[TradeDone]) -> None:
        groups: dict[tuple[Any, ...], list[TradeDone]] = {}
        for trade in trades:
            groups.setdefault((trade.symbol, taker_of(trade), trade.price, trade.time), []).append(trade)
        for group in groups.values():
            first, last = group[0], group[-1]
            quantity = sum((t.quantity for t in group[1:]), first.quantity)
            self._publish(f"{first.symbol.lower()}@aggTrade", {
                "e": "aggTrade", "E": self._exchange.now(), "s": first.symbol, "a": first.trade_id,
                "p": f"{first.price:.8f}", "q": f"{quantity:.8f}", "f": first.trade_id, "l": last.trade_id,
                "T": first.time, "m": first.buyer_is_maker, "M": True,
            })  # fmt: skip

    def _send_touch(self, symbol: str, update_id: int) -> None:
        name = f"{symbol.lower()}@bookTicker"
        if name not in self._listening:
            return
        frame = self._touch_frame(symbol, update_id)
        shown = {key: value for key, value in frame.items() if key != "u"}
        if shown != self._sent.get(name):
            self._sent[name] = shown
            self._publish(name, frame)

    def _touch_frame(self, symbol: str, update_id: int) -> Frame:
        book_id, bid, ask = tickers.touch(self._exchange, symbol)
        return {"u": update_id or book_id, "s": symbol, "b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}

    def _send_paced(self, stream: Stream, now: int) -> None:
        if stream.kind == "kline":
            frame = self._bar(stream, self._bars[stream.name], now, False)
            if frame and frame["k"] != self._sent.get(stream.name):
                self._sent[stream.name] = frame["k"]
                self._publish(stream.name, frame)
        elif stream.kind == "depth":
            self._send_changes(stream, now)
        elif stream.kind == "levels":
            update_id, bids, asks = self._exchange.depth(stream.symbol, int(stream.detail))
            self._publish(stream.name, {"lastUpdateId": update_id, "bids": bids, "asks": asks})
        elif not stream.symbol:
            self._publish_all(stream, now)
        else:
            frame = self._ticker(stream, stream.symbol, now)
            if frame:
                self._publish(stream.name, frame)

    def _publish_all(self, stream: Stream, now: int) -> None:
        """Send the tickers of all symbols that changed, as a list."""
        found = [frame for name in self._exchange.symbols if (frame := self._ticker(stream, name, now))]
        before = self._sent.setdefault(stream.name, {})
        changed = [f for f in found if {**f, "E": 0, "C": 0} != before.get(f["s"])]
        before |= {f["s"]: {**f, "E": 0, "C": 0} for f in changed}
        if changed and not self._lies_mute(stream):
            for subscriber in list(self._listening[stream.name][1]):
                subscriber.send(_text(subscriber, stream.name, changed))

    def _lies_mute(self, stream: Stream) -> bool:
        return not self._lies.frames(stream.name, {})

    def _ticker(self, stream: Stream, symbol: str, now: int) -> dict[str, Any] | None:
        tape = self._market.tapes[symbol]
        if not tape.close:
            return None
        if stream.kind == "avgPrice":
            average = self._exchange.average_price(symbol)
            return {"e": "avgPrice", "E": now, "s": symbol, "i": "5m", "w": f"{average:.8f}", "T": now}
        if stream.kind == "rolling":
            start = now // MINUTE_MS * MINUTE_MS - _ROLLING[stream.detail]
            return tickers.event(tickers.window(tape, start, now), now, f"{stream.detail}Ticker")
        if stream.kind not in ("miniTicker", "ticker"):
            return None
        full = tickers.day(self._exchange, tape, now)
        return tickers.mini_event(full, now) if stream.kind == "miniTicker" else tickers.event(full, now)

    def _send_changes(self, stream: Stream, now: int) -> None:
        changes = self._changes[stream.name]
        if not changes.last:
            return
        self._changes[stream.name] = Changes()
        self._publish(stream.name, {
            "e": "depthUpdate", "E": now, "s": stream.symbol, "U": changes.first, "u": changes.last,
            "b": [list(level) for level in changes.bids.items()], "a": [list(level) for level in changes.asks.items()],
        })

    def _close_bars(self, stream: Stream, now: int) -> None:
        """Send the end of every bar that is over."""
        grid = _grid(stream)
        current = grid.open_time(now)
        while self._bars[stream.name] < current:
            open_time = self._bars[stream.name]
            frame = self._bar(stream, open_time, now, True)
            self._bars[stream.name] = max(grid.end(open_time), current - 5 * grid.width_ms)
            if frame:
                self._publish(stream.name, frame)

    def _bar(self, stream: Stream, open_time: int, now: int, closed: bool) -> dict[str, Any] | None:
        grid, tape = _grid(stream), self._market.tapes[stream.symbol]
        rows = tape.bars(grid, open_time, open_time)
        if not len(rows):
            return None
        return {"e": "kline", "E": now, "s": stream.symbol, "k": stream_bar(tape.symbol, rows[0], grid, closed)}

    def _publish(self, name: str, frame: Frame) -> None:
        found = self._listening.get(name)
        if found is None:
            return
        for delay_ms, changed in self._lies.frames(name, frame):
            if delay_ms:
                due = self._exchange.now() + delay_ms
                heapq.heappush(self._delayed, (due, next(self._order), found[0], changed))
            else:
                self._spread(name, changed)

    def _spread(self, name: str, frame: Frame) -> None:
        found = self._listening.get(name)
        for subscriber in list(found[1]) if found else ():
            bad = self._lies.bad_frame()
            if bad is not None:
                subscriber.send(bad)
            subscriber.send(_text(subscriber, name, frame))


def _grid(stream: Stream) -> Grid:
    return Grid(stream.detail, zone_ms(stream.zone))


def _trade(trade: TradeDone, now: int) -> Frame:
    return {"e": "trade", "E": now, "s": trade.symbol, "t": trade.trade_id, "p": f"{trade.price:.8f}",
            "q": f"{trade.quantity:.8f}", "T": trade.time, "m": trade.buyer_is_maker, "M": True}


def _text(subscriber: Subscriber, stream: str, frame: Any) -> str:
    if subscriber.in_microseconds:
        frame = in_microseconds(frame)
    return to_json({"stream": stream, "data": frame} if subscriber.combined else frame)
