"""A call written as the text that is signed and sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from trading.domain.venue import Call

RECV_WINDOW_MS = 5_000
IN_TIME_SHARE = 0.8
"""Part of the window that may pass before a request leaves."""
_RESERVED = {"signature", "apiKey"}


def written(call: Call) -> dict[str, str]:
    """Return a copy of the parameters of a call.

    Raises
    ------
    TypeError
        If one is not text: a float would go out as 1e-05, and rounded.
    ValueError
        If a parameter belongs to the client.
    """
    for name, value in call.params.items():
        if type(value) is not str or type(name) is not str:
            raise TypeError(f"{call.method} {call.path}: {name} is {type(value).__name__}, parameters are text only")
        if name in _RESERVED:
            raise ValueError(f"{call.method} {call.path}: {name} is set by the client")
    return dict(call.params)


def payload(params: Mapping[str, str]) -> str:
    """Return parameters as they are signed and sent: percent-encoded (binance-spot-api-docs since 2026-01-15)."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.items())


def signed(params: Mapping[str, str], now: int, sign: Callable[[str], str]) -> str:
    """Return the payload with `recvWindow`, `timestamp` (UTC ms) and signature; given ones are kept."""
    text = payload({"recvWindow": str(RECV_WINDOW_MS), "timestamp": str(now), **params})
    return f"{text}&signature={quote(sign(text), safe='')}"


def is_too_old(params: Mapping[str, str], now: int) -> bool:
    """Return whether a given timestamp is so old that the request would hardly arrive within its window."""
    told, window = params.get("timestamp", ""), params.get("recvWindow", str(RECV_WINDOW_MS))
    return told.isdecimal() and window.isdecimal() and now - int(told) > IN_TIME_SHARE * int(window)


def n_orders(call: Call) -> int:
    """Return how many orders a call counts as (binance-spot-api-docs, unfilled order count)."""
    if call.method != "POST" or call.path.endswith("/test"):
        return 0
    kinds = {"order": 1, "sor/order": 1, "order/cancelReplace": 1, "orderList/oco": 2, "orderList/oto": 2,
             "orderList/opo": 2, "orderList/otoco": 3, "orderList/opoco": 3}  # fmt: skip
    return kinds.get(call.path, 0)
