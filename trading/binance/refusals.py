"""What each of Binance's errors means for a request, and what to do: code, documentation and test in one table.

`python -m trading.binance.refusals > docs/binance-errors.md` writes the documentation. Codes and their meaning are from
binance-spot-api-docs (errors.md); a text is looked at only inside a code that has several causes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What an error says about a request that could have changed something."""

    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


class Remedy(StrEnum):
    """What to do about an error."""

    FIX = "fix"
    REPRICE = "reprice"
    DUST = "dust"
    BALANCES = "balances"
    EXIT_NOW = "exit now"
    PAUSE_SYMBOL = "pause symbol"
    RESYNC_CLOCK = "resync clock"
    BACK_OFF = "back off"
    QUERY = "query"
    STOP = "stop"


REMEDY_WORDS = {
    Remedy.FIX: "the request is wrong: correct it, do not repeat it",
    Remedy.REPRICE: "the market moved: look at the price and decide anew",
    Remedy.DUST: "the quantity is too small for the venue: book it as dust",
    Remedy.BALANCES: "read the balances again before the next order",
    Remedy.EXIT_NOW: "the stop's price is passed already: leave at the market, or raise an alert",
    Remedy.PAUSE_SYMBOL: "the symbol does not trade: pause it",
    Remedy.RESYNC_CLOCK: "measure the venue's clock, then sign anew",
    Remedy.BACK_OFF: "wait as long as the venue says, then ask anew",
    Remedy.QUERY: "ask the venue by client id; never send it again",
    Remedy.STOP: "stop trading and tell the person",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error means. `retry`: a new request of the same meaning may be made (with a new client id, if an order).

    `words` say it to a person in one line.
    """

    outcome: Outcome
    remedy: Remedy
    retry: bool
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `text`: a part of the venue's message, for codes with several causes; "" = all others."""

    code: int
    text: str
    refusal: Refusal


def _row(code: int, text: str, outcome: Outcome, remedy: Remedy, words: str) -> Row:
    retry = outcome is Outcome.NOT_SENT
    return Row(code, text, Refusal(outcome, remedy, retry, words))


_NO, _LATER, _MAYBE = Outcome.REFUSED, Outcome.NOT_SENT, Outcome.UNKNOWN

ROWS: tuple[Row, ...] = (
    _row(-1000, "", _MAYBE, Remedy.QUERY, "an error inside the venue"),
    _row(-1001, "", _MAYBE, Remedy.QUERY, "the venue lost its connection inside"),
    _row(-1002, "", _NO, Remedy.STOP, "the key is not allowed to do this"),
    _row(-1003, "", _LATER, Remedy.BACK_OFF, "too many requests"),
    _row(-1006, "", _MAYBE, Remedy.QUERY, "an unexpected answer inside the venue: execution unknown"),
    _row(-1007, "", _MAYBE, Remedy.QUERY, "the venue's engine did not answer in time: execution unknown"),
    _row(-1008, "", _MAYBE, Remedy.BACK_OFF, "the venue is overloaded"),
    _row(-1013, "NOTIONAL", _NO, Remedy.DUST, "worth less (or more) than the symbol allows"),
    _row(-1013, "LOT_SIZE", _NO, Remedy.DUST, "the quantity is off the symbol's grid or bounds"),
    _row(-1013, "PERCENT_PRICE", _NO, Remedy.REPRICE, "the price is too far from the average price"),
    _row(-1013, "PRICE_FILTER", _NO, Remedy.FIX, "the price is off the symbol's grid or bounds"),
    _row(-1013, "TRAILING_DELTA", _NO, Remedy.FIX, "the trailing delta is out of bounds"),
    _row(-1013, "MAX_POSITION", _NO, Remedy.FIX, "the position would be larger than the venue allows"),
    _row(-1013, "MAX_NUM", _NO, Remedy.STOP, "too many open orders on the symbol or the account"),
    _row(-1013, "", _NO, Remedy.FIX, "a filter of the symbol is not met"),
    _row(-1014, "", _NO, Remedy.FIX, "this combination of order fields is not supported"),
    _row(-1015, "", _LATER, Remedy.BACK_OFF, "too many orders; cancels are still allowed"),
    _row(-1016, "", _MAYBE, Remedy.BACK_OFF, "the venue is shutting down"),
    _row(-1020, "", _NO, Remedy.FIX, "the venue does not support this"),
    _row(-1021, "", _LATER, Remedy.RESYNC_CLOCK, "the timestamp is outside the venue's window"),
    _row(-1022, "", _NO, Remedy.STOP, "the signature is wrong: key and secret do not belong together"),
    _row(-1034, "", _LATER, Remedy.BACK_OFF, "too many connections"),
    _row(-1100, "", _NO, Remedy.FIX, "illegal characters in a parameter"),
    _row(-1101, "", _NO, Remedy.FIX, "too many parameters"),
    _row(-1102, "", _NO, Remedy.FIX, "a mandatory parameter is missing or malformed"),
    _row(-1103, "", _NO, Remedy.FIX, "an unknown parameter"),
    _row(-1104, "", _NO, Remedy.FIX, "a parameter that was not read"),
    _row(-1105, "", _NO, Remedy.FIX, "an empty parameter"),
    _row(-1106, "", _NO, Remedy.FIX, "a parameter that must not be sent here"),
    _row(-1108, "", _NO, Remedy.FIX, "an unknown asset"),
    _row(-1111, "", _NO, Remedy.FIX, "more decimals than the asset has"),
    _row(-1112, "", _NO, Remedy.PAUSE_SYMBOL, "no orders on the other side of the book"),
    _row(-1114, "", _NO, Remedy.FIX, "a time in force that must not be sent here"),
    _row(-1115, "", _NO, Remedy.FIX, "an unknown time in force"),
    _row(-1116, "", _NO, Remedy.FIX, "an unknown order type"),
    _row(-1117, "", _NO, Remedy.FIX, "an unknown side"),
    _row(-1120, "", _NO, Remedy.FIX, "an unknown interval"),
    _row(-1121, "", _NO, Remedy.PAUSE_SYMBOL, "an unknown symbol: misspelled, or delisted"),
    _row(-1125, "", _NO, Remedy.FIX, "an unknown listen key"),
    _row(-1127, "", _NO, Remedy.FIX, "more than 24 hours between start and end"),
    _row(-1128, "", _NO, Remedy.FIX, "this combination of optional parameters is not allowed"),
    _row(-1130, "", _NO, Remedy.FIX, "a parameter holds a value that is not allowed"),
    _row(-1145, "", _NO, Remedy.FIX, "an unknown cancel restriction"),
    _row(-1151, "", _NO, Remedy.FIX, "a symbol is listed twice"),
    _row(-1165, "", _NO, Remedy.FIX, "the legs of the order list are the wrong way round"),
    _row(-1166, "", _NO, Remedy.FIX, "the legs of the order list are the wrong way round"),
    _row(-1196, "", _NO, Remedy.FIX, "the legs of the order list are the wrong way round"),
    _row(-1197, "", _NO, Remedy.FIX, "the legs of the order list are the wrong way round"),
    _row(-1198, "", _NO, Remedy.FIX, "the legs of the order list are the wrong way round"),
    _row(-1199, "", _NO, Remedy.FIX, "the legs of the order list are the wrong way round"),
    _row(-1220, "", _NO, Remedy.PAUSE_SYMBOL, "the symbol is in another status"),
    _row(-2010, "insufficient balance", _NO, Remedy.BALANCES, "not enough free balance"),
    _row(-2010, "Duplicate order", _MAYBE, Remedy.QUERY, "an order with this client id is there already"),
    _row(-2010, "trigger immediately", _NO, Remedy.EXIT_NOW, "the stop would trigger at once"),
    _row(-2010, "immediately match", _NO, Remedy.REPRICE, "the order would take, not make"),
    _row(-2010, "relationship of the prices", _NO, Remedy.REPRICE, "the legs are on the wrong side of the last price"),
    _row(-2010, "Market is closed", _NO, Remedy.PAUSE_SYMBOL, "the market is closed"),
    _row(-2010, "symbol is not", _NO, Remedy.PAUSE_SYMBOL, "the symbol does not trade"),
    _row(-2010, "action is disabled", _NO, Remedy.STOP, "the account may not do this"),
    _row(-2010, "", _NO, Remedy.FIX, "the engine refused the new order"),
    _row(-2011, "", _NO, Remedy.QUERY, "cancel refused: the order is no longer open, it may have filled"),
    _row(-2013, "", _NO, Remedy.QUERY, "the venue does not know the order (yet): absent only after the barrier"),
    _row(-2014, "", _NO, Remedy.STOP, "the API key is malformed"),
    _row(-2015, "", _NO, Remedy.STOP, "the API key, its address or its permissions are refused"),
    _row(-2021, "", _MAYBE, Remedy.QUERY, "cancel-replace done in part"),
    _row(-2022, "", _MAYBE, Remedy.QUERY, "cancel-replace failed in both parts"),
    _row(-2026, "", _NO, Remedy.QUERY, "the order is archived: nothing of it filled, 90 days ago"),
    _row(-2035, "", _NO, Remedy.FIX, "the user stream is subscribed already"),
    _row(-2036, "", _NO, Remedy.FIX, "the user stream is not subscribed"),
    _row(-2038, "", _NO, Remedy.QUERY, "the amendment is refused"),
    _row(-2039, "", _NO, Remedy.QUERY, "order id and client id belong to different orders"),
    _row(-2042, "", _NO, Remedy.FIX, "the connection's subscriptions are used up"),
    _row(-2043, "", _NO, Remedy.FIX, "the symbol has no reference price"),
)

TOO_MANY = Refusal(_LATER, Remedy.BACK_OFF, True, "too many requests")
BANNED = Refusal(_LATER, Remedy.BACK_OFF, True, "this address is banned for too many requests")
TROUBLE = Refusal(_MAYBE, Remedy.QUERY, False, "the venue has trouble: outcome unknown")
GARBAGE = Refusal(_MAYBE, Remedy.QUERY, False, "the answer cannot be read: outcome unknown")
FIREWALL = Refusal(_MAYBE, Remedy.STOP, False, "the venue's firewall blocks this address: be silent for minutes")
MALFORMED = Refusal(_NO, Remedy.FIX, False, "the request is malformed")
FOREIGN = Refusal(_MAYBE, Remedy.QUERY, False, "a code that is not in the table: outcome unknown")

STATUSES: tuple[tuple[str, Refusal], ...] = (
    ("429, code -1015", next(row.refusal for row in ROWS if row.code == -1015)),
    ("429", TOO_MANY),
    ("418", BANNED),
    ("5xx, whatever the code", TROUBLE),
    ("403 without a code", FIREWALL),
    ("anything else without a readable code, a redirect, or 2xx that is no answer to the request", GARBAGE),
    ("4xx with a code of -1100 to -1299 that is not in the table", MALFORMED),
    ("4xx with any other code that is not in the table", FOREIGN),
)


def refusal_of(status: int, code: int = 0, text: str = "") -> Refusal:
    """Return what an error means; `code` 0 = the answer has none. Whatever is not known to be harmless is UNKNOWN."""
    if status == 429:
        return _of_code(code, text) if code == -1015 else TOO_MANY
    if status == 418:
        return BANNED
    if status >= 500:
        return TROUBLE
    if not code or not 400 <= status < 500:
        return FIREWALL if status == 403 else GARBAGE
    return _of_code(code, text)


def _of_code(code: int, text: str) -> Refusal:
    for row in ROWS:
        if row.code == code and row.text.lower() in text.lower():
            return row.refusal
    return MALFORMED if -1299 <= code <= -1100 else FOREIGN


def document() -> str:
    """Return the table as docs/binance-errors.md."""
    head = "| {} | for an order it means | do | may be asked anew | in words |"
    rule = "|---|---|---|---|---|"
    line = "| {} | {r.outcome} | {r.remedy} | {anew} | {r.words} |"

    def written(name: str, refusal: Refusal) -> str:
        return line.format(name, r=refusal, anew="yes" if refusal.retry else "no")

    codes = [written(f"{row.code}, text has “{row.text}”" if row.text else str(row.code), row.refusal) for row in ROWS]
    statuses = [written(name, refusal) for name, refusal in STATUSES]
    remedies = [f"- **{remedy}**: {words}." for remedy, words in REMEDY_WORDS.items()]
    return "\n".join([*_PREFACE, head.format("code"), rule, *codes, "", "## By HTTP status", "",
                      head.format("status"), rule, *statuses, "", "## What to do", "", *remedies, ""])  # fmt: skip


_PREFACE = (
    "# Binance's errors and what the cockpit does",
    "",
    "Written by `python -m trading.binance.refusals`; do not edit. The table is `trading/binance/refusals.py`, which",
    "every answer passes.",
    "",
    "REFUSED: nothing happened (`Refused`). NOT_SENT: nothing happened, the same may be asked later (`NotSent`).",
    "UNKNOWN: it may have happened (`OutcomeUnknown`). Nothing that changes something is ever sent twice by the",
    "client. A question (GET) has no outcome: whatever is not REFUSED may be asked again (`NoAnswer`). No answer",
    "at all is NOT_SENT when not a byte had left this computer, else UNKNOWN.",
    "",
    "## By code",
    "",
)

if __name__ == "__main__":
    print(document(), end="")
