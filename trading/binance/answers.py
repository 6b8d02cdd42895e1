"""What an answer of Binance says: a document that fits the question, or one of our errors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trading.binance.refusals import REMEDY_WORDS, Outcome, Refusal, refusal_of
from trading.domain.venue import Call
from trading.errors import CockpitError, NoAnswer, NotSent, OutcomeUnknown, Refused

ASK_AGAIN_S = 1.0
_LISTS = {
    "openOrders", "allOrders", "myTrades", "klines", "uiKlines", "trades", "aggTrades", "historicalTrades",
    "openOrderList", "allOrderList", "rateLimit/order", "myPreventedMatches", "myAllocations", "order/amendments",
}  # fmt: skip
_ECHOES = {
    "order": (("POST", "newClientOrderId", "clientOrderId"), ("DELETE", "origClientOrderId", "origClientOrderId")),
    "orderList": (("DELETE", "listClientOrderId", "listClientOrderId"),),
    **{f"orderList/{kind}": (("POST", "listClientOrderId", "listClientOrderId"),)
       for kind in ("oco", "oto", "otoco", "opo", "opoco")},
}  # fmt: skip
"""Which of our ids an answer repeats: without it, it is the answer to something else."""
_UNREADABLE = object()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: HTTP status, headers and text."""

    status: int
    headers: Mapping[str, str]
    text: str


def decode(text: str | bytes) -> Any:
    """Parse JSON.

    Raises
    ------
    ValueError
        If it is none, nested beyond reason, or holds what no log or database can: NaN, infinity, half characters.
    """
    try:
        document = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    escape = b"\\ud" if isinstance(text, bytes) else "\\ud"
    if escape in text.lower():  # type: ignore[operator]
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number")
    return number


def document_of(reply: Reply) -> Any:
    """Return the parsed text of a reply, or a mark that fits no question."""
    try:
        return decode(reply.text)
    except ValueError:
        return _UNREADABLE


def error_of(document: Any) -> tuple[int, str]:
    """Return the venue's code and message; (0, "") if the document is no error of its kind."""
    if not isinstance(document, dict):
        return 0, ""
    code, message = document.get("code"), document.get("msg")
    if type(code) is not int or code >= 0 or not isinstance(message, str):
        return 0, ""
    return code, message


def fits(call: Call, document: Any) -> bool:
    """Return whether a document of a 2xx can be the answer to a call."""
    if error_of(document)[0]:
        return False
    if call.path in _LISTS:
        return isinstance(document, list) and all(isinstance(item, dict | list) for item in document)
    if call.path.startswith("ticker"):
        return isinstance(document, dict | list)
    if not isinstance(document, dict):
        return False
    return call.method == "GET" or call.path.endswith("/test") or _repeats(call, document)


def _repeats(call: Call, document: Mapping[str, Any]) -> bool:
    echoes = [pair for method, *pair in _ECHOES.get(call.path, ()) if method == call.method and pair[0] in call.params]
    return bool(document) and all(document.get(theirs) == call.params[ours] for ours, theirs in echoes)


def name_of(call: Call) -> str:
    """Return how a message names a call: method, path, symbol and the client id it is about."""
    ids = ("newClientOrderId", "listClientOrderId", "origClientOrderId")
    words = [call.params.get("symbol", ""), next((call.params[i] for i in ids if i in call.params), "")]
    return " ".join(word for word in (call.method, call.path, *words) if word)


def failure(call: Call, status: int, error: tuple[int, str], wait_s: float = 0.0) -> CockpitError:
    """Return the error that a reply other than an answer means.

    `error` is the venue's code and message, fit to be logged; `wait_s` is when the governor lets the next one go.
    """
    code, text = error
    refusal = refusal_of(status, code, text)
    venue = f"{code} {text}" if code else "no readable answer"
    message = f"{name_of(call)}: HTTP {status}, {venue}: {refusal.words}; {REMEDY_WORDS[refusal.remedy]}"
    return _error(call, refusal, message, wait_s, (code, status))


def _error(call: Call, refusal: Refusal, message: str, wait_s: float, codes: tuple[int, int]) -> CockpitError:
    if refusal.outcome is Outcome.REFUSED:
        return Refused(message, *codes, remedy=refusal.remedy)
    if call.method == "GET":
        return NoAnswer(message.replace(": outcome unknown", ""), max(wait_s, ASK_AGAIN_S))
    if refusal.outcome is Outcome.NOT_SENT:
        return NotSent(message, wait_s)
    return OutcomeUnknown(message)
