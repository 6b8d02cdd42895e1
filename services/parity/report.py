"""The parity report: an account, its replay on the candles it saw, and that on the candles as they are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import mean, median

from services.parity.account import Recorded, recorded
from services.parity.acts import circumstances_of
from services.parity.candles import Market, market_of
from services.parity.causes import Verdict, acted, only_live, only_replay, said
from services.parity.pairs import paired
from services.parity.replay import BrokerOf, play
from services.parity.scene import scene_of, wallet_of
from services.parity.split import Bars, split
from services.parity.trips import Course, Trip, Wallet, trips_of
from services.settings import Settings
from services.views import decimals, money
from storage.database import Database
from trading.domain import INTERVAL_MS, Candles
from trading.domain.parity import ParityLine, ParityReport, Side, UnmatchedTrade
from trading.portfolio import market_of as arithmetic_of

BASIS = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """Which account to look at, where its past lies, and the time (`made`, UTC ms) that the report is to carry."""

    account: str
    settings: Settings
    database: Database
    broker_of: BrokerOf
    made: int = 0
    given: Sequence[Candles] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """An account beside its replays on the candles it saw and on the recorded ones."""

    account: Recorded
    market: Market
    wallet: Wallet
    seen: Course
    stored: Course

    @property
    def step(self) -> int:
        return INTERVAL_MS[self.account.settings["interval"]]


def parity_report(question: Question) -> ParityReport:
    """Return the report.

    Raises
    ------
    BadInput
        There is no such account, it saw no bar yet, or its candles are not at hand.
    """
    account = recorded(question.database, question.account)
    market = market_of(account, question.settings, question.database, question.given)
    case = _case(account, market, question.broker_of)
    lines, unmatched, n_open = _compared(case)
    times = [int(candles.open_time[row]) for candles in market.recorded if len(candles) for row in (0, -1)]
    return ParityReport(
        question.account, next(iter(account.specs.values())).quote, account.settings["interval"], question.made,
        min(times), max(times), sum(len(candles) for candles in market.recorded), len(market.differing), lines,
        unmatched, tuple(circumstances_of(account, case.step)), _notes(account, market), n_open, *_means(lines))


def _case(account: Recorded, market: Market, broker_of: BrokerOf) -> _Case:
    wallet = wallet_of(account)
    scene = scene_of(account, wallet)
    seen = play(scene, market.earlier, market.seen, broker_of)
    stored = play(scene, market.earlier, market.recorded, broker_of) if market.differing else seen
    return _Case(account, market, wallet, seen, stored)


def _compared(case: _Case) -> tuple[tuple[ParityLine, ...], tuple[UnmatchedTrade, ...], int]:
    """Match what was lived with what was replayed on the same candles, and that with the recorded candles."""
    lived, n_open = trips_of(case.account.course, case.wallet)
    seen, _ = trips_of(case.seen, case.wallet)
    stored = trips_of(case.stored, case.wallet)[0] if case.stored is not case.seen else seen
    pairs, moved = paired(lived, seen, case.step), paired(seen, stored, case.step)
    partner = {id(ours): theirs for ours, theirs in moved.both}
    late = {symbol: [bar.open_time for bar in bars if not bar.live] for symbol, bars in case.account.seen.items()}
    bars = _bars(case)
    lines = tuple(_line(case, bars, (ours, theirs, partner[id(theirs)]), acted(ours, late, case.step))
                  for ours, theirs in pairs.both if id(theirs) in partner)
    course = case.account.course
    alone = [_alone(case, trip, "live", only_live(trip, course, case.seen)) for trip in pairs.only_left]
    alone += [_alone(case, trip, "replay", only_replay(trip, course, case.seen)) for trip in pairs.only_right]
    alone += [_alone(case, ours, "live", _by_data(case, ours))
              for ours, theirs in pairs.both if id(theirs) not in partner]
    alone += [_alone(case, trip, "replay", _by_data(case, trip)) for trip in moved.only_right]
    return lines, tuple(sorted(alone, key=lambda each: each.trade.entry_time)), n_open


def _line(case: _Case, bars: Bars, trips: tuple[Trip, Trip, Trip], cause: str) -> ParityLine:
    """Compare a trade with its replay on the candles seen, and that with the one on the recorded candles."""
    lived, seen, stored = trips
    spec = case.account.specs[lived.symbol]
    gap = split(lived, seen, arithmetic_of(spec), bars)
    data = seen.trade.pnl - stored.trade.pnl
    paid = max(sum(fill.quote_units for fill in trip.entries) for trip in trips)
    return ParityLine(
        lived.symbol, spec.display, _side(case, lived), _side(case, stored), money(data), money(gap.timing),
        money(gap.fill), money(gap.commission), (data + gap.total) * BASIS / paid, cause, _note(lived, seen),
        decimals(spec))


def _note(lived: Trip, seen: Trip) -> str:
    """Say in which respect two matched trades went other ways."""
    ours, theirs = lived.trade, seen.trade
    words = []
    if lived.decided != seen.decided:
        words.append("decided on another bar")
    if ours.closed_because != theirs.closed_because:
        words.append(f"closed by {ours.closed_because}, in the replay by {theirs.closed_because}")
    if ours.lots != theirs.lots:
        words.append("another quantity")
    return "; ".join(words)


def _alone(case: _Case, trip: Trip, whose: str, verdict: Verdict) -> UnmatchedTrade:
    spec = case.account.specs[trip.symbol]
    return UnmatchedTrade(trip.symbol, spec.display, whose, _side(case, trip), verdict.cause, verdict.live,
                          verdict.replay, decimals(spec))


def _by_data(case: _Case, trip: Trip) -> Verdict:
    """Say what the candles seen and the recorded ones made of a bar."""
    seen, stored = (course.decision(trip.symbol, trip.decided) for course in (case.seen, case.stored))
    return Verdict("data", f"on the candles seen: {said(seen)}", f"on the recorded candles: {said(stored)}")


def _bars(case: _Case) -> Bars:
    opens = {(candles.symbol, int(time)): case.account.specs[candles.symbol].to_ticks(float(price))
             for candles in case.market.seen for time, price in zip(candles.open_time, candles.open, strict=True)}
    return Bars(case.step, lambda symbol, time: opens.get((symbol, time)), case.wallet.costs)


def _side(case: _Case, trip: Trip) -> Side:
    trade, spec = trip.trade, case.account.specs[trip.symbol]
    return Side(spec.quantity(trade.lots), trade.entry_time, Decimal(trade.entry_price), trade.exit_time,
                Decimal(trade.exit_price), money(trade.fees), money(trade.pnl), trade.opened_by, trade.closed_because)


def _means(lines: Sequence[ParityLine]) -> tuple[float | None, float | None, float | None]:
    """Return mean, median and mean size of the gaps in which only the machine acted."""
    gaps = [line.bps for line in lines if line.cause == ""]
    return (mean(gaps), median(gaps), mean(abs(gap) for gap in gaps)) if gaps else (None, None, None)


def _notes(account: Recorded, market: Market) -> tuple[str, ...]:
    notes = []
    if not account.seen and not account.account.startswith(("replay-", "screen-replay-")):
        notes.append("the bars as they were seen were not kept when this account traded: the data part is not known")
    if market.n_missing:
        notes.append(f"{market.n_missing} bars are not in the candle store and count as they were seen")
    if account.votes:
        notes.append("what models said is taken from the record, not asked again")
    return tuple(notes)
