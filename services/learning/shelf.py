"""The voting models, loaded and ready, for the sources that ask on each bar."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import numpy as np

from models.registry import Registry
from models.source import NOBODY, Standing
from trading.domain.learning import ModelVersion
from trading.errors import CockpitError, ModelRefused

log = logging.getLogger(__name__)

BROKEN = "its files are broken: it votes from memory and cannot after a restart; train again or roll back"
Alert = Callable[[str, str, bool], None]  # symbol, what happened, whether the model abstains from now on
Key = tuple[str, str]


class ModelShelf:
    """Implements `models.source.Shelf`: answers at once from any thread, reads files on a thread of its own.

    A model that cannot be used is told of once and only silences its own market. One that votes when its files break is
    sound in memory and goes on, with the trouble in its `detail`: it cannot come back after a restart.

    Parameters
    ----------
    alert
        Hears of a symbol, what is wrong with its model and whether that abstains now, on the loading thread.
    is_simulated
        Whether the market is; only there a model of the simulated market may vote.
    inline
        Read files on the calling thread.
    """

    def __init__(self, registry: Registry, alert: Alert = lambda *_: None, is_simulated: bool = True,
                 inline: bool = False) -> None:
        self._registry, self._alert, self._is_simulated = registry, alert, is_simulated
        self._standing: dict[Key, Standing] = {}
        self._stamps: dict[Key, tuple[int, int]] = {}
        self._told: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._loader = None if inline else ThreadPoolExecutor(1, "models")

    def open(self, markets: Iterable[Key]) -> None:
        """Begin to load what votes on these markets."""
        for symbol, interval in markets:
            self.look(symbol, interval)

    def standing(self, symbol: str, interval: str) -> Standing:
        """Return who votes on a market now."""
        return self._standing.get((symbol, interval), NOBODY)

    def look(self, symbol: str, interval: str) -> None:
        """Load again if the market's appointments changed, also by another process; else look whether files broke."""
        key, stamp = (symbol, interval), self._registry.stamp(symbol, interval)
        with self._lock:
            is_same = self._stamps.get(key, (0, 0)) == stamp
        if not is_same:
            self.changed(symbol, interval)
        elif self.standing(*key).state == "ready":
            self._do(self._inspect, key)

    def changed(self, symbol: str, interval: str) -> None:
        """Load a market's champion again; until then the one before goes on voting."""
        key = symbol, interval
        stamp = self._registry.stamp(symbol, interval)
        with self._lock:
            self._stamps[key] = stamp
            self._standing.setdefault(key, Standing("loading"))
        self._do(self._load, key)

    def close(self) -> None:
        """Stop loading."""
        if self._loader is not None:
            self._loader.shutdown(wait=False, cancel_futures=True)

    def _do(self, work: Callable[[Key], None], key: Key) -> None:
        if self._loader is None:
            work(key)
        else:
            with suppress(RuntimeError):  # closed meanwhile
                self._loader.submit(work, key)

    def _load(self, key: Key) -> None:
        standing = self._found(key)
        before = self.standing(*key)
        if _name(before) == _name(standing) and before.state == "ready" and standing.state != "none":
            self._inspect(key)
            return
        self._standing[key] = standing
        if standing.state == "failed":
            self._tell(key, standing, standing.detail)

    def _inspect(self, key: Key) -> None:
        """Say of a model in memory whether it could be read again; unchanged files cost a look at the folder."""
        standing = self.standing(*key)
        if standing.version is None:
            return
        try:
            now = self._registry.version(standing.version.id)
            trouble = self._brief(now.detail, now)
        except CockpitError as error:
            log.warning("the files of %s cannot be looked at: %s", standing.version.id, error)
            return
        detail = BROKEN if now.status == "broken" else ""
        if detail:
            self._tell(key, standing, trouble)
        if detail != standing.detail and self.standing(*key) is standing:
            self._standing[key] = replace(standing, detail=detail)

    def _tell(self, key: Key, standing: Standing, trouble: str) -> None:
        """Alert once of a version's trouble."""
        told, votes = (_name(standing), trouble), standing.state == "ready"
        if told not in self._told:
            self._told.add(told)
            self._alert(key[0], f"{BROKEN} ({trouble})" if votes else trouble, not votes)

    def _found(self, key: Key) -> Standing:
        version = None
        try:
            version = self._registry.champion(*key)
            if version is None or not self._registry.office(*key).votes:
                return NOBODY
            if version.origin and not self._is_simulated:
                raise ModelRefused(f"{version.id} was trained on the {version.origin} market; train on this one")
            ensemble = self._registry.load(version.id)
            ensemble.compiled().explain(np.zeros(len(ensemble.features), np.float32))
            ensemble.probability(np.zeros((1, len(ensemble.features)), np.float32))
            return Standing("ready", version, ensemble)
        except CockpitError as error:
            log.warning("the model of %s %s cannot be used: %s", *key, error)
            return Standing("failed", version, None, self._brief(str(error), version))
        except Exception as error:  # one market's model must not silence the others
            log.exception("the model of %s %s cannot be used", *key)
            return Standing("failed", version, None, f"unexpected {type(error).__name__}: {error}")

    def _brief(self, words: str, version: ModelVersion | None) -> str:
        """Return words without the folder in front of a file's name; the log has it."""
        if version is None:
            return words
        folder = self._registry.folder / f"{version.symbol}-{version.interval}" / version.id
        return words.replace(f"{folder}{os.sep}", "").replace(str(folder), version.id)


def _name(standing: Standing) -> str:
    return standing.version.id if standing.version is not None else ""
