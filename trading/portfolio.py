"""The ledger: cash, holdings, open trades, equity, drawdown and the buy-and-hold benchmark, in whole units.

Accounts balance to the last unit: equity - start = realised + unrealised, because a sale takes the same average
cost out of the holding that it books as the trade's cost, fractions of a lot that cannot be sold keep theirs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from trading import rules
from trading.arithmetic import MAX_UNITS, PPM
from trading.domain import EquityPoint, Fill, Side, SymbolSpec, Trade
from trading.domain.backtests import CostSettings
from trading.errors import BadInput, BrokenInvariant, StateFailed
from trading.rules import Costs, Market

DAY_MS = 86_400_000
UNITS = 10**8
MAX_WORTH = MAX_UNITS // 16
Worth = tuple[int, int, int]  # at a price in ticks, so many atoms are worth so many units


@dataclass(slots=True)
class Holding:
    """What the account owns of a symbol, and the open trade on it (`entry_lots` of 0: none).

    Every fill up to `last_trade_id` is booked, and those in `booked` above it: a venue outside tells them in any order.
    """

    atoms: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    last_trade_id: int = 0
    entry_time: int = 0
    entry_lots: int = 0
    entry_units: int = 0
    exit_lots: int = 0
    exit_units: int = 0
    trade_fees: int = 0
    trade_pnl: int = 0
    source: str = ""
    atr_ticks: int = 0
    high_ticks: int = 0
    entry_ticks: int = 0
    stop_ticks: int = 0
    stop_kind: int = rules.STOP_FIXED
    target_ticks: int = 0
    n_bars: int = 0
    cool_bars: int = 0
    booked: list[int] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether a trade is open."""
        return self.entry_lots > 0


@dataclass(slots=True)
class Benchmark:
    """Buy and hold of every symbol in equal parts, bought at its first price with the same costs."""

    cash: int
    share: int
    atoms: dict[str, int] = field(default_factory=dict)


def market_of(spec: SymbolSpec) -> Market:
    """Return a symbol's integer arithmetic; BadInput when one tick times one lot is too coarse to count."""
    numerator, denominator = (spec.tick_size * spec.lot_size * UNITS).as_integer_ratio()
    atoms = spec.lot_size * UNITS
    if numerator <= 0 or atoms != int(atoms):
        raise BadInput(f"{spec.symbol}: tick {spec.tick_size} and lot {spec.lot_size} must be multiples of 1e-8")
    minimum = max(1, spec.to_lots(spec.min_quantity))
    return Market(numerator, denominator, int(atoms), minimum, spec.to_lots(spec.max_quantity),
                  int(spec.min_notional * UNITS))


def check_capital(start_units: int) -> None:
    """Refuse a starting capital that cannot be counted, in 1e-8 of the quote asset, with BadInput."""
    if not 0 < start_units < MAX_UNITS // 100:
        raise BadInput(f"starting capital {Decimal(start_units) / UNITS} is out of range; use 1 to 900000000")


COST_RANGES = {
    "commission_rate": (0.0, 0.05, "commission, 0 to 0.05 (5 %)"),
    "spread_bps": (0.0, 500.0, "spread, 0 to 500 basis points"),
    "slippage_bps": (0.0, 500.0, "slippage, 0 to 500 basis points"),
    "volume_share": (0.000001, 1.0, "share of the volume, above 0 to 1"),
    "slippage_atr": (0.0, 5.0, "slippage, 0 to 5 ATR"),
    "impact_rate": (0.0, 10.0, "price impact of a whole bar's volume, 0 to 10"),
}


def costs_of(settings: CostSettings) -> Costs:
    """Return trading costs in the rule book's integers; BadInput names the first that is out of range."""
    for name, (low, high, words) in COST_RANGES.items():
        if not low <= getattr(settings, name) <= high:
            raise BadInput(f"{name}: {getattr(settings, name)} is out of range; use {words}")
    return Costs(round(settings.commission_rate * PPM), round(settings.spread_bps * 50),
                 round(settings.slippage_bps * 100), round(settings.volume_share * PPM),
                 round(settings.slippage_atr * rules.MILLI), round(settings.impact_rate * PPM))


class Portfolio:
    """One wallet in one quote asset. Only the engine's thread touches it."""

    def __init__(self, specs: dict[str, SymbolSpec], start_units: int, costs: Costs) -> None:
        check_capital(start_units)
        self.specs = specs
        self.markets = {symbol: market_of(spec) for symbol, spec in specs.items()}
        self.costs = costs
        self.start_units = start_units
        self.cash = start_units
        self.may_owe = False
        self.holdings = {symbol: Holding() for symbol in specs}
        self.marks: dict[str, int] = {}
        self.peak = self.high = self.day_start = start_units
        self.day = 0
        self.worst_drawdown = 0
        self.n_trades = self.n_wins = 0
        self.benchmark = Benchmark(start_units, start_units // max(1, len(specs)))
        self._held_worth: dict[str, Worth] = {}
        self._benchmark_worth: dict[str, Worth] = {}
        self._ceilings: dict[str, tuple[int, Market, int]] = {}

    def can_count(self, symbol: str, low_ticks: int, high_ticks: int) -> bool:
        """Return whether prices are at least a tick and value what is held within the rule book's bounds."""
        return low_ticks > 0 and high_ticks <= self._ceiling(symbol)

    def _ceiling(self, symbol: str) -> int:
        """Return the highest price that can be counted, worked out anew when what is held changes."""
        market = self.markets[symbol]
        atoms = max(market.lot_atoms, self.holdings[symbol].atoms, self.benchmark.atoms.get(symbol, 0))
        known = self._ceilings.get(symbol)
        if known is None or known[0] != atoms or known[1] is not market:
            worth = ((MAX_WORTH + 1) * market.value_den * market.lot_atoms - 1) // (market.value_num * atoms)
            known = atoms, market, min(worth, MAX_UNITS // market.value_num, rules.MAX_TICKS)
            self._ceilings[symbol] = known
        return known[2]

    def mark(self, symbol: str, ticks: int, time: int) -> None:
        """Move a symbol's price, roll the UTC day, and follow the peak and the worst drawdown of equity."""
        if time // DAY_MS > self.day:
            self.day_start = self.equity()
            self.day = time // DAY_MS
        self.marks[symbol] = ticks
        equity = self.equity()
        if equity > MAX_UNITS:
            raise BrokenInvariant(f"equity of {equity} units is more than can be counted")
        self.peak = max(self.peak, equity)
        if equity > self.high:
            self.high = equity
        elif (self.high - equity) * PPM > self.worst_drawdown * self.high:
            self.worst_drawdown = rules.loss_ppm(self.high, equity)
        if symbol not in self.benchmark.atoms:
            self._buy_and_hold(symbol, ticks)

    def value(self, symbol: str) -> int:
        """Return what a holding is worth at its last price, in units."""
        atoms = self.holdings[symbol].atoms
        return self._worth(symbol, atoms, self._held_worth) if atoms else 0

    def _worth(self, symbol: str, atoms: int, known: dict[str, Worth]) -> int:
        """Return the value of atoms at the last price; it is worked out once a price."""
        ticks = self.marks[symbol]
        last = known.get(symbol)
        if last is not None and last[0] == ticks and last[1] == atoms:
            return last[2]
        market = self.markets[symbol]
        worth = rules.atoms_value(ticks * market.value_num, market.value_den, market.lot_atoms, atoms)
        known[symbol] = ticks, atoms, worth
        return worth

    def equity(self) -> int:
        """Return cash and holdings at the last prices, in units."""
        return self.cash + self.exposure()

    def exposure(self) -> int:
        """Return the value of all holdings, in units."""
        total = 0
        for symbol, holding in self.holdings.items():
            if holding.atoms:
                total += self._worth(symbol, holding.atoms, self._held_worth)
        return total

    def benchmark_equity(self) -> int:
        """Return what buy and hold would be worth, in units."""
        total = self.benchmark.cash
        for symbol, atoms in self.benchmark.atoms.items():
            total += self._worth(symbol, atoms, self._benchmark_worth)
        return total

    def point(self, time: int) -> EquityPoint:
        """Return the account's worth now as a point of the equity curve."""
        equity = self.equity()
        drawdown = rules.loss_ppm(self.peak, equity) if equity < self.peak else 0
        return EquityPoint(time, equity, self.benchmark_equity(), drawdown)

    def unrealized(self, symbol: str) -> int:
        """Return value less cost of a holding, in units."""
        return self.value(symbol) - self.holdings[symbol].cost

    def sellable_lots(self, symbol: str) -> int:
        """Return whole lots that can be sold; the commission in the base asset leaves fractions behind."""
        return self.holdings[symbol].atoms // self.markets[symbol].lot_atoms

    def open_symbols(self) -> list[str]:
        """Return symbols with an open trade."""
        return [symbol for symbol, holding in self.holdings.items() if holding.is_open]

    def is_booked(self, fill: Fill) -> bool:
        """Return whether an execution is in the books already."""
        holding = self.holdings[fill.symbol]
        return fill.trade_id <= holding.last_trade_id or fill.trade_id in holding.booked

    def confirm(self, symbol: str, trade_id: int) -> None:
        """Take note that every fill up to an id is booked."""
        holding = self.holdings[symbol]
        if trade_id > holding.last_trade_id:
            holding.last_trade_id = trade_id
            holding.booked = [booked for booked in holding.booked if booked > trade_id]

    def apply(self, fill: Fill, source: str) -> Trade | None:
        """Book a fill once; return the finished trade when it closed one. A repeated fill changes nothing."""
        if self.is_booked(fill):
            return None
        holding = self.holdings[fill.symbol]
        holding.booked.append(fill.trade_id)
        self.marks.setdefault(fill.symbol, fill.price_ticks)
        if fill.side is Side.BUY:
            self._buy(holding, fill, source)
            return None
        return self._sell(holding, fill)

    def _buy(self, holding: Holding, fill: Fill, source: str) -> None:
        market = self.markets[fill.symbol]
        if fill.quote_units > self.cash and not self.may_owe:
            raise BrokenInvariant(f"{fill.symbol}: buy of {fill.quote_units} units with cash {self.cash}")
        if not holding.is_open:
            holding.entry_time, holding.source = fill.time, source
            holding.high_ticks = holding.entry_ticks = fill.price_ticks
        self.cash -= fill.quote_units
        holding.atoms += fill.lots * market.lot_atoms - fill.fee_atoms
        holding.cost += fill.quote_units
        holding.entry_lots += fill.lots
        holding.entry_units += fill.quote_units
        self._pay(holding, rules.holding_value(market, fill.price_ticks, fill.fee_atoms))

    def _sell(self, holding: Holding, fill: Fill) -> Trade | None:
        atoms = fill.lots * self.markets[fill.symbol].lot_atoms
        if atoms > holding.atoms:
            raise BrokenInvariant(f"{fill.symbol}: sell of {atoms} atoms, {holding.atoms} held")
        received = fill.quote_units - fill.fee_quote_units
        cost = holding.cost * atoms // holding.atoms
        self.cash += received
        holding.atoms -= atoms
        holding.cost -= cost
        holding.realized += received - cost
        holding.trade_pnl += received - cost
        holding.exit_lots += fill.lots
        holding.exit_units += fill.quote_units
        self._pay(holding, fill.fee_quote_units)
        if self.sellable_lots(fill.symbol):
            return None
        return self._close(fill.symbol, fill.time, self._exit_name(fill.symbol, fill.reason))

    def _exit_name(self, symbol: str, reason: str) -> str:
        return rules.STOP_NAMES[self.holdings[symbol].stop_kind] if reason == "stop" else reason

    def set_dust_aside(self, symbol: str, time: int, reason: str = "dust") -> Trade | None:
        """End an open trade whose rest is too little to sell; the rest stays, with its cost. None if none was sold."""
        if self.holdings[symbol].exit_lots:
            return self._close(symbol, time, self._exit_name(symbol, reason))
        self._forget_trade(symbol)
        return None

    def _pay(self, holding: Holding, fee: int) -> None:
        holding.fees += fee
        holding.trade_fees += fee

    def _close(self, symbol: str, time: int, reason: str) -> Trade:
        holding, spec = self.holdings[symbol], self.specs[symbol]
        self.n_trades += 1
        self.n_wins += holding.trade_pnl > 0
        trade = Trade(
            number=self.n_trades, symbol=symbol, side="LONG", lots=holding.exit_lots,
            entry_time=holding.entry_time, entry_price=mean_price(spec, holding.entry_units, holding.entry_lots),
            exit_time=time, exit_price=mean_price(spec, holding.exit_units, holding.exit_lots),
            fees=holding.trade_fees, pnl=holding.trade_pnl, opened_by=holding.source, closed_because=reason,
        )
        self._forget_trade(symbol)
        return trade

    def _forget_trade(self, symbol: str) -> None:
        held = self.holdings[symbol]
        self.holdings[symbol] = Holding(held.atoms, held.cost, held.realized, held.fees, held.last_trade_id,
                                        cool_bars=held.cool_bars, booked=held.booked)

    def _buy_and_hold(self, symbol: str, ticks: int) -> None:
        market = self.markets[symbol]
        price = rules.buy_price(self.costs, ticks, 0, 0)
        budget = min(self.benchmark.share, self.benchmark.cash)
        lots = min(rules.affordable_lots(market, budget, price), MAX_UNITS // market.lot_atoms)
        self.benchmark.cash -= rules.notional_ceil(market, price, lots)
        fee = rules.commission_atoms(market, self.costs, lots)
        self.benchmark.atoms[symbol] = lots * market.lot_atoms - fee

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return {
            "cash": self.cash, "start_units": self.start_units, "marks": dict(self.marks), "peak": self.peak,
            "high": self.high,
            "day_start": self.day_start, "day": self.day, "worst_drawdown": self.worst_drawdown,
            "n_trades": self.n_trades, "n_wins": self.n_wins, "benchmark": asdict(self.benchmark),
            "holdings": {s: asdict(h) for s, h in self.holdings.items()},
            "steps": {s: [str(spec.tick_size), str(spec.lot_size)] for s, spec in self.specs.items()},
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        for name in ("cash", "start_units", "peak", "high", "day_start", "day", "worst_drawdown", "n_trades", "n_wins"):
            setattr(self, name, snapshot[name])
        self.marks = {symbol: self._rescaled(symbol, ticks, snapshot) for symbol, ticks in snapshot["marks"].items()}
        self.benchmark = Benchmark(**snapshot["benchmark"])
        self.holdings |= {s: self._on_grid(s, Holding(**row), snapshot) for s, row in snapshot["holdings"].items()}

    def _on_grid(self, symbol: str, holding: Holding, snapshot: dict[str, Any]) -> Holding:
        """Return a saved holding with its prices in today's ticks: the venue may change them while it is open."""
        def now(ticks: int) -> int:
            return self._rescaled(symbol, ticks, snapshot) if ticks else 0

        return replace(holding, high_ticks=now(holding.high_ticks), entry_ticks=now(holding.entry_ticks),
                       stop_ticks=now(holding.stop_ticks), target_ticks=now(holding.target_ticks),
                       atr_ticks=now(holding.atr_ticks))

    def _rescaled(self, symbol: str, ticks: int, snapshot: dict[str, Any]) -> int:
        """Return a saved mark in today's ticks; a position cannot be carried over a change of lot size."""
        tick, lot = snapshot["steps"][symbol]
        spec = self.specs.get(symbol)
        if spec is None or (Decimal(tick), Decimal(lot)) == (spec.tick_size, spec.lot_size):
            return ticks
        if snapshot["holdings"][symbol]["entry_lots"] and Decimal(lot) != spec.lot_size:
            raise StateFailed(f"{symbol}: the position was saved with tick {tick} and lot {lot}, the venue now has "
                              f"{spec.tick_size} and {spec.lot_size}; start a new account in another COCKPIT_DATA_DIR")
        return max(1, round(ticks * Decimal(tick) / spec.tick_size))


def mean_price(spec: SymbolSpec, quote_units: int, lots: int) -> str:
    """Return the volume-weighted price as a decimal string with the tick's digits and four more."""
    price = Decimal(quote_units) / UNITS / spec.quantity(lots)
    return format(price.quantize(spec.tick_size.normalize() / 10_000).normalize(), "f")
