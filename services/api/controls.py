"""Routes that change what the engine does: the same commands as the buttons, with the same refusals.

What only a person in front of the screen shall do is not here: typing LIVE, and re-arming after the kill switch.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Request
from pydantic import Field

from services.api.parts import Caller, Screen, Sending
from services.api.problems import Refusal, problems
from services.api.sending import Order
from services.api.values import Asked, Symbol, Time, Told, spelled

router = APIRouter(prefix="/api", tags=["controls"], responses=problems(409, 413, 422, 504))
MAX_KEY, MAX_REASON = 100, 200
KILL: dict[str, Any] = {
    "parameters": [{"in": "header", "name": "Idempotency-Key", "required": False, "schema": {"type": "string"}}],
    "requestBody": {"required": False, "content": {"application/json": {"schema": {
        "type": "object", "properties": {"reason": {"type": "string", "examples": ["news"]}}}}}}}
Key = Annotated[str | None, Header(
    alias="Idempotency-Key", pattern=rf"^[!-~]{{1,{MAX_KEY}}}$", examples=["7f1c2a"],
    description="the command's name: sent twice under one name it is done once")]
Version = Annotated[int | None, Field(
    ge=0, le=2**53, description="the control_version of GET /api/session that the decision is made on; when the "
                                "controls have changed since, the command is refused. Without it, as they are now")]


class Answer(Told):
    """What the engine did; `version` is the control version after it."""

    kind: str
    accepted: bool
    detail: str
    nonce: str
    version: int


class Start(Asked):
    """Let entries in."""

    version: Version = None


class Execute(Asked):
    """A trade by hand, as with the buttons of the positions table.

    `buy` adds to an open position; how much is the risk engine's decision, as on the screen. `sell` closes `rate` of
    it, all of it by default. Where no position is open there is nothing to do by hand, and it is refused.
    """

    symbol: Symbol
    side: Literal["buy", "sell"]
    rate: float = Field(1.0, gt=0, le=1, description="sell: the part of the position")
    entry_time: Time | None = Field(None, ge=0, le=2**53, description="entry_time of the position that is meant; "
                                                                     "another one is refused")
    version: Version = None


@router.post("/start")
async def start(sender: Sending, caller: Caller, body: Start | None = None, key: Key = None) -> Answer:
    """Start auto-trading: new entries from the next candle's close on."""
    return await _send(sender, caller, key, Order("start", body.version if body else None))


@router.post("/pause")
async def pause(sender: Sending, caller: Caller, key: Key = None) -> Answer:
    """Let no new entries in; working orders, stops and positions are managed."""
    return await _send(sender, caller, key, Order("pause"))


@router.post("/stop")
async def stop(sender: Sending, caller: Caller, key: Key = None) -> Answer:
    """Stop auto-trading: working entries are cancelled, stops kept."""
    return await _send(sender, caller, key, Order("stop"))


@router.post("/kill", openapi_extra=KILL)
async def kill(request: Request, sender: Sending, caller: Caller) -> Answer:
    """Trip the kill switch: entries cancelled, stops kept, nothing else is sent; only a person can re-arm it.

    Never refused for its body: one that makes no sense is no reason.
    """
    key = request.headers.get("idempotency-key", "")[:MAX_KEY] or None
    return await _send(sender, caller, key, Order("kill", None, {"reason": reason_of(await request.body())}))


@router.post("/flatten")
async def flatten(sender: Sending, caller: Caller, key: Key = None) -> Answer:
    """Sell every position at the market and stop."""
    return await _send(sender, caller, key, Order("flatten"))


@router.post("/trades/execute", tags=["trades"])
async def execute(body: Execute, sender: Sending, caller: Caller, key: Key = None) -> Answer:
    """Add to an open position, or close a part of it, at the market."""
    arguments: dict[str, Any] = {"symbol": spelled(body.symbol)}
    if body.entry_time is not None:
        arguments["entry_time"] = body.entry_time
    if body.side == "buy":
        order = Order("add", body.version, arguments)
    else:
        order = Order("close", None, arguments | {"rate": body.rate})
    return await _send(sender, caller, key, order)


@router.delete("/orders/{client_id}", tags=["orders"], responses=problems(404))
async def cancel(client_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["ck-1-7"])],
                 screen: Screen, sender: Sending, caller: Caller, key: Key = None) -> Answer:
    """Cancel a working order; a protective stop stays as long as its position."""
    try:
        return await _send(sender, caller, key, Order("cancel", None, {"client_id": client_id}))
    except Refusal as refusal:
        known = any(one.client_id == client_id for one in screen.portfolio.view().orders)
        if refusal.status != 409 or known:
            raise
        raise Refusal(404, f"there is no order {client_id}; GET /api/orders lists them") from None


def reason_of(body: bytes) -> str:
    """Return the reason that a body gives for the kill switch, or that it came this way."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    reason = said.get("reason") if isinstance(said, dict) else None
    text = reason.encode("utf-8", "replace").decode().strip() if isinstance(reason, str) else ""
    return text[:MAX_REASON] or "through the API"


async def _send(sender: Sending, caller: Caller, key: str | None, order: Order) -> Answer:
    return Answer.model_validate(await sender.send(caller.id, key, order))
