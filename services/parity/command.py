"""`--mode report --parity`: an account beside its replay, beside a running cockpit too."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from time import time as wall_clock

from services.candles import replay_candles
from services.documents import write_document
from services.parity.account import accounts_of
from services.parity.document import parity_document, parity_lines
from services.parity.replay import BrokerOf
from services.parity.report import Question, parity_report
from services.runs import market_account
from services.settings import Settings
from storage.database import Database
from storage.instance import InstanceLock
from trading.errors import AlreadyRunning, BadInput

REPLAYS = ("replay-", "screen-replay-")


def report(settings: Settings, chosen: Namespace, broker_of: BrokerOf) -> int:
    """Compare one account with its replay; 0 also when they differ, which is what the report is for."""
    with reading(settings) as database:
        account = chosen.account or usual_account(settings, accounts_of(database))
        given = replay_candles(settings, chosen) if chosen.data else ()
        found = parity_report(Question(account, settings, database, broker_of, int(wall_clock() * 1000), given))
    if chosen.json:
        write_document(parity_document(found), chosen.json)
    if chosen.json != "-":
        print("\n".join(parity_lines(found)))
    return 0


def usual_account(settings: Settings, accounts: list[str]) -> str:
    """Return the account that is meant when none is named: the only one, or the one of the settings' market."""
    own = [account for account in accounts if not account.startswith(REPLAYS)]
    badge = "SIMULATED" if settings.feed == "sim" else "BINANCE"
    wished = (market_account(settings, badge), market_account(settings, "SIMULATED"))
    for account in (*wished, *own[:1]):
        if account in own:
            return account
    known = f"; there are {', '.join(accounts)}" if accounts else ": let the cockpit trade first"
    raise BadInput(f"no paper or live account in {settings.data_dir}{known}")


@contextmanager
def reading(settings: Settings) -> Iterator[Database]:
    """Open the database to read it; a cockpit that runs has brought it up to date and keeps its lock."""
    if not settings.database_url and not settings.database_path.exists():
        raise BadInput(f"{settings.database_path} does not exist: nothing was traded in this data folder yet")
    lock = InstanceLock(settings.data_dir)
    database = Database(settings.database_path, settings.database_url)
    try:
        lock.acquire("a report")
        database.open()
        held = True
    except AlreadyRunning:
        held = False
    try:
        yield database
    finally:
        database.close()
        if held:
            lock.release()
