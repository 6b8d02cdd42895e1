"""A request as faults see it, what is done to it, and a fault that is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trading.simulation.exchange.fault_table import Value
from trading.simulation.exchange.refusals import VenueError

_STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as faults see it; `path` below /api/v3/."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def is_in(self, where: str) -> bool:
        """Say whether it belongs to a class of requests."""
        places = self.method == "POST" and self.path.startswith(("order", "sor/order")) and "test" not in self.path
        types = [value for name, value in self.params.items() if name.lower().endswith("type")]
        return {
            "any": True, "orders": places,
            "cancels": self.method == "DELETE" or self.path == "order/cancelReplace",
            "queries": self.method == "GET" and self.path in ("order", "openOrders", "allOrders", "orderList",
                                                              "openOrderList", "allOrderList"),
            "stops": places and any(kind in _STOPS for kind in types),
            "klines": self.path in ("klines", "uiKlines"),
        }.get(where, False)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misdeed:
    """What is done to one request.

    Parameters
    ----------
    names : the faults that struck
    before_ms, after_ms : waits before it is carried out, and between that and the answer
    arrives : whether it is carried out
    late_ms : carried out so much later than answered (0: before the answer)
    cut : the connection is cut instead of an answer
    refusal : answered instead of the truth
    body, status : likewise, a body that is no JSON object of Binance's
    share : what part of an order's quantity it meets in the book
    """

    names: tuple[str, ...] = ()
    before_ms: int = 0
    after_ms: int = 0
    arrives: bool = True
    late_ms: int = 0
    cut: bool = False
    refusal: VenueError | None = None
    body: str | None = None
    status: int = 200
    share: float = 1.0

    @property
    def ends(self) -> bool:
        """Whether the answer is settled: no further fault is asked."""
        return self.cut or self.refusal is not None or self.body is not None


@dataclass(slots=True)
class Switch:
    """A fault that is on: its settings, when it ends by itself (UTC ms, 0 never), how often it struck."""

    name: str
    settings: dict[str, Value]
    since: int
    until: int
    struck: int = 0
    due: int = 0

    def number(self, key: str) -> float:
        """Return a numeric setting."""
        return float(self.settings.get(key, 0.0))

    def text(self, key: str) -> str:
        """Return a setting as text."""
        return str(self.settings.get(key, ""))

    def is_over(self, now: int) -> bool:
        """Whether it struck as often, or as long, as it should."""
        count = self.number("count")
        return bool(self.until and now >= self.until) or bool(count and self.struck >= count)
