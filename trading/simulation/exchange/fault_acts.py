"""What each fault does to a request that it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from trading.simulation.exchange.limits import Limited
from trading.simulation.exchange.misdeeds import Misdeed, Switch
from trading.simulation.exchange.refusals import WOULD_TRIGGER, VenueError, refused_order

if TYPE_CHECKING:
    from trading.simulation.exchange.faults import Faults

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
GARBAGE = ("[]", "null", '"error"', "", "{", '{"code":', HTML.format("502 Bad Gateway"), "[[1,2],3]", "\x00\xff", "NaN")

Act = Callable[[Misdeed, Switch, "Faults"], Misdeed]


def _drop_request(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, arrives=False, cut=True)


def _drop_reply(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, cut=True)


def _late_accept(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, cut=True, late_ms=max(1, int(switch.number("delay_ms"))))


def _timeout(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    said = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    return replace(misdeed, arrives=faults.chance(switch.number("executed")), refusal=VenueError(504, -1007, said))


def _wait(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, after_ms=misdeed.after_ms + int(switch.number("delay_ms")))


def _garbage(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    status = int(faults.pick(("200", "400", "502")))
    return replace(misdeed, arrives=faults.chance(switch.number("executed")), body=faults.pick(GARBAGE), status=status)


def _page(status: int, title: str) -> Act:
    def act(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
        return replace(misdeed, arrives=False, body=HTML.format(title), status=status)

    return act


def _limited(status: int) -> Act:
    def act(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
        now, retry_s = faults.now(), int(switch.number("retry_s"))
        said = ("Too much request weight used; current limit is 6000 request weight per 1 MINUTE." if status == 429
                else f"Way too much request weight used; IP banned until {now + retry_s * 1000}.")
        return replace(misdeed, arrives=False, refusal=Limited(status, -1003, said, retry_s, now))

    return act


def _refuse(message: str) -> Act:
    def act(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
        return replace(misdeed, arrives=False, refusal=refused_order(message))

    return act


def _thin(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, share=switch.number("share"))


def _strike(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return misdeed


ACTS: dict[str, Act] = {
    "dns_down": _drop_request, "http_down": _drop_request, "slow": _wait, "http_403": _page(403, "403 Forbidden"),
    "http_418": _limited(418), "http_429": _limited(429), "http_503": _page(503, "503 Service Unavailable"),
    "drop_request": _drop_request, "stop_reject": _refuse(WOULD_TRIGGER),
    "reject": _refuse("This action is disabled on this account."), "partial": _thin, "fill_on_cancel": _strike,
    "timeout_1007": _timeout, "garbage": _garbage, "hang": _wait, "late_accept": _late_accept,
    "drop_reply": _drop_reply,
}  # fmt: skip
"""What is done to requests, in the order in which it is asked; an answer once settled stays."""
