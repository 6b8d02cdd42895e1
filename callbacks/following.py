"""What follows a long job on screen: ticks that survive an error, and parts in the order of their outputs."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import Any

from dash import no_update

from layouts import parts

log = logging.getLogger(__name__)

Frame = Sequence[tuple[str, str]]


def in_order(frame: Frame, found: parts.Parts) -> list[Any]:
    """Return the parts in the order of a frame; what is not there stays as it is."""
    return [found.get(part, no_update) for part in frame]


async def or_nothing(answer: Awaitable[parts.Parts], what: str) -> parts.Parts:
    """Return a tick's answer; whatever goes wrong is logged, and the next tick is asked for."""
    try:
        return await answer
    except Exception:
        log.exception("%s cannot be told", what)
        return {}


def answered(frame: Frame, found: parts.Parts, n: int | None) -> list[Any]:
    """Answer a tick and allow one more: the last output is `max_intervals` of what ticks.

    Dash drops the answer to a question that was asked again meanwhile, so ticks that overtake a busy server would never
    be answered. Nobody else may set it: a late answer to a click would forbid the next tick for good.
    """
    return [*in_order(frame, found), (n or 0) + 1]
