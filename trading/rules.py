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

from trading.compiled import njit

PPM = 1_000_000
MILLI = 1_000
MAX_UNITS = 2**63 - 1
MAX_TICKS = 10**14

CAP_RISK, CAP_POSITION, CAP_EXPOSURE, CAP_CASH, CAP_LOT, CAP_MINIMUM = range(6)
CAP_NAMES = ("risk", "max_position", "exposure", "cash", "lot_size", "min_notional")

EXIT_NONE, EXIT_STOP, EXIT_TARGET = range(3)


class Market(NamedTuple):
    """A symbol's arithmetic: one tick times one lot is `value_num / value_den` units."""

    value_num: int
    value_den: int
    lot_atoms: int
    min_lots: int
    max_lots: int
    min_notional: int


class Costs(NamedTuple):
    """What trading costs, in ppm; `volume_share` is the part of traded volume one order may take."""

    commission: int
    half_spread: int
    slippage: int
    volume_share: int


class Limits(NamedTuple):
    """What the account may risk: rates in ppm of equity, ATR multiples in thousandths (0 = off)."""

    risk: int
    stop_atr: int
    target_atr: int
    trail_atr: int
    max_position: int
    max_exposure: int
    max_positions: int
    daily_loss: int
    max_drawdown: int


class Wallet(NamedTuple):
    """What sizing must know of the account, in units; working orders count in `exposure`, reservations are not cash."""

    equity: int
    cash: int
    exposure: int


@njit
def mul_div(a: int, b: int, divisor: int, up: bool) -> int:
    """Return `a * b / divisor` exactly, rounded down (or `up`), at most MAX_UNITS (a, b >= 0, divisor > 0)."""
    whole, rest = a // divisor, a % divisor
    if b > 0 and whole > MAX_UNITS // b:
        return MAX_UNITS
    if b == 0 or rest <= MAX_UNITS // b:
        part, left = rest * b // divisor, rest * b % divisor
    else:  # long multiplication, bit by bit: the product itself would not fit
        part, left = 0, 0
        for bit in range(62, -1, -1):
            part *= 2
            if left >= divisor - left:
                part, left = part + 1, left - (divisor - left)
            else:
                left *= 2
            if b >> bit & 1:
                if left >= divisor - rest:
                    part, left = part + 1, left - (divisor - rest)
                else:
                    left += rest
    if up and left > 0:
        part += 1
    return MAX_UNITS if whole * b > MAX_UNITS - part else whole * b + part


@njit
def ppm_floor(amount: int, rate: int) -> int:
    """Return `amount * rate / 1e6` rounded down, without overflow (amount >= 0)."""
    return amount // PPM * rate + amount % PPM * rate // PPM


@njit
def ppm_ceil(amount: int, rate: int) -> int:
    """Return `amount * rate / 1e6` rounded up, without overflow (amount >= 0)."""
    return amount // PPM * rate + (amount % PPM * rate + PPM - 1) // PPM


@njit
def notional_floor(market: Market, price: int, lots: int) -> int:
    """Return the value of `lots` at `price` in units, rounded down (what a seller receives)."""
    return mul_div(price * market.value_num, lots, market.value_den, False)


@njit
def notional_ceil(market: Market, price: int, lots: int) -> int:
    """Return the value of `lots` at `price` in units, rounded up (what a buyer pays)."""
    return mul_div(price * market.value_num, lots, market.value_den, True)


@njit
def holding_value(market: Market, price: int, atoms: int) -> int:
    """Return the value of a holding in units, rounded down, fractions of a lot included."""
    lots = atoms // market.lot_atoms
    rest = atoms % market.lot_atoms
    lot_value = price * market.value_num
    return (mul_div(lot_value, lots, market.value_den, False)
            + mul_div(lot_value, rest, market.value_den * market.lot_atoms, False))


@njit
def buy_price(costs: Costs, price: int) -> int:
    """Return what a market buy pays a unit of base: half the spread and slippage above, whole ticks upwards."""
    return price + ppm_ceil(price, costs.half_spread + costs.slippage)


@njit
def sell_price(costs: Costs, price: int) -> int:
    """Return what a market sell gets: half the spread and slippage below, whole ticks downwards, at least one tick."""
    return max(1, price - ppm_ceil(price, costs.half_spread + costs.slippage))


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
def trailed_stop(stop: int, highest: int, atr_ticks: int, multiple: int) -> int:
    """Return the stop after the market made a high: it follows at a distance and never falls."""
    if multiple == 0:
        return stop
    return max(stop, highest - atr_distance(atr_ticks, multiple))


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
