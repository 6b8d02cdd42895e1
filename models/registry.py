"""Trained models on disk: kept whole, read with suspicion, listed with who votes.

    <folder>/BTCUSDT-1h/appointments.jsonl
    <folder>/BTCUSDT-1h/BTCUSDT-1h-20240131T2359-3fa9c2d1/{model.json, forest.skops, boost.ubj, report.json, oos.npz}

Any process may read and write at any time: a version is a folder that appears whole, an appointment a line that is
added.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from time import time as wall_clock
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from models import appointments
from models.appointments import Office
from models.features import features_hash
from models.folders import check_names, drop_folder, drop_leftovers, sha256, write_folder
from models.manifest import (
    KNOWN,
    MANIFEST,
    Manifest,
    check_files,
    is_id,
    manifest_bytes,
    market_of,
    read_manifest,
    version_id,
)
from models.packing import (
    OUT_OF_SAMPLE,
    REPORT,
    columns_bytes,
    columns_of,
    ensemble_document,
    ensemble_files,
    ensemble_of,
    json_bytes,
    plain,
    report_of,
)
from trading.domain.learning import Appointment, ModelReport, ModelSettings, ModelVersion, TrainRequest
from trading.errors import BadInput, ModelRefused

if TYPE_CHECKING:
    from models.ensemble import Ensemble
    from models.training import Trained

HISTORY, LOCK = "appointments.jsonl", ".lock"
KEPT = 50
CHANGED = "features changed since it was trained: train again"


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A model that was found whole: its ensemble, what the registry says of it, and what drift is measured against."""

    version: ModelVersion
    ensemble: Ensemble
    request: Any
    reference: Any


class Registry:
    """The models of a data folder. Every method may be called from any thread.

    Parameters
    ----------
    folder
        Where models live; it is made when the first is saved.
    code
        Version of the code that trains, part of a model's name.
    clock
        Wall clock in seconds: says when a version was made or appointed.
    kept
        How many versions beside the champion and its predecessor are kept a market; the oldest go.
    """

    def __init__(self, folder: Path, code: str = "", clock: Callable[[], float] = wall_clock, kept: int = KEPT) -> None:
        self.folder, self._code, self._clock, self._kept = Path(folder), code, clock, kept
        self._verified: dict[Path, tuple[Any, str]] = {}
        self._lock = threading.Lock()

    def save(self, trained: Trained, request: TrainRequest, reference: Any = None, origin: str = "") -> ModelVersion:
        """Keep a model; the same question about the same candles by the same code is kept once.

        `reference` is what drift is measured against, `origin` is `SIMULATED` for candles of the simulated market.

        Raises
        ------
        StateFailed
            The disk is full or read-only; what was there stays.
        """
        name = version_id(request.symbol, request.interval, trained.trained_until,
                          [plain(request), trained.data_hash, features_hash(), self._code])
        folder = self._market(request.symbol, request.interval)
        folder.mkdir(parents=True, exist_ok=True)
        with self._writing(folder):
            if self._trouble(folder / name):
                write_folder(folder / name, self._files(name, trained, request, reference, origin))
            self._prune(request.symbol, request.interval, name)
        return self.version(name)

    def versions(self, symbol: str | None = None, interval: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of a market, or of all, newest data first; those that cannot be used are `broken`."""
        found: list[ModelVersion] = []
        for market in self.markets():
            if symbol in (None, market[0]) and interval in (None, market[1]):
                found += self._listed(*market)
        return tuple(sorted(found, key=lambda version: (version.trained_until, version.created), reverse=True))

    def markets(self) -> tuple[tuple[str, str], ...]:
        """Return symbol and interval of every market with models."""
        names = sorted(path.name for path in self.folder.iterdir() if path.is_dir()) if self.folder.is_dir() else []
        pairs = [name.rpartition("-") for name in names]
        return tuple((symbol, interval) for symbol, _, interval in pairs
                     if is_id(f"{symbol}-{interval}-20000101T0000-00000000"))

    def version(self, name: str) -> ModelVersion:
        """Return a version; one that cannot be used is `broken`, one that is not there too.

        Raises
        ------
        ModelRefused
            The name is none of a model.
        """
        symbol, interval = market_of(name)
        return self._described(self._market(symbol, interval) / name, self.office(symbol, interval))

    def load(self, name: str) -> Ensemble:
        """Return a model.

        Raises
        ------
        ModelRefused
            A file is missing, damaged, foreign or could run code; or the features are not what they were.
        """
        return self.stored(name).ensemble

    def stored(self, name: str) -> Stored:
        """Return a model with all that was kept beside it, every hash verified now.

        Raises
        ------
        ModelRefused
            As `load`.
        """
        symbol, interval = market_of(name)
        folder = self._market(symbol, interval) / name
        manifest = read_manifest(folder)
        bodies = check_files(folder, manifest)
        if manifest.version.features_hash != features_hash():
            raise ModelRefused(f"{name}: {CHANGED}")
        ensemble = ensemble_of(dict(manifest.ensemble), bodies, str(folder))
        version = self._described(folder, self.office(symbol, interval))
        return Stored(version, ensemble, manifest.request, manifest.reference)

    def report(self, name: str) -> ModelReport:
        """Return what is known of a model out of sample; raises as `load`, but old features do not matter."""
        try:
            return report_of(self._body(name, REPORT))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelRefused(f"{name}/{REPORT}: cannot be read ({error}); train again") from None

    def out_of_sample(self, name: str) -> dict[str, Any]:
        """Return the columns of a model's forecasts out of sample; raises as `report`."""
        try:
            return columns_of(self._body(name, OUT_OF_SAMPLE))
        except (OSError, ValueError) as error:
            raise ModelRefused(f"{name}/{OUT_OF_SAMPLE}: cannot be read ({error}); train again") from None

    def champion(self, symbol: str, interval: str) -> ModelVersion | None:
        """Return who holds the place on a market, `broken` if it cannot be used; None when nobody was appointed."""
        office = self.office(symbol, interval)
        if not office.champion:
            return None
        return self._described(self._market(symbol, interval) / office.champion, office)

    def predecessor(self, symbol: str, interval: str) -> str:
        """Return whom a roll back would appoint, empty without one."""
        return self.office(symbol, interval).predecessor

    def appoint(self, name: str, kind: str, reason: str) -> Appointment:
        """Make a version champion (`promoted`, `rolled back` or `by hand`), or note that it was `refused`.

        Its files are compared with their hashes; they are read into a model by who lets it vote.

        Raises
        ------
        ModelRefused
            The version is broken.
        BadInput
            It votes already.
        """
        symbol, interval = market_of(name)
        if kind in appointments.SEATED:
            described = self.version(name)
            if described.status == "broken":
                raise ModelRefused(f"{name}: {described.detail.removeprefix(f'{name}: ')}")
        return self._enter(symbol, interval, name, kind, reason)

    def silence(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Let nobody vote on a market until a person appoints again."""
        return self._enter(symbol, interval, self.office(symbol, interval).champion, "silenced", reason)

    def history(self, symbol: str, interval: str) -> tuple[Appointment, ...]:
        """Return the changes of champion, oldest first."""
        return appointments.read(self._market(symbol, interval) / HISTORY)

    def office(self, symbol: str, interval: str) -> Office:
        """Return who holds the place on a market."""
        return Office.of(self.history(symbol, interval))

    def stamp(self, symbol: str, interval: str) -> tuple[int, int]:
        """Return what changes, at the cost of one look at the disk, whenever a market's appointments do."""
        try:
            found = (self._market(symbol, interval) / HISTORY).stat()
        except OSError:
            return (0, 0)
        return found.st_size, found.st_mtime_ns

    def remove(self, name: str) -> None:
        """Remove a version for good.

        Raises
        ------
        ModelRefused
            It is the champion.
        """
        symbol, interval = market_of(name)
        folder = self._market(symbol, interval)
        if name == self.office(symbol, interval).champion:
            raise ModelRefused(f"{name} is the champion: appoint another before it is removed")
        with self._writing(folder):
            drop_folder(folder / name)

    def _market(self, symbol: str, interval: str) -> Path:
        return self.folder / f"{symbol}-{interval}"

    @contextmanager
    def _writing(self, folder: Path) -> Iterator[None]:
        with FileLock(folder / LOCK):
            drop_leftovers(folder)
            yield

    def _files(self, name: str, trained: Trained, request: TrainRequest, reference: Any,
               origin: str) -> dict[str, bytes]:
        report: ModelReport = trained.report
        found = trained.out_of_sample
        columns = {f.name: getattr(found, f.name) for f in fields(found)}
        bodies = {**ensemble_files(trained.ensemble), REPORT: json_bytes(report),
                  OUT_OF_SAMPLE: columns_bytes(columns)}
        version = ModelVersion(
            id=name, symbol=request.symbol, interval=request.interval, created=int(self._clock() * 1000),
            trained_from=trained.trained_from, trained_until=trained.trained_until, n_bars=trained.n_bars,
            data_hash=trained.data_hash, features_hash=features_hash(), code=self._code, settings=request.settings,
            figures=plain(report.figures), status="challenger", votes=False, leaks=tuple(report.leaks),
            origin=origin)
        hashes = {file: sha256(body) for file, body in bodies.items()}
        manifest = Manifest(version, ensemble_document(trained.ensemble), plain(request), reference, hashes)
        return {**bodies, MANIFEST: manifest_bytes(manifest)}

    def _enter(self, symbol: str, interval: str, name: str, kind: str, reason: str) -> Appointment:
        folder = self._market(symbol, interval)
        folder.mkdir(parents=True, exist_ok=True)
        with self._writing(folder):
            office = self.office(symbol, interval)
            before = office.champion
            if kind in appointments.SEATED and name == before and office.votes:
                raise BadInput(f"{name} votes on {symbol} {interval} already")
            line = Appointment(int(self._clock() * 1000), symbol, interval, name, before, kind, reason)
            appointments.add(folder / HISTORY, line)
        return line

    def _listed(self, symbol: str, interval: str) -> list[ModelVersion]:
        folder, office = self._market(symbol, interval), self.office(symbol, interval)
        names = {path.name for path in folder.iterdir() if is_id(path.name)}
        names |= {office.champion} if office.champion else set()
        return [self._described(folder / name, office) for name in names if market_of(name) == (symbol, interval)]

    def _described(self, folder: Path, office: Office) -> ModelVersion:
        trouble = self._trouble(folder)
        status = "champion" if folder.name == office.champion else (
            "retired" if folder.name in office.served else "challenger")
        try:
            known = read_manifest(folder).version
        except ModelRefused as error:
            return replace(_unread(folder.name), status="broken", detail=trouble or str(error))
        if known.features_hash != features_hash():
            trouble = trouble or CHANGED
        if trouble:
            return replace(known, status="broken", detail=trouble)
        votes = status == "champion" and office.votes
        return replace(known, status=status, votes=votes, detail=office.said.get(known.id, ""))

    def _trouble(self, folder: Path) -> str:
        """Return what is wrong with a folder's files, empty if nothing; unchanged files are not hashed twice."""
        try:
            check_names(folder, KNOWN)
            stats = [(folder / name).stat() for name in KNOWN]
            stamp = [(stat.st_size, stat.st_mtime_ns, stat.st_ino) for stat in stats]
        except (ModelRefused, OSError) as error:
            return str(error)
        with self._lock:
            seen = self._verified.get(folder)
        if seen is None or seen[0] != stamp:
            seen = (stamp, _verdict(folder))
            with self._lock:
                self._verified[folder] = seen
        return seen[1]

    def _body(self, name: str, file: str) -> bytes:
        folder = self._market(*market_of(name)) / name
        return check_files(folder, read_manifest(folder))[file]

    def _prune(self, symbol: str, interval: str, newest: str) -> None:
        office = self.office(symbol, interval)
        safe = {office.champion, office.predecessor, newest}
        spare = sorted((v for v in self._listed(symbol, interval) if v.id not in safe),
                       key=lambda version: (version.created, version.id), reverse=True)
        for version in spare[max(0, self._kept - 1):]:
            drop_folder(self._market(symbol, interval) / version.id)


def _verdict(folder: Path) -> str:
    try:
        check_files(folder, read_manifest(folder))
    except ModelRefused as error:
        return str(error)
    return ""


def _unread(name: str) -> ModelVersion:
    """Return all that the name of a version says, for one whose description cannot be read."""
    from datetime import UTC, datetime

    symbol, interval = market_of(name)
    minute = name.removeprefix(f"{symbol}-{interval}-")[:13]
    try:
        until = int(datetime.strptime(minute, "%Y%m%dT%H%M").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        until = 0
    return ModelVersion(name, symbol, interval, 0, 0, until, 0, "", "", "", ModelSettings(), {}, "broken", False)
