"""Ordered risk rules: the first denial wins and is named; exposure is reserved where it is checked."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from trading import rules
from trading.arithmetic import PPM
from trading.domain import RiskProfile, Side, Verdict
from trading.orders import OrderManager
from trading.portfolio import UNITS, Portfolio
from trading.rules import MINUTE_MS, ORDERS_A_MINUTE, Entry, Limits, Wallet

PROFILES = (
    RiskProfile("Conservative", 0.005, 2.0, 3.0, 0.0, 0.15, 0.40, 3, 0.02, 0.06),
    RiskProfile("Balanced", 0.010, 2.0, 3.0, 0.0, 0.25, 0.60, 4, 0.03, 0.10),
    RiskProfile("Aggressive", 0.020, 2.5, 5.0, 2.5, 0.40, 0.95, 6, 0.06, 0.20),
)


def limits_of(profile: RiskProfile) -> Limits:
    """Return a profile in the rule book's integers."""
    def ppm(rate: float) -> int:
        return round(rate * PPM)

    def milli(multiple: float) -> int:
        return round(multiple * rules.MILLI)

    return Limits(
        ppm(profile.risk_rate), milli(profile.stop_atr), milli(profile.target_atr), milli(profile.trail_atr),
        ppm(profile.max_position_rate), ppm(profile.max_exposure_rate), int(profile.max_positions),
        ppm(profile.daily_loss_rate), ppm(profile.max_drawdown_rate), milli(profile.breakeven_atr),
        int(profile.time_stop_bars), int(profile.cool_down_bars),
    )


@dataclass(frozen=True, slots=True)
class EntryRequest:
    """An entry that wants approval: the last price and ATR in ticks, and whether it adds to an open position."""

    symbol: str
    time: int
    price_ticks: int
    atr_ticks: int
    market_ok: str = ""
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """Verdicts up to the first denial; `lots` and the reserved `budget_units` are 0 when denied."""

    verdicts: tuple[Verdict, ...]
    lots: int = 0
    budget_units: int = 0

    @property
    def denial(self) -> Verdict | None:
        """The verdict that said no."""
        last = self.verdicts[-1]
        return None if last.passed else last


class Risk:
    """Checks and sizes entries against the ledger and the working orders."""

    def __init__(self, portfolio: Portfolio, orders: OrderManager, profile: RiskProfile) -> None:
        self._portfolio = portfolio
        self._orders = orders
        self._recent: deque[int] = deque()
        self.use(profile)

    def use(self, profile: RiskProfile) -> None:
        """Apply a profile from now on."""
        self.profile = profile
        self.limits = limits_of(profile)

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return {"profile": asdict(self.profile), "recent": list(self._recent)}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        self.use(RiskProfile(**snapshot["profile"]))
        self._recent = deque(snapshot["recent"])

    def drawdown_breached(self) -> bool:
        """Return whether the kill switch must trip."""
        peak = self._portfolio.peak
        lost = peak - self._portfolio.equity()
        return lost * PPM > (self.limits.max_drawdown - 1) * peak  # loss_ppm rounds up: from here on it is the limit

    def approve(self, request: EntryRequest) -> Approval:
        """Run the rules in order, stop at the first denial, else size the entry and name what bounded it."""
        verdicts: list[Verdict] = []
        for rule in (self._market, self._atr, self._one_position, self._cool_down, self._positions, self._daily_loss,
                     self._rate):
            verdicts.append(rule(request))
            if not verdicts[-1].passed:
                return Approval(tuple(verdicts))
        return self._size(request, verdicts)

    def _size(self, request: EntryRequest, verdicts: list[Verdict]) -> Approval:
        symbol, portfolio, wallet = request.symbol, self._portfolio, self._wallet()
        held = portfolio.value(symbol) + self._orders.reserved_units(symbol)
        entry = Entry(request.price_ticks, request.atr_ticks, held, portfolio.sellable_lots(symbol))
        lots, budget, cap = rules.approved_entry(portfolio.markets[symbol], self.limits, portfolio.costs, wallet, entry)
        name = rules.CAP_NAMES[cap]
        if lots == 0:
            return Approval((*verdicts, Verdict(name, False, self._room(name, wallet))))
        self._recent.append(request.time)
        size = portfolio.specs[symbol].quantity(lots)
        share = budget / wallet.equity
        return Approval((*verdicts, Verdict("size", True, f"{size:f}, {share:.1%} of equity, bounded by {name}")),
                        lots, budget)

    def _wallet(self) -> Wallet:
        portfolio = self._portfolio
        reserved = self._orders.reserved_units()
        return Wallet(portfolio.equity(), portfolio.cash - reserved, portfolio.exposure() + reserved)

    def _room(self, cap: str, wallet: Wallet) -> str:
        figures = {
            "exposure": f"{wallet.exposure / wallet.equity:.1%} of {self.profile.max_exposure_rate:.0%}",
            "cash": f"{wallet.cash / UNITS:,.2f} free",
        }
        return f"too small an order is left ({figures.get(cap, cap)})"

    def _market(self, request: EntryRequest) -> Verdict:
        return Verdict("market", not request.market_ok, request.market_ok or "prices are live")

    def _atr(self, request: EntryRequest) -> Verdict:
        ready = request.atr_ticks > 0 and request.price_ticks > 0
        return Verdict("atr", ready, f"ATR {request.atr_ticks} ticks" if ready else "ATR is warming up")

    def _one_position(self, request: EntryRequest) -> Verdict:
        working = self._orders.of(request.symbol, Side.BUY)
        held = self._portfolio.holdings[request.symbol].is_open
        if working:
            return Verdict("one_position", False, f"{working[0].client_id} is working")
        return Verdict("one_position", request.adds or not held, "position is open" if held else "no position yet")

    def _cool_down(self, request: EntryRequest) -> Verdict:
        left = self._portfolio.holdings[request.symbol].cool_bars
        return Verdict("cool_down", left == 0, f"{left} bars to wait" if left else "no wait")

    def _positions(self, request: EntryRequest) -> Verdict:
        busy = {*self._portfolio.open_symbols(), *(o.symbol for o in self._orders.working.values())}
        n_others = len(busy - {request.symbol})
        limit = self.limits.max_positions
        return Verdict("max_positions", n_others < limit, f"{n_others} of {limit}")

    def _daily_loss(self, request: EntryRequest) -> Verdict:
        lost = rules.loss_ppm(self._portfolio.day_start, self._portfolio.equity())
        limit = self.limits.daily_loss
        return Verdict("daily_loss", lost < limit, f"{lost / 10_000:.2f} % of {limit / 10_000:.2f} %")

    def _rate(self, request: EntryRequest) -> Verdict:
        while self._recent and self._recent[0] <= request.time - MINUTE_MS:
            self._recent.popleft()
        n_recent = len(self._recent)
        return Verdict("order_rate", n_recent < ORDERS_A_MINUTE, f"{n_recent} of {ORDERS_A_MINUTE} a minute")
