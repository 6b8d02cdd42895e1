"""Frames and rows that cannot be used: counted, and logged without flooding the log."""

from __future__ import annotations

import logging
import math
from collections import Counter

from trading.binance.redaction import redacted

log = logging.getLogger(__name__)


class Rejects:
    """Counts what was dropped and logs the first few of each kind, then every tenth, hundredth ... one."""

    def __init__(self, kind: str = "market") -> None:
        self.counts: Counter[str] = Counter()
        self._kind = kind

    def drop(self, reason: str, what: object) -> None:
        """Count and log one dropped frame or row."""
        self.counts[reason] += 1
        n = self.counts[reason]
        if n <= 3 or math.log10(n).is_integer():
            log.warning("dropped %s frame number %d (%s): %s", self._kind, n, reason, redacted(what))
