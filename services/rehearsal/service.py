"""One rehearsal at a time: starts the exchange and the cockpit on it, watches both, ends both."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from services.rehearsal import reading
from services.rehearsal.admin import Admin
from services.rehearsal.catalog import SETTINGS
from services.rehearsal.child import Child, free_port
from services.rehearsal.running import ComposeCockpit, ExchangeCommand, RunningCockpit
from services.rehearsal.watch import Watch, now_ms
from trading.domain.backtests import MarketChoice
from trading.domain.rehearsal import (
    FAILED,
    IDLE,
    RUNNING,
    SOURCES,
    STARTING,
    STOPPING,
    STORED,
    RehearsalRequest,
    RehearsalUrls,
    RehearsalView,
)
from trading.errors import BadInput, CockpitError

log = logging.getLogger(__name__)

NAME = "the rehearsal exchange"
ANSWER_S = 60.0  # candles are read and markets warmed up before it answers
LOOK_S = 0.5
JOIN_S = 20.0
DYING_S = 0.5  # a client hears of the end of a process before its parent does
MOST_SYMBOLS = 8
MOST_SPEED = 10_000.0


@dataclass(frozen=True, slots=True)
class RehearsalParts:
    """What a rehearsal is made of: the exchange's command line, a cockpit on it, and the symbols there are."""

    command: ExchangeCommand
    compose: ComposeCockpit
    symbols: tuple[str, ...]
    markets: Callable[[], tuple[MarketChoice, ...]] = tuple
    look_s: float = LOOK_S


class RehearsalService:
    """Implements `services.container.RehearsalPort`."""

    def __init__(self, parts: RehearsalParts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._view = _blank(RehearsalView())
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._admin: Admin | None = None
        self._cockpit: RunningCockpit | None = None

    def view(self) -> RehearsalView:
        """Return the newest picture."""
        return self._view

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols of the simulated market."""
        return self._parts.symbols

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with stored candles."""
        return self._parts.markets()

    def start(self, request: RehearsalRequest) -> None:
        """Begin a rehearsal.

        Raises
        ------
        BadInput
            The request makes no sense, or a rehearsal runs.
        """
        self._check(request)
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise BadInput("a rehearsal runs already; stop it first" if self._view.state in (STARTING, RUNNING)
                               else "the last rehearsal is ending; try again in a few seconds")
            self._stop = threading.Event()
            self._view = _blank(RehearsalView(self._view.version + 1, STARTING, "the exchange starts", request=request,
                                              started=now_ms(), now=now_ms()))
            self._thread = threading.Thread(target=self._run, args=(request, self._stop), name="rehearsal", daemon=True)
            self._thread.start()

    def _check(self, request: RehearsalRequest) -> None:
        if not 1 <= len(request.symbols) <= MOST_SYMBOLS:
            raise BadInput(f"Symbols: choose 1 to {MOST_SYMBOLS}")
        if request.source not in SOURCES:
            raise BadInput(f"Prices: {request.source!r} is unknown; use one of {', '.join(SOURCES)}")
        known = {m.symbol for m in self.markets()} if request.source == STORED else set(self.symbols())
        missing = [symbol for symbol in request.symbols if symbol not in known]
        if missing:
            hint = "download them, or choose simulated prices" if request.source == STORED else "choose others"
            raise BadInput(f"Symbols: there are no prices of {', '.join(missing)}; {hint}")
        if not 0 < request.speed <= MOST_SPEED:
            raise BadInput(f"Speed: enter more than 0 and at most {MOST_SPEED:,.0f}")
        if request.faults_every_s < 0:
            raise BadInput("Faults every: enter seconds, 0 for none by themselves")

    def stop(self) -> None:
        """End the rehearsal; returns at once."""
        self._stop.set()
        with self._lock:
            if self._view.is_active:
                self._view = replace(self._view, state=STOPPING, detail="", version=self._view.version + 1)

    def close(self) -> None:
        """End the rehearsal and wait for it."""
        self.stop()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def set_fault(self, name: str, wanted: bool) -> None:
        """Throw a switch or put it back.

        Raises
        ------
        BadInput
            No rehearsal runs, or the switch is unknown.
        CockpitError
            The exchange does not answer.
        """
        admin = self._running(name)
        with self._looking:
            admin.set_fault(name, **SETTINGS[name]) if wanted else admin.clear_fault(name)
            self._swap(faults=reading.faults_of(admin.state()))

    def clear_faults(self) -> None:
        """Put all switches back; raises as `set_fault` does."""
        admin = self._running()
        with self._looking:
            admin.clear_fault()
            self._swap(faults=reading.faults_of(admin.state()))

    def release(self) -> None:
        """Ask for the end of every quarantine there; granted where account and books agree.

        Raises
        ------
        BadInput
            No rehearsal runs, or nothing is in quarantine.
        """
        cockpit, venue = self._cockpit, self._view.venue
        if cockpit is None or venue is None or not venue.quarantined:
            raise BadInput("nothing is in quarantine")
        for symbol in sorted({symbol for symbol, _ in venue.quarantined}):
            cockpit.release(symbol)

    def _running(self, name: str | None = None) -> Admin:
        if name is not None and name not in SETTINGS:
            raise BadInput(f"{name} is no switch of the rehearsal exchange")
        admin = self._admin
        if admin is None:
            raise BadInput("no rehearsal runs; start one first")
        return admin

    def _swap(self, **changes: Any) -> None:
        with self._lock:
            if self._view.state == STOPPING:
                changes.pop("state", None)
            self._view = replace(self._view, version=self._view.version + 1, **changes)

    def _run(self, request: RehearsalRequest, stop: threading.Event) -> None:
        try:
            with ExitStack() as ending:
                self._play(request, ending, stop)
            if self._view.state != FAILED:
                self._end(IDLE)
        except Exception as error:  # what ends badly is told unless something worse was
            log.exception("the rehearsal could not be ended in order")
            if self._view.state != FAILED:
                self._fail(error, None)

    def _play(self, request: RehearsalRequest, ending: ExitStack, stop: threading.Event) -> None:
        """Rehearse until the end; what goes wrong is told before what is left has ended."""
        child: Child | None = None
        try:
            port = free_port()
            child = Child(self._parts.command(request, port), NAME)
            ending.callback(child.stop)
            self._swap(pid=child.pid)
            self._rehearse(child, request, _urls(port), ending, stop)
        except Exception as error:  # whatever it is, a person is told
            self._fail(error, child)

    def _fail(self, error: Exception, child: Child | None) -> None:
        """Say what went wrong: that the exchange has ended explains all else."""
        tail: tuple[str, ...] = ()
        if child is not None:
            tail, error = child.tail(), child.trouble(DYING_S) or error
        expected = isinstance(error, CockpitError)
        if not expected:
            log.error("the rehearsal failed", exc_info=error)
        self._end(FAILED, str(error) if expected else f"unexpected {type(error).__name__}: {error}", tail)

    def _rehearse(self, child: Child, request: RehearsalRequest, urls: RehearsalUrls, ending: ExitStack,
                  stop: threading.Event) -> None:
        admin = Admin(urls.rest)
        if not child.await_answer(admin.answers, ANSWER_S, stop):
            return
        self._swap(urls=urls, detail="the cockpit connects and reconciles")
        cockpit = self._parts.compose(request, urls)
        ending.callback(cockpit.stop)
        self._admin, self._cockpit = admin, cockpit
        ending.callback(self._forget)
        watch = Watch(admin, cockpit)
        self._swap(state=RUNNING, detail="")
        while not stop.is_set():
            child.check()
            self._show(watch)
            stop.wait(self._parts.look_s)

    def _show(self, watch: Watch) -> None:
        """Take the next picture; no switch is thrown while it is taken, else it would show the old position."""
        with self._looking:
            seen = watch.look(self._view)
            with self._lock:
                if self._view.state == RUNNING:
                    self._view = replace(seen, version=self._view.version + 1)

    def _forget(self) -> None:
        self._admin = self._cockpit = None

    def _end(self, state: str, detail: str = "", tail: tuple[str, ...] = ()) -> None:
        """Keep the last picture of what was rehearsed; its switches are gone with the exchange."""
        with self._lock:
            ended = replace(self._view, version=self._view.version + 1, state=state, detail=detail, tail=tail,
                            pid=0, now=now_ms())
            self._view = _blank(ended)


def _blank(view: RehearsalView) -> RehearsalView:
    return replace(view, faults=reading.faults_of({}))


def _urls(port: int) -> RehearsalUrls:
    return RehearsalUrls(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws-api/v3")


