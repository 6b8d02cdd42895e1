"""What the command line does with the data folder: keep a run, and repeat one that was kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.backtests.ask import Answer, ask
from services.backtests.codec import encoded
from services.backtests.keeper import Keeper, leave_behind
from services.backtests.markets import Source, fingerprint, load
from services.backtests.question import question_key, request_of
from services.backtests.spread import Hands
from services.backtests.sweep import Progress
from services.settings import Settings
from storage.backtest_store import BacktestStore
from storage.database import Database
from storage.instance import InstanceLock
from trading.domain.backtests import BacktestView
from trading.errors import AlreadyRunning, BadInput


def keep(settings: Settings, path: str | None, found: Answer) -> BacktestView:
    """Store a run, count what was tried, and return it judged by all trials so far.

    While a cockpit holds the folder the trials are left for it to count, and the run is not stored.
    """
    source = source_of(settings, path)
    outcome = found.outcome(question_key(found.view.request, fingerprint(source, found.view.request)), source.path)
    try:
        with opened(settings) as keeper:
            return keeper.enter(outcome)
    except AlreadyRunning:
        leave_behind(settings.data_dir / "backtests", outcome.trials)
        print("note: a cockpit uses this data folder: what was tried is counted there, the run is not stored",
              file=sys.stderr)
        return found.view


def repeat(settings: Settings, key: str, hands: Hands, progress: Progress) -> list[str]:
    """Run a stored question again; return what differs: nothing, or the names of hashes and the answer itself.

    Raises
    ------
    BadInput
        The key is not known.
    """
    with opened(settings) as keeper:
        stored = keeper.stored(key)
    if stored is None:
        raise BadInput(f"no backtest {key} is stored in {settings.data_dir}; its key is in the last line of a run")
    request = request_of(stored.request)
    found = ask(request, load(source_of(settings, stored.source), request), hands, None, progress)
    differing = [name for name, value in found.view.hashes.items() if stored.hashes.get(name) != value]
    return differing if encoded(found.view) == stored.body else [*differing, "its figures"]


def source_of(settings: Settings, path: str | None) -> Source:
    """Return where candles come from: a path given by hand, else the store."""
    return Source(settings.candles_dir, str(Path(path).resolve()) if path else "")


@contextmanager
def opened(settings: Settings) -> Iterator[Keeper]:
    """Hold the data folder and its database for a moment; AlreadyRunning when somebody else does."""
    lock = InstanceLock(settings.data_dir)
    lock.acquire("a backtest")
    database = Database(settings.database_path, settings.database_url)
    try:
        database.open()
        yield Keeper(BacktestStore(database), settings.data_dir / "backtests")
    finally:
        database.close()
        lock.release()
