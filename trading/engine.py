"""The single writer of trading state: market data in, decisions and orders out, each post to completion.

Stages of a closed bar: its open is matched, fills are booked, its range is matched, fills are booked, the account is
marked, limits and trailing stops act, agents are asked, and what they say becomes a decision with its record.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from trading.agents.desk import SignalDesk, combined
from trading.agents.memory import remembered, remind
from trading.agents.mother_ai import Judged, MotherAI
from trading.bus import Bus
from trading.domain import (
    INTERVAL_MS,
    Action,
    Candle,
    Candles,
    Decision,
    Signal,
    TickRange,
    Trade,
    Verdict,
)
from trading.entering import Entries, Wish
from trading.events import (
    AdviceComplete,
    AlertLogged,
    BarFinished,
    BarTraded,
    CandleClosed,
    Checkpoint,
    Command,
    DecisionMade,
    Event,
    FeedStatus,
    MomentDue,
    PriceJudged,
    PriceMoved,
    RankedWithout,
    SignalGenerated,
    SourceFailed,
    TradeClosed,
)
from trading.execution import Desk, Execution
from trading.gate import PRESSED, EntryGate
from trading.health import MarketHealth
from trading.indicators import IndicatorStream
from trading.metrics import Performance
from trading.ports import Broker, Stretch
from trading.ranking import TOO_LATE, UNRANKED, Ranking, Round
from trading.risk import EntryRequest
from trading.saving import Saving
from trading.session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What the engine is made of; the composition root chooses."""

    desk: Desk
    broker: Broker
    agents: SignalDesk
    session: Session
    interval: str
    ranking: Ranking = UNRANKED
    gate: EntryGate = field(default_factory=EntryGate)


class Engine:
    """Handles events one at a time on the thread that calls `handle`."""

    def __init__(self, parts: EngineParts) -> None:
        desk = parts.desk
        self.bus: Bus = desk.bus
        self.portfolio, self.orders, self.risk = desk.portfolio, desk.orders, desk.risk
        self.session, self.broker, self.agents = parts.session, parts.broker, parts.agents
        self.journal, self.gate = desk.journal, parts.gate
        self.execution = Execution(desk)
        self._entries = Entries(desk, self.execution, parts.session, parts.gate)
        self.performance = Performance(INTERVAL_MS[parts.interval], self.portfolio.start_units)
        self.cursor: dict[str, int] = {}
        self.asked: dict[str, int] = {}
        self.known_from: dict[str, int] = {}
        """Open time of the first bar that agents were warmed up with, by symbol."""
        self.outcomes: Counter[str] = Counter()
        self._step = INTERVAL_MS[parts.interval]
        self.health = MarketHealth(self._step, desk.portfolio, desk.journal)
        self.time = 0
        self._recorder = desk.recorder
        self.saving = Saving(desk, parts.gate, self.snapshot, lambda: self.time)
        self._unheard: list[Candle] = []
        self._held_back: dict[str, SignalGenerated] = {}
        self._highs: dict[str, int] = {}
        self.round = Round(parts.ranking, frozenset(
            agent.symbol for agent in parts.agents.agents if agent.symbol in self.portfolio.specs))
        self.mother = MotherAI(parts.ranking, desk.portfolio, desk.orders, desk.risk) if parts.ranking.mother else None
        self._atr = {symbol: IndicatorStream("atr") for symbol in self.portfolio.specs}
        self.on_kill_pressed: Callable[[str, str], None] | None = None
        """Hears nonce and reason of a press of the kill switch, on the thread that presses: to make it durable."""
        self._subscribe()

    def _subscribe(self) -> None:
        handlers: dict[type, Callable[[Any], None]] = {
            CandleClosed: self._on_candle, PriceMoved: self._on_price, BarTraded: self._on_bar_traded,
            BarFinished: self._on_bar_finished, SignalGenerated: self._on_signals, FeedStatus: self._on_feed,
            AdviceComplete: self._grant, MomentDue: self._on_moment_due, SourceFailed: self._on_source_failed,
            Checkpoint: self._on_checkpoint, PriceJudged: self._on_price_judged,
        }
        if self.mother is not None:
            mother = self.mother
            handlers[TradeClosed] = lambda event: mother.count((event.trade,))
        for kind, handler in handlers.items():
            self.bus.subscribe(kind, handler)
        self.bus.ahead = self._hear_ahead

    def _hear_ahead(self, event: Event) -> None:
        """Let nothing new out from the moment the kill switch is pressed, whatever waits before it."""
        if isinstance(event, Command) and event.kind == "kill":
            self.gate.close(PRESSED, "kill switch: pressed a moment ago")
            self._tell_of_press(event)

    def _tell_of_press(self, command: Command) -> None:
        if self.on_kill_pressed is None:
            return
        try:
            self.on_kill_pressed(str(command.nonce), kill_reason(command.arguments))
        except Exception:
            log.exception("the kill switch could not be kept ahead of the engine; it is on")

    def recall(self, trades: Callable[[], Iterable[Trade]]) -> None:
        """Give Mother AI the records of trades that were closed before she ranked; a snapshot's own replace them."""
        if self.mother is not None:
            self.mother.count(trades())

    def warm_up(self, candles: Candles) -> None:
        """Show indicators and agents the bars before the first live one.

        A bar on which advice was asked but not heard when the last run ended is asked again by `catch_up`.
        """
        if len(candles) == 0:
            return
        symbol = candles.symbol
        (atr,) = self._atr[symbol].warm_up(candles).values()
        unheard = self.asked.get(symbol) == int(candles.open_time[-1])
        self.agents.warm_up(candles[:-1] if unheard else candles)
        self.known_from[symbol] = int(candles.open_time[0])
        if unheard:
            self._unheard.append(candles.candle(-1))
        self.execution.atr_ticks[symbol] = self._atr_ticks(symbol, float(atr[-1]))
        if self.mother is not None:
            self.mother.warm_up(candles)
        self.cursor.setdefault(symbol, int(candles.open_time[-1]))
        self.time = max(self.time, candles.candle(-1).close_time)

    def catch_up(self) -> None:
        """Ask again for the advice that a crash or stop swallowed; it is recorded, but too late to act on."""
        for candle in self._unheard:
            self.agents.ask(candle, False, self.handle, self.bus.post)
        self._unheard.clear()

    def handle(self, event: Event) -> None:
        """Handle one event to completion and make its outcome durable, at once for a command or a new peak."""
        kind, n_orders = type(event), self.orders.n_orders
        marks = (self.portfolio.peak, self.portfolio.day) if kind is PriceMoved else None
        self.bus.handle(event)
        if isinstance(event, Command) and event.kind == "kill":
            self.gate.open(PRESSED)  # the gate's own kill holds from here on
            self.session.kill_nonce = str(event.nonce)
        moved = marks is not None and marks != (self.portfolio.peak, self.portfolio.day)
        is_asked = isinstance(event, CandleClosed) and event.live and event.candle.symbol in self.asked
        self.saving.after(event, is_asked or self.orders.n_orders > n_orders, moved or kind is Command)

    def catch_up_saving(self) -> None:
        """Make durable what a commit could not, or what waited for an order to leave; nothing when all is."""
        self.saving.catch_up()

    def save(self) -> None:
        """Make everything durable now, whatever the batch."""
        self.saving.now()

    def price_of(self, symbol: str) -> int:
        """Return the last price of a symbol in ticks, 0 before the first."""
        return self.portfolio.marks.get(symbol, 0)

    def kill(self, reason: str, time: int) -> None:
        """Stop all entries for good: cancel working ones, keep protection, until a person re-arms."""
        self.gate.kill(reason)
        self.session.change("killed", reason)
        self.execution.cancel_entries(None, time)
        self.journal.write(time, "KILL", f"kill switch: {reason}", "bad")
        self.bus.publish(AlertLogged(time, f"kill switch: {reason}"))

    def entry(self, symbol: str, time: int, wish: Wish, market_ok: str = "", adds: bool = False) -> Decision:
        """Take a wish to buy through the rules; the decision says what became of it."""
        price = self.price_of(symbol)
        market_ok = market_ok or self.health.age(self.cursor.get(symbol), self._now())
        request = EntryRequest(symbol, time, price, self._atr_of(symbol), market_ok, adds)
        return self._entries.decide(request, wish)

    def _now(self) -> int:
        """Return the time of the market, or the venue's clock: it goes on when no price comes."""
        return max(self.time, self.broker.now())

    def conclude(self, decision: Decision) -> None:
        """Count, keep and announce a decision."""
        self.outcomes[decision.outcome] += 1
        self._recorder.record(decision)
        if self.bus.hears(DecisionMade):
            self.bus.publish(DecisionMade(decision))

    def _on_checkpoint(self, _: Checkpoint) -> None:
        """Keep the account's worth between closes."""
        if self.portfolio.marks:
            self._recorder.record(self.portfolio.point(self.time))

    def _on_source_failed(self, event: SourceFailed) -> None:
        """Tell once that a source is out; the others go on."""
        spec = self.portfolio.specs.get(event.symbol)
        display = spec.display if spec else event.symbol
        words = f"{event.source}{' only abstains' if event.abstains else ''}: {event.detail}"
        self.journal.write(self.time, "ALERT", words, "bad", display)
        self.bus.publish(AlertLogged(self.time, f"{display} {words}"))

    def _on_feed(self, event: FeedStatus) -> None:
        if event.state == "ended":
            self._grant()
        was_live = self.health.feed.state == "live"
        self.health.hear(event, self.time)
        if was_live and event.state not in ("live", "ended") and self.bus.hears(AlertLogged):
            words = f"the feed is {event.state}, nothing is entered: {event.detail}"
            self.bus.publish(AlertLogged(self.time, words.removesuffix(": ")))

    def _on_price(self, event: PriceMoved) -> None:
        tick = event.tick
        closed = self.cursor.get(tick.symbol, -self._step) + self._step
        prices = self.health.measured(tick, tick.time) if tick.time >= closed else None
        if prices is None:
            return
        self.time = max(self.time, tick.time)
        self._trade(tick.symbol, prices, (tick.start or tick.time, tick.time), None)

    def _on_candle(self, event: CandleClosed) -> None:
        candle = event.candle
        symbol, time = candle.symbol, candle.close_time
        if candle.open_time <= self.cursor.get(symbol, -1):
            return
        prices = self.health.measured(candle, time)
        if prices is None:
            return
        if self.round.wishes and self.round.begins(candle.open_time):
            self._grant()
        if event.covered_by_ticks or not event.live:
            missing = self.health.follow(candle, self.cursor.get(symbol))
            if missing and self.bus.hears(AlertLogged):
                self.bus.publish(AlertLogged(time, f"{self.portfolio.specs[symbol].display} {missing}"))
        self.cursor[symbol] = candle.open_time
        self.time = max(self.time, time)
        finished = BarFinished(candle, prices, event.live)
        if event.covered_by_ticks:
            self.bus.publish(finished)
        else:
            self._trade(symbol, prices, (candle.open_time, time), finished)

    def _trade(self, symbol: str, prices: TickRange, span: tuple[int, int], finished: BarFinished | None) -> None:
        """Show the broker an open; its range comes after the fills that the open brings."""
        start, end = span
        self.broker.on_open(Stretch(symbol, prices.open, prices.lots, start, self._atr_of(symbol)))
        self.bus.publish(BarTraded(symbol, prices, end, finished))

    def _on_bar_traded(self, bar: BarTraded) -> None:
        prices = bar.prices
        self.broker.on_range(bar.symbol, prices.open, prices.high, prices.low, bar.time)
        if bar.finished is not None:
            self.bus.publish(bar.finished)
        else:
            self._mark(bar.symbol, prices.close, bar.time)

    def _on_bar_finished(self, event: BarFinished) -> None:
        candle, prices = event.candle, event.prices
        symbol, time = candle.symbol, candle.close_time
        self._mark(symbol, prices.close, time)
        (atr,) = self._atr[symbol].push(candle)
        self.execution.atr_ticks[symbol] = self._atr_ticks(symbol, atr)
        self.execution.on_bar(symbol, self._high(symbol, prices), time, not self.session.is_killed)
        if self.mother is not None:
            self.mother.see(candle)
        point = self.portfolio.point(time)
        self.performance.add(point)
        if time > self.time - self._step:  # the present worth does not belong to a bar that comes hours late
            self._recorder.record(point)
        self.asked[symbol] = candle.open_time
        if event.live and self.round.opens(candle.open_time):
            self.agents.remind(lambda: self.bus.post(MomentDue(candle.open_time)))
        self.agents.ask(candle, event.live, self.bus.publish, self.bus.post)

    def _high(self, symbol: str, prices: TickRange) -> int:
        """Return a bar's high; of one that is in doubt, the highest price that was not."""
        believed = max(self._highs.pop(symbol, 0), prices.open if not self.broker.is_far(symbol, prices.open) else 0)
        return believed if self.broker.is_far(symbol, prices.high) else prices.high

    def _mark(self, symbol: str, ticks: int, time: int) -> None:
        if self.broker.is_external:
            if self.broker.doubts(symbol, ticks):
                ticks = self.price_of(symbol) or ticks
            self._highs[symbol] = max(self._highs.get(symbol, 0), ticks)
        self.portfolio.mark(symbol, ticks, time)
        if not self.session.is_killed and self.risk.drawdown_breached():
            self.kill(f"drawdown reached {self.risk.profile.max_drawdown_rate:.0%}", time)

    def _on_signals(self, event: SignalGenerated) -> None:
        if self.asked.get(event.candle.symbol) == event.candle.open_time:
            del self.asked[event.candle.symbol]
        action = combined(event.signals)
        if self.round.ranking.top_n == 0:
            self.conclude(self._decide(event, action))
            return
        is_late = action is Action.BUY and self.round.is_late(event.candle)
        if is_late:
            self.conclude(_outranked(event, TOO_LATE))
        elif action is not Action.BUY:
            self.conclude(self._decide(event, action))
        if self.round.hear(event, action is Action.BUY and not is_late):
            self.bus.publish(AdviceComplete(event.candle.close_time))

    def _on_moment_due(self, event: MomentDue) -> None:
        """Wait no longer for symbols that have no bar of a moment; agents that are asked have their own deadline."""
        asked = frozenset(symbol for symbol, time in self.asked.items() if time == event.open_time)
        if self.round.expire(event.open_time, asked):
            self._grant()

    def _tell_missing(self, symbols: tuple[str, ...]) -> None:
        """Keep who was not heard, so that a replay ranks without them too."""
        names = ", ".join(self.portfolio.specs[symbol].display for symbol in symbols)
        self.journal.write(self.time, "RANK", f"ranked without {names}: no bar by the deadline", "warn")
        self.bus.publish(RankedWithout(self.round.time, symbols))

    def _grant(self, _: AdviceComplete | None = None) -> None:
        """Let the best wishes of a moment go on to risk."""
        if missing := self.round.missing():
            self._tell_missing(missing)
        if self.mother is not None:
            for judged in self.mother.judge(self.round.release()):
                self.conclude(self._obeyed(judged))
            return
        for event, verdict in self.round.take():
            self.conclude(self._decide(event, Action.BUY) if verdict.passed else _outranked(event, verdict))

    def _obeyed(self, judged: Judged) -> Decision:
        """Return what became of a wish after Mother AI; her verdict stands first in the record."""
        if not judged.verdict.passed:
            return _outranked(judged.event, judged.verdict)
        return self._decide(judged.event, Action.BUY, judged)

    def _decide(self, event: SignalGenerated, action: Action, judged: Judged | None = None) -> Decision:
        symbol, time = event.candle.symbol, event.candle.close_time
        if action is Action.HOLD:
            signals = event.signals
            alone = signals[0].reason if len(signals) == 1 else ""
            reason = alone or " | ".join([s.reason for s in signals]) or "no agent watches this symbol"
            outcome = "warming up" if _all_cold(signals) else "hold"
            return Decision(symbol, time, event.candle.close, "HOLD", outcome, reason, signals)
        chosen = next(s for s in event.signals if s.action is action and (not judged or s.source == judged.agent))
        if action is Action.SELL:
            return self._leave(event, chosen)
        stale = self._staleness(event)
        ranked = (judged.verdict,) if judged else ()
        wish = Wish(chosen.source, event.candle.close, chosen.reason, event.signals, ranked)
        made = self.entry(symbol, time, wish, stale or self.health.gap(event.candle))
        if made.outcome == "entry":
            display = self.portfolio.specs[symbol].display
            said = f"BUY {made.verdicts[-1].detail} · {chosen.reason}"
            self.journal.write(time, "ORDER", said, "plain", display)
        return made

    def _leave(self, event: SignalGenerated, chosen: Signal) -> Decision:
        symbol, time = event.candle.symbol, event.candle.close_time
        verdicts: tuple[Verdict, ...] = ()
        client_id, outcome = "", "no position"
        if self.portfolio.holdings[symbol].is_open:
            late = self._lateness(event) or self._doubt(event)
            if self.session.is_killed:
                verdicts, outcome = (self.session.verdict(),), "denied: kill_switch"
            elif late:
                verdicts, outcome = (Verdict("market", False, late),), "denied: market"
            else:
                why = Decision(symbol, time, event.candle.close, "SELL", "exit", chosen.reason, event.signals)
                order = self.execution.exit(symbol, self.portfolio.sellable_lots(symbol), "signal", time, why)
                client_id, outcome = (order.client_id, "exit") if order else ("", "exit is working")
        return Decision(symbol, time, event.candle.close, "SELL", outcome, chosen.reason, event.signals, verdicts,
                        client_id)

    def _doubt(self, event: SignalGenerated) -> str:
        """Hold a wish to sell back while the price that brought it is in doubt."""
        symbol, ticks = event.candle.symbol, self.portfolio.specs[event.candle.symbol].to_ticks(event.candle.close)
        if not self.broker.doubts(symbol, ticks):
            return ""
        self._held_back[symbol] = event
        return "the price is far from the usual one: the venue's book is asked first"

    def _on_price_judged(self, event: PriceJudged) -> None:
        held_back = self._held_back.pop(event.symbol, None)
        if event.agrees:
            self._mark(event.symbol, event.price_ticks, self.time)
        if held_back is not None and event.agrees:
            self.conclude(self._decide(held_back, Action.SELL))

    def _staleness(self, event: SignalGenerated) -> str:
        return self._lateness(event) or self.health.trouble()

    def _lateness(self, event: SignalGenerated) -> str:
        if not event.live:
            return "the bar came late: it only fills a gap"
        if event.candle.open_time != self.cursor[event.candle.symbol]:
            return "the advice came after the next bar"
        return ""

    def _atr_of(self, symbol: str) -> int:
        return self.execution.atr_ticks.get(symbol, 0)

    def _atr_ticks(self, symbol: str, value: float) -> int:
        return self.portfolio.specs[symbol].to_ticks(value) if isfinite(value) else 0

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash, as JSON values."""
        return {
            "cursor": dict(self.cursor), "time": self.time, "outcomes": dict(self.outcomes),
            "session": self.session.snapshot(), "portfolio": self.portfolio.snapshot(),
            "orders": self.orders.snapshot(), "risk": self.risk.snapshot(), "broker": self.broker.snapshot(),
            "performance": self.performance.snapshot(), "n_lines": self.journal.n_lines,
            "asked": dict(self.asked), "whole_again": dict(self.health.whole_again), "round": self.round.snapshot(),
            "shadows": remembered(self.agents.agents),
        } | ({} if self.mother is None else {"mother": self.mother.snapshot()})

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot; indicators and agents are warmed up from candles afterwards."""
        self.cursor = dict(snapshot["cursor"])
        self.asked, self.health.whole_again = dict(snapshot["asked"]), dict(snapshot["whole_again"])
        self.time = snapshot["time"]
        self.outcomes = Counter(snapshot["outcomes"])
        for name, value in snapshot["session"].items():
            setattr(self.session, name, value)
        if self.session.is_killed:
            self.gate.kill(self.session.kill_reason)
        self.portfolio.restore(snapshot["portfolio"])
        self.orders.restore(snapshot["orders"])
        self.risk.restore(snapshot["risk"])
        self.broker.restore(snapshot["broker"])
        self.performance.restore(snapshot["performance"])
        self.journal.n_lines = snapshot["n_lines"]
        self.round.restore(snapshot.get("round", self.round.snapshot()))
        remind(self.agents.agents, snapshot.get("shadows", ()))
        if self.mother is not None and "mother" in snapshot:
            self.mother.restore(snapshot["mother"])


def kill_reason(arguments: object) -> str:
    """Return why the kill switch was pressed, in a few words."""
    given = arguments.get("reason") if isinstance(arguments, dict) else None
    return str(given or "by hand")[:200]


def _outranked(event: SignalGenerated, verdict: Verdict) -> Decision:
    wish = next(signal for signal in event.signals if signal.action is Action.BUY)
    reason = f"{wish.reason} → {verdict.rule}: {verdict.detail}"
    return Decision(event.candle.symbol, event.candle.close_time, event.candle.close, "BUY", f"denied: {verdict.rule}",
                    reason, event.signals, (verdict,))


def _all_cold(signals: tuple[Signal, ...]) -> bool:
    """Return whether no agent has all its numbers yet (False without agents)."""
    for signal in signals:
        if "warming up" not in signal.votes.values():
            return False
    return bool(signals)
