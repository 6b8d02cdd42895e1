"""Agents beside one another: a thread for each, and a deadline after which one that has not answered abstains.

What a bar's agents say is handed on in the order in which the bars were asked about, so that the same answers always
lead to the same trades; a bar waits for those before it no longer than their deadline. A late answer is dropped, but
the agent has seen the bar: it goes on from there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Self

from trading.domain import Signal

DEADLINE_S = 2.0
JOIN_S = 1.0
log = logging.getLogger(__name__)

Ask = Callable[[], Signal | None]
"""Asks one agent about one bar; None when it has no say."""
Finish = Callable[[tuple[Signal, ...]], None]


class Hearing:
    """One bar and what its agents said of it so far."""

    def __init__(self, absent: Sequence[Callable[[], Signal]], due: float | None, finish: Finish) -> None:
        self.due = due
        self.missing = len(absent)
        self._absent, self._finish = absent, finish
        self._said: list[Signal | None] = [None] * len(absent)
        self._heard = [False] * len(absent)

    def hear(self, place: int, signal: Signal | None) -> None:
        """Take in one agent's answer."""
        self._said[place], self._heard[place] = signal, True
        self.missing -= 1

    def close(self) -> None:
        """Let those who are missing abstain."""
        for place in [place for place, heard in enumerate(self._heard) if not heard]:
            self.hear(place, self._absent[place]())

    def hand_on(self) -> None:
        """Tell what was said, in the order of the agents."""
        self._finish(tuple(signal for signal in self._said if signal is not None))


class Lanes:
    """A thread for each agent, and one that minds the deadlines. Ends with `stop` or as a context manager.

    The threads are daemons: an agent that never returns does not keep the process alive.
    """

    def __init__(self, name: str = "agents") -> None:
        self._name = name
        self._changed = threading.Condition()
        self._hearings: deque[Hearing] = deque()
        self._due: deque[Hearing] = deque()
        self._lanes: dict[int, SimpleQueue[Callable[[], None] | None]] = {}
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self._start("deadline", self._mind)

    def ask(self, agents: Sequence[tuple[int, Ask, Callable[[], Signal]]], finish: Finish,
            deadline_s: float | None) -> None:
        """Ask agents, each on its own thread; `finish` hears their answers.

        Parameters
        ----------
        agents : for each its lane's key, how to ask it, and what it says when it has not answered in time.
        deadline_s : from now on; None waits for ever.
        """
        due = None if deadline_s is None else monotonic() + deadline_s
        hearing = Hearing([absent for _, _, absent in agents], due, finish)
        with self._changed:
            self._hearings.append(hearing)
            self._release()
            if due is not None:
                self._due.append(hearing)
                self._changed.notify()
        for place, (key, ask, _) in enumerate(agents):
            self._lane(key).put(lambda place=place, ask=ask: self._answer(hearing, place, ask()))  # type: ignore[misc]

    def _lane(self, key: int) -> SimpleQueue[Callable[[], None] | None]:
        if key not in self._lanes:
            lane: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
            self._lanes[key] = lane
            self._start(str(len(self._lanes)), lambda: _work_off(lane))
        return self._lanes[key]

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"{self._name}-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _answer(self, hearing: Hearing, place: int, signal: Signal | None) -> None:
        with self._changed:
            if hearing.missing == 0:
                log.warning("an answer came after its deadline and is dropped: %s", signal)
                return
            hearing.hear(place, signal)
            self._release()

    def _release(self) -> None:
        """Hand on what is complete, in the order of asking."""
        while self._hearings and self._hearings[0].missing == 0:
            self._hearings.popleft().hand_on()

    def _mind(self) -> None:
        """Close each hearing at its deadline."""
        with self._changed:
            while not self._stopped:
                left = self._close_overdue(monotonic())
                self._release()
                self._changed.wait(left)

    def _close_overdue(self, now: float) -> float | None:
        """Close what is due and return the seconds until the next deadline, None without one."""
        for hearing in self._due:
            if hearing.missing and hearing.due is not None and hearing.due <= now:
                hearing.close()
        self._due = deque(hearing for hearing in self._due if hearing.missing)
        return min((hearing.due - now for hearing in self._due if hearing.due is not None), default=None)

    def stop(self) -> None:
        """End the threads; one whose agent does not return is left alone."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        for lane in self._lanes.values():
            lane.put(None)
        end = monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """End the threads."""
        self.stop()


def _work_off(lane: SimpleQueue[Callable[[], None] | None]) -> None:
    """Do what comes, one after the other, until None comes."""
    while (work := lane.get()) is not None:
        work()
