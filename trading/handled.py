"""Which commands were handled, over restarts too: the name of a click or call is done once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

from trading.domain import HandledCommand
from trading.errors import BadInput
from trading.events import Command

REMEMBERED = 10_000


def forget(_: HandledCommand) -> None:
    """Keep nothing."""


class CommandMemory:
    """The newest nonces with what became of each command. `record` makes one durable, `recalled` reads those that are.

    A command is recorded before it is done, with its first intent, and once more with its outcome: what a crash
    interrupted is not done a second time. They are read when the first command comes.
    """

    def __init__(self, record: Callable[[HandledCommand], None] = forget,
                 recalled: Callable[[], Iterable[HandledCommand]] = tuple) -> None:
        self._record, self._recalled = record, recalled
        self._known: OrderedDict[str, HandledCommand] | None = None
        self._under_way: HandledCommand | None = None

    def begin(self, command: Command, time: int) -> None:
        """Note that a command is being done.

        Raises
        ------
        BadInput
            It was handled before; the message says what became of it.
        """
        known = self._all()
        name = hashlib.sha256(str(command.nonce).encode("utf-8", "backslashreplace")).hexdigest()
        if name in known:
            raise BadInput(_told(known[name]))
        number = next(reversed(known.values())).number + 1 if known else 1
        self._under_way = HandledCommand(name, number, time, command.kind[:32], "")
        self._keep(self._under_way)

    def end(self, outcome: str) -> None:
        """Note what became of the command that is being done, if one is."""
        if self._under_way is not None:
            self._keep(replace(self._under_way, outcome=outcome))
            self._under_way = None

    def _keep(self, handled: HandledCommand) -> None:
        known = self._all()
        known[handled.nonce] = handled
        if len(known) > REMEMBERED:
            known.popitem(last=False)
        self._record(handled)

    def _all(self) -> OrderedDict[str, HandledCommand]:
        if self._known is None:
            self._known = OrderedDict((handled.nonce, handled) for handled in self._recalled())
        return self._known


def _told(handled: HandledCommand) -> str:
    if not handled.outcome:
        return f"this command ({handled.kind}) was under way when the cockpit stopped: look at positions and orders"
    return f"this command was handled already ({handled.kind}: {handled.outcome})"
