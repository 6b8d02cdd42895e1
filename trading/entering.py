"""From a wish to buy to an order, or to the first rule that said no; each is a decision with its record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trading.domain import Decision, Signal, Verdict
from trading.events import AlertLogged, RiskChecked, SignalRejected
from trading.execution import Desk, Execution
from trading.gate import EntryGate
from trading.risk import Approval, EntryRequest
from trading.session import Session


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to buy, and what of it goes into the record; without a price the last one stands there.

    `ranked` is what Mother AI said of it: it stands before what risk says.
    """

    source: str
    price: float | None = None
    reason: str = ""
    signals: tuple[Signal, ...] = ()
    ranked: tuple[Verdict, ...] = ()


class Entries:
    """Takes wishes through session, gate and risk."""

    def __init__(self, desk: Desk, execution: Execution, session: Session, gate: EntryGate) -> None:
        self._bus, self._risk, self._portfolio = desk.bus, desk.risk, desk.portfolio
        self._execution, self._session, self._gate = execution, session, gate

    def decide(self, request: EntryRequest, wish: Wish) -> Decision:
        """Return what became of a wish; the order, if it led to one, has been sent."""
        session = self._session.verdict()
        wanted = session.passed or (request.adds and self._session.may_add)
        approval = self._approval(request) if wanted else Approval((session,))
        verdicts = approval.verdicts if not session.passed else (session, *approval.verdicts)
        denial = approval.denial
        if self._bus.hears(RiskChecked):
            self._bus.publish(RiskChecked(request.symbol, request.time, denial is None, verdicts))
        if denial is not None:
            self._tell_of_denial(request, denial)
            return self._record_of(request, wish, f"denied: {denial.rule}", verdicts)
        made = self._record_of(request, wish, "entry", verdicts)
        return replace(made, client_id=self._execution.enter(request, approval, wish.source, made).client_id)

    def _record_of(self, request: EntryRequest, wish: Wish, outcome: str, verdicts: tuple[Verdict, ...]) -> Decision:
        last = verdicts[-1]
        said = last.detail if last.passed else f"{last.rule}: {last.detail}"
        reason = f"{wish.reason} → {said}" if wish.reason else said
        price = self._price(request) if wish.price is None else wish.price
        return Decision(request.symbol, request.time, price, "BUY", outcome, reason, wish.signals,
                        (*wish.ranked, *verdicts))

    def _price(self, request: EntryRequest) -> float:
        return float(self._portfolio.specs[request.symbol].price(request.price_ticks))

    def _approval(self, request: EntryRequest) -> Approval:
        closed = self._gate.reason(request.symbol)
        return Approval((Verdict("venue", False, closed),)) if closed else self._risk.approve(request)

    def _tell_of_denial(self, request: EntryRequest, denial: Verdict) -> None:
        symbol, time = request.symbol, request.time
        if self._bus.hears(SignalRejected):
            self._bus.publish(SignalRejected(symbol, time, denial.rule, denial.detail))
        if self._bus.hears(AlertLogged):
            self._bus.publish(AlertLogged(time, f"{symbol} buy denied by {denial.rule}: {denial.detail}"))
