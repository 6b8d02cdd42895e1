"""Trade logs as JSON (`{symbol}_trades.json`): read with every mistake named by record and field, and written.

A record holds symbol, entry_time, exit_time, entry_price, exit_price, position_type (long, short), result (win, loss,
breakeven), strategy_name, indicators_used, confidence, roi and drawdown in percent, duration in seconds, notes. Ours
adds quantity, fees and pnl as decimal text, agent, opened_by, closed_because and tags. What else a foreign record holds
is kept, and written again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from sys import float_info
from typing import Any

from services.journal.book import result_of
from trading.domain import split_symbol
from trading.domain.journal import BREAKEVEN, RESULTS, JournalTrade
from trading.errors import BadInput

MOST_BYTES, MOST_RECORDS, MOST_TOLD = 20_000_000, 100_000, 8
SYMBOL = re.compile(r"[A-Z0-9]{2,20}")
FILE_NAME = re.compile(r"([A-Za-z0-9]{2,20})_trades(?:[ (.].*)?$")
LEAST_PRICE, MOST_MONEY, MOST_PLACES = Decimal("1e-12"), 10**15, 60
EARLIEST_MS, LATEST_MS = 1_230_768_000_000, 4_102_444_800_000  # 2009, when the first coin was mined, to 2100
SECONDS_BELOW = 10**11  # a time below this is in seconds
ALIASES = {
    "side": "position_type", "type": "position_type", "strategy": "strategy_name", "indicators": "indicators_used",
    "note": "notes", "entry": "entry_price", "exit": "exit_price", "roi_percent": "roi",
}
SIDES = {"long": "LONG", "buy": "LONG", "short": "SHORT", "sell": "SHORT"}
Record = dict[str, Any]


class BadRecord(ValueError):
    """A record that cannot be taken; the message names the field."""


def parsed(name: str, content: bytes) -> list[Record]:
    """Return the records of a log file as they came, each checked.

    Raises
    ------
    BadInput
        The file is no trade log, or some of its records are wrong: the first of them are named, none is taken.
    """
    if len(content) > MOST_BYTES:
        raise BadInput(f"{name}: {len(content) / 1e6:.0f} MB are too much for a trade log; split the file "
                       f"({MOST_BYTES // 1_000_000} MB at most)")
    try:
        found = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadInput(f"{name} is not JSON ({error or 'nested too deep'}); nothing was imported") from None
    records = found.get("trades") if isinstance(found, dict) else found
    if not isinstance(records, list):
        raise BadInput(f'{name}: a trade log is a list of trades, or {{"trades": [...]}}; nothing was imported')
    if len(records) > MOST_RECORDS:
        raise BadInput(f"{name}: {len(records):,} trades are too many for one file; split it "
                       f"({MOST_RECORDS:,} at most)")
    named = FILE_NAME.match(name)
    return _checked(name, records, named[1].upper() if named else "")


def _checked(name: str, records: Sequence[Any], symbol: str) -> list[Record]:
    mistakes, taken = [], []
    for place, record in enumerate(records, 1):
        try:
            known = _named(record, symbol)
            trade_of(known, key_of(known), "")
            taken.append(known)
        except RecursionError:
            mistakes.append(f"trade {place}: a field is nested too deep")
        except BadRecord as mistake:
            mistakes.append(f"trade {place}: {mistake}")
    if mistakes:
        rest = f" (and {len(mistakes) - MOST_TOLD} more)" if len(mistakes) > MOST_TOLD else ""
        said = "; ".join(mistakes[:MOST_TOLD])
        raise BadInput(f"{name}: {len(mistakes)} of {len(records)} trades are wrong, nothing was imported: "
                       f"{said}{rest}")
    return taken


def _named(record: Any, symbol: str) -> Record:
    """Return a record with our names for its fields; what is not known to us keeps its own."""
    if not isinstance(record, dict):
        raise BadRecord(f"{type(record).__name__} is no trade; use an object with symbol, entry_time, exit_time ...")
    known: Record = {}
    for key, value in sound(record).items():
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(key)).lower()
        plain = ALIASES.get(plain, plain)
        known[str(key) if plain in known else plain] = value
    if symbol:
        known.setdefault("symbol", symbol)
    return known


def sound(value: Any, name: str = "") -> Any:
    """Return a value that every file and screen can hold: `?` for each half of a character.

    Raises
    ------
    BadRecord
        A number is too large to be computed with.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {sound(str(key)): sound(each, name or str(key)) for key, each in value.items()}
    if isinstance(value, list):
        return [sound(each, name) for each in value]
    if isinstance(value, int | float) and not abs(value) <= float_info.max:
        raise BadRecord(f"{sound(name)} {_shown(value)} is out of range")
    return value


def key_of(record: Record) -> str:
    """Return the key of an imported record: the same record has the same key, whatever file it is in."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), default=str)
    return f"log:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def trade_of(record: Record, key: str, source: str) -> JournalTrade:
    """Return an imported record as a trade.

    Raises
    ------
    BadRecord
        A field is missing, has a wrong type or contradicts another one.
    """
    told = record.get("symbol")
    symbol = told.upper().replace("/", "").replace("-", "") if isinstance(told, str) else ""
    if not SYMBOL.fullmatch(symbol):
        raise BadRecord(f"symbol {_shown(told)} is no symbol such as BTCUSDT")
    entry_time, exit_time = _time(record, "entry_time"), _time(record, "exit_time")
    if exit_time < entry_time:
        raise BadRecord("exit_time is before entry_time")
    side = SIDES.get(str(record.get("position_type", "long")).lower())
    if side is None:
        raise BadRecord(f"position_type {_shown(record['position_type'])} is neither long nor short")
    entry, exit_ = _price(record, "entry_price"), _price(record, "exit_price")
    roi, pnl = _roi(record, side, entry, exit_), _money(record, "pnl")
    agent = _words(record, "agent")
    strategy = _words(record, "strategy_name")
    return JournalTrade(
        key=key, number=0, symbol=symbol, display="/".join(split_symbol(symbol)), side=side,
        quantity=_money(record, "quantity"), entry_time=entry_time, entry_price=entry, exit_time=exit_time,
        exit_price=exit_, fees=_money(record, "fees"), pnl=pnl, roi_rate=roi, result=_result(record, roi),
        strategy=strategy, agent=agent, confidence=_confidence(record), indicators=_indicators(record),
        drawdown_rate=_drawdown(record), opened_by=_words(record, "opened_by") or strategy,
        closed_because=_words(record, "closed_because"), note=_words(record, "notes"), tags=_tags(record),
        imported=source, decimals=_digits(entry, exit_))


def record_of(trade: JournalTrade, raw: Mapping[str, Any] | None = None) -> Record:
    """Return a trade as a record; an imported one with all that came with it."""
    if raw is not None:
        noted = {"notes": trade.note, "tags": list(trade.tags)}
        return {**raw, **{name: value for name, value in noted.items() if value or name in raw}}
    return {
        "symbol": trade.symbol, "entry_time": iso(trade.entry_time), "exit_time": iso(trade.exit_time),
        "entry_price": float(trade.entry_price), "exit_price": float(trade.exit_price),
        "position_type": trade.side.lower(), "result": trade.result, "strategy_name": trade.strategy,
        "indicators_used": dict(trade.indicators), "confidence": trade.confidence, "roi": 100 * trade.roi_rate,
        "drawdown": None if trade.drawdown_rate is None else 100 * trade.drawdown_rate,
        "duration": trade.duration_ms / 1000, "notes": trade.note, "tags": list(trade.tags), "agent": trade.agent,
        "opened_by": trade.opened_by, "closed_because": trade.closed_because, "quantity": _text(trade.quantity),
        "fees": _text(trade.fees), "pnl": _text(trade.pnl),
    }


def written(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as the text of a log file."""
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def iso(time_ms: int) -> str:
    """Write UTC milliseconds as ISO 8601."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no number in JSON")


def _shown(value: Any) -> str:
    return repr(value)[:40]


def _time(record: Record, name: str) -> int:
    value = record.get(name)
    if isinstance(value, str):
        value = _moment(value, name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadRecord(f"{name} {_shown(value)} is no time; use 2024-01-31T12:00:00Z or UTC milliseconds")
    time = round(value * 1000) if abs(value) < SECONDS_BELOW else round(value)
    if not EARLIEST_MS <= time < LATEST_MS:
        raise BadRecord(f"{name} {_shown(record.get(name))} is not between 2009 and 2100")
    return time


def _moment(text: str, name: str) -> float:
    if re.fullmatch(r"\d{9,14}", text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadRecord(f"{name} {_shown(text)} is no time; use 2024-01-31T12:00:00Z") from None


def _decimal(record: Record, name: str) -> Decimal | None:
    value = record.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidOperation
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadRecord(f"{name} {_shown(value)} is no number") from None
    if not number.is_finite() or abs(number) > MOST_MONEY:
        raise BadRecord(f"{name} {_shown(value)} is out of range")
    return number


def _money(record: Record, name: str) -> Decimal | None:
    """Return an amount that can be written out: a text such as 1e-999999 would fill a megabyte."""
    number = _decimal(record, name)
    if number is not None and int(number.as_tuple().exponent) < -MOST_PLACES:
        raise BadRecord(f"{name} {_shown(record[name])} has more than {MOST_PLACES} decimal places")
    return number


def _price(record: Record, name: str) -> Decimal:
    price = _money(record, name)
    if price is None or price < LEAST_PRICE:
        raise BadRecord(f"{name} {_shown(record.get(name))} is no price")
    return price


def _float(record: Record, name: str) -> float | None:
    number = _decimal(record, name)
    return None if number is None else float(number)


def _roi(record: Record, side: str, entry: Decimal, exit_: Decimal) -> float:
    """Return the return as a fraction, worked out from the prices where it is not told."""
    told = _float(record, "roi")
    if told is not None:
        return told / 100
    change = float(exit_ / entry) - 1.0
    return change if side == "LONG" else -change


def _result(record: Record, roi: float) -> str:
    told = record.get("result")
    if told is None:
        return result_of(roi)
    result = str(told).lower().replace("-", "").replace(" ", "")
    if result not in RESULTS:
        raise BadRecord(f"result {_shown(told)} is none of {', '.join(RESULTS)}")
    if result != BREAKEVEN and result_of(roi) not in (result, BREAKEVEN):
        raise BadRecord(f"result {result} contradicts roi {100 * roi:g} %")
    return result


def _confidence(record: Record) -> float | None:
    """Return a fraction; documents that write percent have more than 1."""
    value = _float(record, "confidence")
    if value is None:
        return None
    value = value / 100 if value > 1 else value
    if not 0 <= value <= 1:
        raise BadRecord(f"confidence {_shown(record['confidence'])} is neither 0 to 1 nor a percentage")
    return value


def _drawdown(record: Record) -> float | None:
    value = _float(record, "drawdown")
    if value is not None and abs(value) > 100:
        raise BadRecord(f"drawdown {_shown(record['drawdown'])} is more than 100 %")
    return None if value is None else abs(value) / 100


def _indicators(record: Record) -> dict[str, float | str]:
    value = record.get("indicators_used") or {}
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return dict.fromkeys(value, "")
    if isinstance(value, dict) and all(isinstance(each, int | float | str) for each in value.values()):
        return {str(name): each if isinstance(each, str) or isfinite(each) else str(each)
                for name, each in value.items()}
    raise BadRecord("indicators_used is neither a list of names nor names with values")


def _tags(record: Record) -> tuple[str, ...]:
    value = record.get("tags") or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise BadRecord("tags is no list of words")
    return tuple(dict.fromkeys(value))


def _words(record: Record, name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise BadRecord(f"{name} {_shown(value)} is no text")
    return str(value)


def _digits(*prices: Decimal) -> int:
    return min(8, max(2, *(-int(price.normalize().as_tuple().exponent) for price in prices)))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
