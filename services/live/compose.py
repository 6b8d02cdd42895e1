"""Puts the service of the page "Live" together."""

from __future__ import annotations

from typing import Any

from services.live.comparing import Comparing, compare_in_process
from services.live.service import LiveParts, LiveService
from services.parity.replay import BrokerOf
from services.scheduler import JobBoard
from services.settings import Settings
from storage.database import Database

EVERY_S = 6 * 3600.0
FIRST_S = 300.0


def live_service(settings: Settings, database: Database, trading: tuple[Any, Any], board: JobBoard,
                 broker_of: BrokerOf) -> LiveService:
    """Return the service; the account is compared with its replay every six hours. `trading` is the cockpit and its
    account at a venue (None on paper).
    """
    cockpit, outside = trading
    account = cockpit.recorder.account
    comparing = Comparing(database, account, compare_in_process(settings, broker_of))
    if cockpit.feed.badge != "REPLAY":
        board.every("parity", EVERY_S, comparing.run, first_after=FIRST_S)
    release = getattr(cockpit.engine.broker, "release", None)
    return LiveService(database, settings, account, LiveParts(cockpit.ladder, comparing, outside, release))
