"""Exact integer arithmetic within 64 bits, compiled: what would lie above the bound stays at it instead of wrapping."""

from __future__ import annotations

from trading.compiled import njit

PPM = 1_000_000
MAX_UNITS = 2**63 - 1
_EXACT = 9.2e18  # products below it fit 64 bits, whatever the rounding of the estimate


@njit
def mul_div(a: int, b: int, divisor: int, up: bool) -> int:
    """Return `a * b / divisor` exactly, rounded down (or `up`), at most MAX_UNITS (a, b >= 0, divisor > 0)."""
    if float(a) * float(b) < _EXACT:
        product = a * b
        if divisor == 1:  # most grids: a tick times a lot is a whole number of units
            return product
        return product // divisor + (1 if up and product % divisor > 0 else 0)
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
