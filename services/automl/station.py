"""What the process that searches does: one study at a time, in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from services.automl.counting import leave_trials
from services.automl.study import run_study, study_key
from services.backtests.markets import Loaded, Source, load
from services.backtests.spread import Hands
from services.worker import Progress
from trading.domain.backtests import BacktestRequest
from trading.domain.studies import StudyRequest
from trading.errors import BadInput

CANDLES = "candles.txt"


@dataclass(frozen=True, slots=True)
class StudyJob:
    """A study to begin or to go on with; its folder goes by its key."""

    key: str
    request: StudyRequest


class StudyStation:
    """Searches in `folder`; what was tried is left in `spool` for the process that counts trials."""

    def __init__(self, source: Source, folder: Path, spool: Path, n_jobs: int = 0) -> None:
        self._source, self._folder, self._spool, self._n_jobs = source, folder, spool, n_jobs

    def warm(self) -> None:
        """Load nothing: a search takes longer than what its first step waits for."""

    def do(self, job: StudyJob, progress: Progress) -> str:
        """Search to the end; `progress` may raise `Cancelled`, and the folder keeps what was done."""
        loaded = load_candles(self._source, job.request)
        folder = self._folder / job.key
        check_candles(folder, loaded)
        check_code(job, loaded)
        leave_trials(folder, self._spool)  # of a sitting that was killed; this one may write its log anew
        try:
            run_study(job.request, loaded, folder, Hands(self._n_jobs), progress)
        finally:
            leave_trials(folder, self._spool)
        return job.key


def load_candles(source: Source, request: StudyRequest) -> Loaded:
    """Return the candles that a study asks about."""
    asked = (request.strategy, request.document, request.symbols, request.interval, request.start, request.end)
    return load(source, BacktestRequest(*asked, Decimal(10_000), request.costs, request.profile))


def hashes_of(loaded: Loaded) -> str:
    """Return the hashes of candles, a line a symbol."""
    return "".join(f"{candles.symbol} {candles.content_hash()}\n" for candles in loaded.candles)


def check_candles(folder: Path, loaded: Loaded) -> None:
    """Refuse to go on with a search on other candles than it began on; write them down for a new one.

    Raises
    ------
    BadInput
        They differ.
    """
    path = folder / CANDLES
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(hashes_of(loaded), encoding="utf-8")
    elif path.read_text(encoding="utf-8") != hashes_of(loaded):
        raise BadInput("the candles are others than those that this search began on; start it again")



def check_code(job: StudyJob, loaded: Loaded) -> None:
    """Refuse to go on with a search by other code than it began with; the same candles were looked for before.

    Raises
    ------
    BadInput
        The key, which names question, candles and code, would be another today.
    """
    if study_key(job.request, loaded) != job.key:
        raise BadInput("the cockpit is another version than the one that this search began with; start it again")
