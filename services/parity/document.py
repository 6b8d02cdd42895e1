"""The parity report as JSON values and as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.domain.parity import CAUSES, PARTS, ParityLine, ParityReport, Side, UnmatchedTrade

Document = dict[str, Any]
SHOWN = 40


def parity_document(report: ParityReport) -> Document:
    """Return the report; money as decimal text, times UTC ms."""
    return {
        "account": report.account, "quote": report.quote, "interval": report.interval,
        "first": report.first, "last": report.last,
        "bars": report.n_bars, "bars_seen_otherwise": report.n_bars_differing,
        "matched": len(report.lines), "counted": len(report.counted), "open": report.n_open,
        "mean_bps": report.mean_bps, "median_bps": report.median_bps, "mean_abs_bps": report.mean_abs_bps,
        "gap": _text(report.total("gap")), "parts": {part: _text(report.total(part)) for part in PARTS},
        "gap_of_all": _text(report.total("gap", False)),
        "trades": [_line(line) for line in report.lines],
        "unmatched": [_alone(each) for each in report.unmatched],
        "circumstances": [{f.name: getattr(each, f.name) for f in fields(each)} for each in report.circumstances],
        "notes": list(report.notes),
    }


def _line(line: ParityLine) -> Document:
    return {"symbol": line.symbol, "live": _side(line.live), "replay": _side(line.replay), "gap": _text(line.gap),
            "bps": line.bps, **{part: _text(getattr(line, part)) for part in PARTS}, "cause": line.cause or "machine",
            "note": line.note}


def _alone(each: UnmatchedTrade) -> Document:
    return {"symbol": each.symbol, "side": each.whose, "trade": _side(each.trade), "cause": each.cause,
            "live_decision": each.live_decision, "replay_decision": each.replay_decision}


def _side(side: Side) -> Document:
    values = {f.name: getattr(side, f.name) for f in fields(side)}
    return {name: _text(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _text(value: Decimal) -> str:
    return format(value, "f")


def parity_lines(report: ParityReport) -> Iterator[str]:
    """Yield the report for a terminal: the sums, then each trade with a gap, then what has no partner."""
    quote = report.quote
    yield f"{'account':<22} {report.account}, {report.interval} bars, {_day(report.first)} to {_day(report.last)} UTC"
    yield f"{'trades matched':<22} {len(report.lines)}, {len(report.counted)} of them by the machine alone"
    yield f"{'without a partner':<22} {len(report.unmatched)}, {len(report.differing)} of them count"
    if report.mean_bps is not None:
        yield (f"{'gap a trade':<22} mean {report.mean_bps:+.2f} bps, median {report.median_bps:+.2f} bps, "
               f"mean size {report.mean_abs_bps:.2f} bps")
    yield f"{'gap in all':<22} {report.total('gap'):+,.8f} {quote}"
    for part in PARTS:
        yield f"{'  ' + part:<22} {report.total(part):+,.8f} {quote}"
    yield from _trades(report)
    for each in report.unmatched[:SHOWN]:
        yield f"only {each.whose}: {each.display} {_minute(each.trade.entry_time)} · {CAUSES[each.cause]}"
        yield f"    live   {each.live_decision}"
        yield f"    replay {each.replay_decision}"
    yield from (f"note: {note}" for note in report.notes)


def _trades(report: ParityReport) -> Iterator[str]:
    gaps = [line for line in report.lines if line.gap or line.cause]
    if gaps:
        heads = "".join(f"{name:>15}" for name in ("gap", *PARTS))
        yield f"{'entry (UTC)':<18}{'symbol':<11}{'bps':>8}{heads}  remark"
    for line in gaps[:SHOWN]:
        parts = "".join(f"{getattr(line, name):>+15.8f}" for name in ("gap", *PARTS))
        remark = "; ".join(text for text in (CAUSES[line.cause] if line.cause else "", line.note) if text)
        yield f"{_minute(line.live.entry_time):<18}{line.display:<11}{line.bps:>+8.2f}{parts}  {remark}".rstrip()
    if len(gaps) > SHOWN:
        yield f"{len(gaps) - SHOWN} more with a gap; --json has all"


def _minute(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _day(time: int) -> str:
    return _minute(time)
