"""What accounts left in the database, counted: days, trades, parity, faults survived, reconciliations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import distinct, func, select

from storage import tables
from storage.database import Database
from storage.evidence import Evidence, EvidenceStore
from trading.domain.parity import ParityReport

HOUR_MS = 3_600_000
PARITY, RECONCILED, RECOVERED, FAULT, OVERRIDE = "parity", "reconciled", "recovered", "fault", "override"
BELONGS = {
    "paper": ("paper-binance", "paper-simulated-"),
    "rehearsal": ("live-rehearsal", "live-testnet", "live-demo"),
    "small": ("live-binance",),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the accounts of one step; `parity` is the body of the newest report."""

    accounts: tuple[str, ...] = ()
    days: int = 0
    trades: int = 0
    parity: Mapping[str, Any] = field(default_factory=dict)
    faults: int = 0
    reconciled: int = 0
    is_simulated: bool = False


def facts_of(database: Database, step: str) -> Facts:
    """Return what the accounts of a step prove; the simulated market stands in while none saw real prices."""
    t = tables.accounts
    known = [str(row["account"]) for row in database.rows(select(t.c.account).order_by(t.c.account))]
    for prefix in (BELONGS[step] if step == "paper" else [BELONGS[step]]):
        found = tuple(name for name in known if name.startswith(prefix))
        if found:
            return _facts(database, found)
    return Facts()


def _facts(database: Database, accounts: Sequence[str]) -> Facts:
    kept = [line for account in accounts
            for line in EvidenceStore(database, account).of(PARITY, RECONCILED, RECOVERED, FAULT)]
    kept.sort(key=lambda line: line.time)
    parity = [line.body for line in kept if line.kind == PARITY and line.body["counted"]]
    return Facts(tuple(accounts), _days(database, accounts), _trades(database, accounts), parity[-1] if parity else {},
                 _faults(kept), _in_a_row(kept), accounts[0].startswith("paper-simulated-"))


def _days(database: Database, accounts: Sequence[str]) -> int:
    """Count days by the hours in which the account's worth was kept: two minutes at midnight are none."""
    t = tables.equity
    query = select(func.count(distinct(t.c.time // HOUR_MS)).label("n")).where(t.c.account.in_(accounts))
    return int(database.rows(query)[0]["n"]) // 24


def _trades(database: Database, accounts: Sequence[str]) -> int:
    t = tables.trades
    return int(database.rows(select(func.count().label("n")).where(t.c.account.in_(accounts)))[0]["n"])


def _faults(kept: Sequence[Evidence]) -> int:
    """Count faults that were thrown on purpose and survived, and requests of unknown outcome that were settled."""
    thrown = sum(bool(line.body.get("survived")) for line in kept if line.kind == FAULT)
    return thrown + sum(int(line.body.get("recovered", 0)) for line in kept)


def _in_a_row(kept: Sequence[Evidence]) -> int:
    """Count the clean reconciliations since the last that was not."""
    n = 0
    for line in kept:
        if line.kind == RECONCILED:
            n = n + 1 if line.body["clean"] else 0
    return n


def parity_body(report: ParityReport) -> dict[str, Any]:
    """Return what is kept of a parity report as evidence."""
    return {"counted": len(report.counted), "differing": len(report.differing), "mean_bps": report.mean_bps,
            "median_bps": report.median_bps, "mean_abs_bps": report.mean_abs_bps, "gap": f"{report.total('gap'):f}",
            "first": report.first, "last": report.last}


def keep_parity(database: Database, report: ParityReport) -> bool:
    """Keep a report as evidence unless the newest one says the same; return whether it was new."""
    store = EvidenceStore(database, report.account)
    before = store.of(PARITY)
    body = parity_body(report)
    if before and before[-1].body == body:
        return False
    store.add(PARITY, body)
    return True
