"""Commands to the engine, the way the buttons send them: each is done once, however often it is sent.

The `Idempotency-Key` of a request is the nonce of its command, together with the token, so that no two scripts can
meet. The engine does a nonce once and keeps that in its database. A definite answer is kept here, until the next start,
and given again to the same request; one that got none may be sent again under its key, after a restart too: the engine
says then what became of it, and nothing is done twice. The kill switch is never refused for its key.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from services.api.problems import Refusal
from services.container import SessionPort
from trading.events import CommandAnswered

KEPT = 10_000
PATIENCE_S, LOOK_S = 1.0, 0.005
ADDING = ("start", "add")
"""Commands that add risk: the engine does them on its newest control version only."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it was asked for; `version` is the control version that it was decided on, None: the newest."""

    kind: str
    version: int | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


class Sender:
    """Sends commands and remembers the answers; `newest` is the control version of the picture. For one event loop."""

    def __init__(self, session: SessionPort, newest: Callable[[], int]) -> None:
        self._session, self._newest = session, newest
        self._known = 0
        self._answers: OrderedDict[str, tuple[Order, CommandAnswered]] = OrderedDict()
        self._under_way: set[str] = set()

    async def send(self, caller: str, key: str | None, order: Order) -> CommandAnswered:
        """Return what the engine answered, now or the first time.

        Raises
        ------
        Refusal
            409: the engine said no, or the same request is on its way. 422: the key belongs to another request.
            504: the engine has not answered, and what became of the command is not known.
        """
        nonce = f"api:{caller}:{key or uuid.uuid4().hex}"
        known = self._answers.get(nonce)
        if order.kind == "kill" and (nonce in self._under_way or (known is not None and known[0] != order)):
            nonce, known = f"api:{caller}:{uuid.uuid4().hex}", None
        if known is not None:
            if known[0] != order:
                raise Refusal(422, "this Idempotency-Key was used for another request; take a new one")
            return accepted(known[1])
        if nonce in self._under_way:
            raise Refusal(409, "the same request is on its way; wait for its answer")
        return accepted(await self._sent(nonce, order))

    async def _sent(self, nonce: str, order: Order) -> CommandAnswered:
        self._under_way.add(nonce)
        needed = order.version is None and order.kind in ADDING
        version = max(self._newest(), self._known) if needed else order.version
        try:
            answer = await self._session.send(order.kind, nonce, version, **order.arguments)
        finally:
            self._under_way.discard(nonce)
        if answer.version == 0 and not answer.accepted:
            raise Refusal(504, f"{order.kind}: {answer.detail}; GET /api/session tells how things stand, and the same "
                               "Idempotency-Key may be sent again without doing it twice")
        await self._shown(answer.version)
        self._answers[nonce] = (order, answer)
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        return answer

    async def _shown(self, version: int) -> None:
        """Wait until the picture knows of an answer, so that who asks next reads what was done."""
        self._known, until = max(version, self._known), monotonic() + PATIENCE_S
        while self._newest() < version and monotonic() < until:
            await asyncio.sleep(LOOK_S)


def accepted(answer: CommandAnswered) -> CommandAnswered:
    """Return an answer that says yes; Refusal otherwise."""
    if not answer.accepted:
        raise Refusal(409, f"{answer.kind}: {answer.detail}")
    return answer
