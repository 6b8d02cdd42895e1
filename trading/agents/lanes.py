"""Agents beside one another: a thread for each, and a deadline after which one that has not answered abstains.

What a bar's agents say is handed on in the order in which the bars were asked about, so that the same answers always
lead to the same trades. A bar waits for those before it no longer than its own deadline: then they are closed too,
however patient they were. A late answer is dropped, but the agent has seen the bar: it goes on from there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from queue import SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Self

from trading.domain import Signal

DEADLINE_S = 2.0
JOIN_S = 1.0
LOOK_S = 0.5
"""So often the deadlines are looked at, so that who asks need not wake anybody but the agents."""
log = logging.getLogger(__name__)

Ask = Callable[[], Signal | None]
"""Asks one agent about one bar; None when it has no say."""
Absent = Callable[[float], Signal]
"""What stands for an agent that has not answered within so many seconds."""
Finish = Callable[[tuple[Signal, ...]], None]


class Hearing:
    """One bar and what its agents said of it so far."""

    def __init__(self, absent: Sequence[Absent], deadline_s: float | None, finish: Finish) -> None:
        self._asked = monotonic()
        self.due = None if deadline_s is None else self._asked + deadline_s
        self.missing = len(absent)
        self._absent, self._finish = absent, finish
        self._said: list[Signal | None] = [None] * len(absent)
        self._heard = [False] * len(absent)

    def hear(self, place: int, signal: Signal | None) -> None:
        """Take in one agent's answer."""
        self._said[place], self._heard[place] = signal, True
        self.missing -= 1

    def close(self, until: float) -> None:
        """Let those abstain who have not answered until then."""
        for place in [place for place, heard in enumerate(self._heard) if not heard]:
            self.hear(place, self._absent[place](until - self._asked))

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
        self._alarms: list[tuple[float, Callable[[], None]]] = []
        self._looks_at = 0.0
        self._lanes: dict[int, SimpleQueue[Callable[[], None] | None]] = {}
        self._threads: list[threading.Thread] = []
        self._numbers = count(1)
        self._stopped = False
        self._start("deadline", self._mind)

    def ask(self, agents: Sequence[tuple[int, Ask, Absent]], finish: Finish, deadline_s: float | None) -> None:
        """Ask agents, each on its own thread; `finish` hears their answers.

        Parameters
        ----------
        agents : for each its lane's key, how to ask it, and what it says when it has not answered in time.
        deadline_s : from now on; None waits for ever.
        """
        hearing = Hearing([absent for _, _, absent in agents], deadline_s, finish)
        with self._changed:
            self._hearings.append(hearing)
            self._release()
            if hearing.due is not None:
                self._be_there(hearing.due)
        for place, (key, ask, _) in enumerate(agents):
            self._lane(key).put(lambda place=place, ask=ask: self._answer(hearing, place, ask()))  # type: ignore[misc]

    def _lane(self, key: int) -> SimpleQueue[Callable[[], None] | None]:
        if key not in self._lanes:
            lane: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
            self._lanes[key] = lane
            self._start(str(next(self._numbers)), lambda: _work_off(lane))
        return self._lanes[key]

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"{self._name}-{name}", daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
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

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something short once, so many seconds from now, on the thread that minds the deadlines."""
        with self._changed:
            self._alarms.append((monotonic() + seconds, act))
            self._be_there(self._alarms[-1][0])

    def drop(self, keys: Iterable[int]) -> None:
        """End the lanes of agents that are asked no more, each after what it was asked."""
        for lane in [self._lanes.pop(key) for key in keys if key in self._lanes]:
            lane.put(None)

    def _be_there(self, due: float) -> None:
        """Wake the thread that minds the deadlines if it would come too late for one."""
        if due < self._looks_at:
            self._changed.notify()

    def _mind(self) -> None:
        """Close each hearing at its deadline, and wake who wanted to be woken."""
        with self._changed:
            while not self._stopped:
                now = monotonic()
                self._close_overdue(now)
                self._release()
                self._ring(now)
                times = [*(hearing.due for hearing in self._hearings), *(time for time, _ in self._alarms)]
                self._looks_at = min([now + LOOK_S, *(time for time in times if time is not None)])
                self._changed.wait(self._looks_at - now)

    def _close_overdue(self, now: float) -> None:
        """Close what is due, and all that was asked before it."""
        until: float | None = None
        for hearing in reversed(self._hearings):
            if hearing.due is not None and hearing.due <= now:
                until = hearing.due if until is None else min(until, hearing.due)
            if until is not None:
                hearing.close(until)

    def _ring(self, now: float) -> None:
        over = [act for time, act in self._alarms if time <= now]
        self._alarms = [alarm for alarm in self._alarms if alarm[0] > now]
        for act in over:
            act()

    def stop(self) -> None:
        """End the threads; one whose agent does not return is left alone."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        for lane in tuple(self._lanes.values()):
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
