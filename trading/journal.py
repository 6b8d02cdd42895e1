"""The log that a person reads: numbered lines, newest last, each said once."""

from __future__ import annotations

from collections import deque

from trading.domain import Fill, JournalLine, Side, SymbolSpec, Trade
from trading.ports import Recorder

UNITS = 10**8
N_RECENT = 300


class Journal:
    """Numbers lines and hands them to the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.n_lines = 0
        self.recent: deque[JournalLine] = deque(maxlen=N_RECENT)

    def write(self, time: int, kind: str, text: str, tone: str = "plain", symbol: str = "") -> None:
        """Add a line; `tone` is plain, good, bad or warn."""
        self.n_lines += 1
        said = (f"{symbol} {text}" if symbol else text).encode(errors="replace").decode()
        line = JournalLine(self.n_lines, time, kind, said, tone)
        self.recent.append(line)
        self._recorder.record(line)

    def fill(self, spec: SymbolSpec, fill: Fill) -> None:
        """Add the line of an execution."""
        self.write(fill.time, "FILL", f"{fill_text(spec, fill)} · {fill.reason}", "plain", spec.display)

    def trade(self, spec: SymbolSpec, trade: Trade) -> None:
        """Add the line of a finished round trip."""
        tone = "good" if trade.pnl > 0 else "bad"
        text = f"closed by {trade.closed_because} · P&L {trade.pnl / UNITS:+,.2f} {spec.quote}"
        self.write(trade.exit_time, "TRADE", text, tone, spec.display)


def fill_text(spec: SymbolSpec, fill: Fill) -> str:
    """Return an execution in words, its fee in the asset that paid it."""
    done = f"{fill.side} {spec.quantity(fill.lots):f} @ {spec.price(fill.price_ticks):,f}"
    if fill.side is Side.SELL:
        return f"{done} · fee {fill.fee_quote_units / UNITS:.4f} {spec.quote}"
    return f"{done} · fee {fill.fee_atoms / UNITS:.8f} {spec.base}"
