"""The rule book: sizing, costs, protective prices and limits as compiled pure functions over integers.

Units: prices in ticks, quantities in lots, holdings in atoms (1e-8 of the base asset), cash in units (1e-8 of the
quote asset), rates in ppm (1e-6), ATR multiples in thousandths. All roundings go against the trader. The event
engine calls these functions one by one; an array kernel can loop over the same ones.

Bounds: prices stay below 1e14 ticks, the value of one lot, of an order and the account's equity below 9.2e18 units
(9.2e10 of the quote asset), a holding below 9.2e18 atoms, which the edge (`trading.portfolio`) enforces; inside,
`mul_div` keeps products exact, so nothing overflows below that bound, and what would lie above it stays at
`MAX_UNITS` instead of wrapping.
"""

from __future__ import annotations

from typing import NamedTuple

from trading.arithmetic import MAX_UNITS, PPM, mul_div, ppm_ceil, ppm_floor
from trading.compiled import njit

MILLI = 1_000
MAX_TICKS = 10**14

CAP_RISK, CAP_POSITION, CAP_EXPOSURE, CAP_CASH, CAP_LOT, CAP_MINIMUM = range(6)
CAP_NAMES = ("risk", "max_position", "exposure", "cash", "lot_size", "min_notional")

EXIT_NONE, EXIT_STOP, EXIT_TARGET = range(3)
STOP_FIXED, STOP_BREAKEVEN, STOP_TRAILING = range(3)
STOP_NAMES = ("stop", "break-even", "trailing stop")
ORDERS_A_MINUTE = 10
MINUTE_MS = 60_000
RESERVE_PPM = 10_000  # what an entry may cost beyond the expected price


class Market(NamedTuple):
    """A symbol's arithmetic: one tick times one lot is `value_num / value_den` units."""

    value_num: int
    value_den: int
    lot_atoms: int
    min_lots: int
    max_lots: int
    min_notional: int


class Costs(NamedTuple):
    """What trading costs, in ppm; `volume_share` is the part of traded volume one order may take.

    Slippage of a market order adds up from a fixed part, a part of the ATR (`slippage_atr`, thousandths) and an impact:
    `impact` ppm of the price times the squared share of the stretch's volume that the order takes (zipline,
    VolumeShareSlippage).
    """

    commission: int
    half_spread: int
    slippage: int
    volume_share: int
    slippage_atr: int = 0
    impact: int = 0


class Limits(NamedTuple):
    """What the account may risk: rates in ppm of equity, ATR multiples in thousandths, spans in bars (0 = off)."""

    risk: int
    stop_atr: int
    target_atr: int
    trail_atr: int
    max_position: int
    max_exposure: int
    max_positions: int
    daily_loss: int
    max_drawdown: int
    breakeven_atr: int = 0
    time_stop_bars: int = 0
    cool_down_bars: int = 0


class Wallet(NamedTuple):
    """What sizing must know of the account, in units; working orders count in `exposure`, reservations are not cash."""

    equity: int
    cash: int
    exposure: int


class Position(NamedTuple):
    """What protects an open position: entry price, ATR at the entry, stop (ticks), and what set the stop (STOP_...)."""

    entry: int
    atr: int
    stop: int
    kind: int


class Entry(NamedTuple):
    """An entry that wants a size: last price and ATR in ticks, and what is held or on order of its symbol already."""

    price: int
    atr: int
    held_units: int
    held_lots: int


class Weights(NamedTuple):
    """How a score comes about: `alpha` of the confidence, `beta` of the record, which starts from a prior.

    The prior is a beta distribution: as if `prior_wins` trades had been won and `prior_losses` lost before the first.
    Five of each make thirty trades weigh three times the prior, and three trades a third of it.
    """

    alpha: float = 0.6
    beta: float = 0.4
    prior_wins: float = 5.0
    prior_losses: float = 5.0


WEIGHTS = Weights()


@njit
def notional_floor(market: Market, price: int, lots: int) -> int:
    """Return the value of `lots` at `price` in units, rounded down (what a seller receives)."""
    return mul_div(price * market.value_num, lots, market.value_den, False)


@njit
def notional_ceil(market: Market, price: int, lots: int) -> int:
    """Return the value of `lots` at `price` in units, rounded up (what a buyer pays)."""
    return mul_div(price * market.value_num, lots, market.value_den, True)


@njit
def atoms_value(lot_value: int, value_den: int, lot_atoms: int, atoms: int) -> int:
    """Return the value of a holding in units when a lot is worth `lot_value / value_den`, rounded down.

    It takes plain numbers because a named tuple triples the price of a call from Python.
    """
    return (mul_div(lot_value, atoms // lot_atoms, value_den, False)
            + mul_div(lot_value, atoms % lot_atoms, value_den * lot_atoms, False))


@njit
def holding_value(market: Market, price: int, atoms: int) -> int:
    """Return the value of a holding in units, rounded down, fractions of a lot included."""
    return atoms_value(price * market.value_num, market.value_den, market.lot_atoms, atoms)


@njit
def spread_ticks(costs: Costs, price: int) -> int:
    """Return half the spread in whole ticks, rounded up."""
    return ppm_ceil(price, costs.half_spread)


@njit
def volume_taken(lots: int, volume_lots: int) -> int:
    """Return the share of a stretch's volume that an order takes, in ppm, rounded up."""
    return mul_div(lots, PPM, volume_lots, True) if volume_lots > 0 else 0


@njit
def away_ticks(costs: Costs, price: int, atr_ticks: int, share: int) -> int:
    """Return how far from a price a market order fills: half the spread and every slippage, rounded up."""
    rate = costs.half_spread + costs.slippage
    if costs.impact > 0:
        rate += ppm_ceil(ppm_ceil(costs.impact, share), share)
    ticks = ppm_ceil(price, rate)
    if costs.slippage_atr > 0:
        ticks += (atr_ticks * costs.slippage_atr + MILLI - 1) // MILLI
    return ticks


@njit
def buy_price(costs: Costs, price: int, atr_ticks: int, share: int) -> int:
    """Return what a market buy pays that takes a share (ppm) of the volume; whole ticks upwards."""
    return price + away_ticks(costs, price, atr_ticks, share)


@njit
def sell_price(costs: Costs, price: int, atr_ticks: int, share: int) -> int:
    """Return what a market sell gets that takes a share (ppm) of the volume; at least one tick."""
    return max(1, price - away_ticks(costs, price, atr_ticks, share))


@njit
def commission_atoms(market: Market, costs: Costs, lots: int) -> int:
    """Return the commission of a buy, in atoms of the base asset (taken from what is received)."""
    return ppm_ceil(lots * market.lot_atoms, costs.commission)


@njit
def commission_units(costs: Costs, quote_units: int) -> int:
    """Return the commission of a sell, in units of the quote asset."""
    return ppm_ceil(quote_units, costs.commission)


@njit
def fillable_lots(costs: Costs, remaining: int, volume_lots: int) -> int:
    """Return how many lots of an order can trade when the market trades `volume_lots`."""
    return min(remaining, ppm_floor(volume_lots, costs.volume_share))


@njit
def affordable_lots(market: Market, budget: int, price: int) -> int:
    """Return how many lots a budget in units buys at a price."""
    return mul_div(budget, market.value_den, price * market.value_num, False)


@njit
def atr_distance(atr_ticks: int, multiple: int) -> int:
    """Return a protective distance in ticks: ATR times a multiple in thousandths, at least one tick."""
    return max(1, atr_ticks * multiple // MILLI)


@njit
def stop_price(entry: int, atr_ticks: int, multiple: int) -> int:
    """Return the stop of a long position, at least one tick above nothing."""
    return max(1, entry - atr_distance(atr_ticks, multiple))


@njit
def target_price(entry: int, atr_ticks: int, multiple: int) -> int:
    """Return the target of a long position; 0 when targets are off."""
    if multiple == 0:
        return 0
    return entry + atr_distance(atr_ticks, multiple)


@njit
def raised_stop(limits: Limits, position: Position, highest: int) -> tuple[int, int]:
    """Return (stop, STOP_... that set it) after the market made a high on a closed bar; a stop never falls.

    Once the high is `breakeven_atr` ATRs above the entry the stop moves to the entry; a trailing stop follows the high
    at its distance.
    """
    stop, kind = position.stop, position.kind
    gained = limits.breakeven_atr > 0 and highest >= position.entry + atr_distance(position.atr, limits.breakeven_atr)
    if gained and position.entry > stop:
        stop, kind = position.entry, STOP_BREAKEVEN
    if limits.trail_atr > 0:
        trailed = highest - atr_distance(position.atr, limits.trail_atr)
        if trailed > stop:
            stop, kind = trailed, STOP_TRAILING
    return stop, kind


@njit
def protective_exit(open_: int, high: int, low: int, stop: int, target: int) -> tuple[int, int]:
    """Return (EXIT_..., price in ticks before slippage) for a long position over a stretch of trading.

    A gap through the stop trades at the open. When both prices lie in the range, the stop counts: which came first
    is unknown, so the worse is assumed. A target must be passed, not merely touched, unless the market opens there.
    """
    if low <= stop:
        return EXIT_STOP, min(open_, stop)
    if target > 0 and open_ >= target:
        return EXIT_TARGET, open_
    if target > 0 and high > target:
        return EXIT_TARGET, target
    return EXIT_NONE, 0


@njit
def entry_lots(market: Market, limits: Limits, wallet: Wallet, price: int, atr_ticks: int) -> tuple[int, int]:
    """Return (lots, CAP_... that bound them) for an entry at an expected price in ticks.

    Risk a fixed part of equity over the stop distance, then cap by position size, exposure, cash and the symbol's
    largest order. Zero lots mean that the cap denies the entry.
    """
    distance = atr_distance(atr_ticks, limits.stop_atr)
    lots = affordable_lots(market, ppm_floor(wallet.equity, limits.risk), distance)
    cap = CAP_RISK
    position = affordable_lots(market, ppm_floor(wallet.equity, limits.max_position), price)
    if position < lots:
        lots, cap = position, CAP_POSITION
    room = max(0, ppm_floor(wallet.equity, limits.max_exposure) - wallet.exposure)
    exposure = affordable_lots(market, room, price)
    if exposure < lots:
        lots, cap = exposure, CAP_EXPOSURE
    cash = affordable_lots(market, max(0, wallet.cash), price)
    if cash < lots:
        lots, cap = cash, CAP_CASH
    if market.max_lots > 0 and market.max_lots < lots:
        lots, cap = market.max_lots, CAP_LOT
    if lots < market.min_lots:
        return 0, cap if cap != CAP_RISK else CAP_LOT
    if notional_floor(market, price, lots) < market.min_notional:
        return 0, cap if cap != CAP_RISK else CAP_MINIMUM
    return lots, cap


@njit
def loss_ppm(reference: int, equity: int) -> int:
    """Return by how many ppm equity lies below a reference (0 when it does not), rounded up."""
    if equity >= reference or reference <= 0:
        return 0
    return mul_div(reference - equity, PPM, reference, True)


@njit
def approved_entry(market: Market, limits: Limits, costs: Costs, wallet: Wallet, entry: Entry) -> tuple[int, int, int]:
    """Return (lots, budget in units, CAP_... that bound them) of an entry; zero lots mean that the cap denies it.

    The position limit is shrunk by what is held already, and no more is bought than one order can sell again. The
    budget holds a reserve for a price that moves away before the fill, as far as the limits have room for it.
    """
    held = min(PPM, mul_div(entry.held_units, PPM, max(1, wallet.equity), True))
    limits = with_position_limit(limits, max(0, limits.max_position - held))
    most = MAX_UNITS // market.lot_atoms
    room_lots = min(most, market.max_lots if market.max_lots > 0 else most) - entry.held_lots
    price = buy_price(costs, entry.price, entry.atr, 0)
    lots, cap = entry_lots(with_largest_order(market, max(1, room_lots)), limits, wallet, price, entry.atr)
    if lots == 0:
        return 0, 0, cap
    received = lots * market.lot_atoms - commission_atoms(market, costs, lots)
    if room_lots < 1 or received < market.min_lots * market.lot_atoms:
        return 0, 0, CAP_LOT  # it could not be sold again
    budget = notional_ceil(market, price, lots)
    room = min(wallet.cash, ppm_floor(wallet.equity, limits.max_exposure) - wallet.exposure,
               ppm_floor(wallet.equity, limits.max_position))
    return lots, max(budget, min(budget + ppm_floor(budget, RESERVE_PPM), room)), cap


@njit
def with_position_limit(limits: Limits, max_position: int) -> Limits:
    """Return the limits with another largest position, in ppm of equity."""
    return Limits(limits.risk, limits.stop_atr, limits.target_atr, limits.trail_atr, max_position, limits.max_exposure,
                  limits.max_positions, limits.daily_loss, limits.max_drawdown, limits.breakeven_atr,
                  limits.time_stop_bars, limits.cool_down_bars)


@njit
def with_largest_order(market: Market, max_lots: int) -> Market:
    """Return the market with another largest order, in lots."""
    return Market(market.value_num, market.value_den, market.lot_atoms, market.min_lots, max_lots, market.min_notional)


@njit
def shrunk_rate(wins: int, n: int, prior_wins: float, prior_losses: float) -> float:
    """Return a win rate drawn towards that of the prior while there are few trades; with none it is the prior's.

    The mean of the beta posterior (Gelman et al., Bayesian Data Analysis, section 2.4); a prior of 1 and 1 is Laplace's
    rule of succession.
    """
    return (wins + prior_wins) / (n + prior_wins + prior_losses)


@njit
def combined_score(weights: Weights, confidence: float, wins: int, n: int) -> float:
    """Return alpha times the confidence plus beta times the shrunk win rate; NaN when the confidence is no number."""
    record = shrunk_rate(wins, n, weights.prior_wins, weights.prior_losses)
    return weights.alpha * confidence + weights.beta * record
