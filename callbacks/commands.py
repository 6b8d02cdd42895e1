"""Send a command for a click, once, and turn its answer into a toast."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dash import Output, Patch, set_props
from dash.exceptions import MissingCallbackContextException

from layouts import ids, toast
from services.container import Services
from trading.events import CommandAnswered

TOAST = Output(ids.TOASTS, "children", allow_duplicate=True)


def nonce(tab: str, control: str, count: int | str) -> str:
    """Name a click: the page load, the control and its how-manieth press; a replayed request carries the same name."""
    return f"{tab}:{control}:{count}"


def shown(answered: CommandAnswered) -> Patch:
    """Add the answer to the toasts."""
    return added(toast.answer(answered.kind, answered.detail, accepted=answered.accepted))


def added(component: Any) -> Patch:
    """Add a toast."""
    toasts = Patch()
    toasts.append(component)
    return toasts


async def send(
    services: Services, kind: str, name: str, version: int | None = None, **arguments: Any
) -> tuple[Patch, bool]:
    """Post a command and wait for the engine; return the toast and whether it was accepted.

    Commands that only take risk away are sent without a version: they must work from a stale page too.
    """
    try:
        answered = await services.session.send(kind, name, version, **arguments)
    except TimeoutError:
        answered = CommandAnswered(
            name, kind, False, "The engine did not answer in time; look at the state before trying again."
        )
    if answered.accepted and answered.version:
        _remember(answered.version)
    return shown(answered), answered.accepted


def _remember(version: int) -> None:
    """Let the tab that commanded know the controls' new version at once, not with the next push."""
    with suppress(MissingCallbackContextException):
        set_props(ids.VERSION, {"data": version})
