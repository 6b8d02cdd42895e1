"""The exchange core as a venue inside this process: requests travel, get lost and come late as a script or dice say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from trading.binance.answers import failure
from trading.domain.venue import Call, Purpose
from trading.errors import NotSent, OutcomeUnknown
from trading.simulation.exchange import Account, Exchange, VenueError

AHEAD_MS = 1_000
CLIENT_S = 10.0


@dataclass(frozen=True, slots=True)
class Travel:
    """How one request fares: delays in seconds, and what of it is lost.

    `refused` (code, words, with the HTTP `status`) is said without doing anything, `muddled` after it was done.
    """

    there_s: float = 0.01
    back_s: float = 0.01
    lose_request: bool = False
    lose_reply: bool = False
    refused: tuple[int, str] | None = None
    muddled: tuple[int, str] | None = None
    status: int = 400


TIMED_OUT = (-1007, "Timeout waiting for response from backend server.")
REFUSALS = ((400, -1021, "Timestamp for this request is outside of the recvWindow."),
            (429, -1003, "Too many requests."),
            (503, 0, "Service Unavailable"))
STOP_REFUSALS = ((400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"), (400, -1013, "Filter failure: NOTIONAL"),
                 (400, -2010, "Order would trigger immediately."))
"""What a venue on a bad day says, though there is no reason for it."""

CALM = Travel()
Route = Callable[[Call], Travel]


@dataclass(frozen=True, slots=True)
class Weather:
    """How often requests and events fare badly."""

    lose_request: float = 0.0
    lose_reply: float = 0.0
    late: float = 0.0
    lose_event: float = 0.0
    event_s: float = 0.05
    refuse: float = 0.0
    muddle: float = 0.0
    repeat_event: float = 0.0


FAIR = Weather()


class ExchangeVenue:
    """A `Venue` over an `Exchange`. `strike` is called at each send, `script` overrules the dice for a call."""

    badge = "REHEARSAL"

    def __init__(self, exchange: Exchange, account: Account, seed: int = 0, weather: Weather = FAIR) -> None:
        self.exchange, self.account, self.weather = exchange, account, weather
        self.dice = Random(seed)
        self.script: Route | None = None
        self.strike: Callable[[str], None] = lambda point: None
        self.calls: list[tuple[int, Call]] = []
        self.arrived: list[tuple[int, Call, str]] = []
        self.is_down = False
        self.is_deaf = False
        self._listeners: list[asyncio.Queue[Mapping[str, Any]]] = []
        exchange.on_account.append(self._tell)

    def now(self) -> int:
        return self.exchange.now()

    async def send(self, call: Call) -> Any:
        self.strike(f"before {call.method} {call.path}")
        with (call.sending or nullcontext)():
            denied = call.denied() if call.denied is not None else ""
        if denied:
            raise NotSent(denied)
        if self.is_down:
            raise OutcomeUnknown("the network is down") if call.method != "GET" else NotSent("the network is down")
        self.calls.append((self.now(), call))
        travel = (self.script(call) if self.script else None) or self._draw(call)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        loop.call_later(travel.there_s, self._arrive, call, travel, answer)
        try:
            result = await asyncio.wait_for(answer, CLIENT_S)
        except TimeoutError:
            raise OutcomeUnknown("the client gave up waiting") from None
        self.strike(f"after {call.method} {call.path}")
        if isinstance(result, VenueError):
            raise failure(call, result.status, (result.code, result.message))
        return result

    async def close(self) -> None:
        """Nothing to close."""

    async def user_events(self) -> AsyncIterator[Mapping[str, Any]]:
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._listeners.append(queue)
        yield {"e": "subscribed"}
        while True:
            yield await queue.get()

    def hang_up(self) -> None:
        """Forget who listens, as a process that dies does."""
        self._listeners.clear()

    def resubscribe(self) -> None:
        """Hear again after an outage of the stream: what was missed is not replayed."""
        self.is_deaf = False
        for queue in self._listeners:
            queue.put_nowait({"e": "subscribed"})

    def posts(self, path: str = "") -> list[Call]:
        """Placements that arrived at the exchange."""
        return [call for _, call, _ in self.arrived if call.method == "POST" and path in call.path]

    def _draw(self, call: Call) -> Travel:
        dice, weather = self.dice, self.weather
        lost, silent, late = dice.random(), dice.random(), dice.random()
        there = dice.uniform(0.005, 0.04) + (dice.uniform(0.5, 2.4) if late < weather.late else 0.0)
        travel = Travel(there, dice.uniform(0.005, 0.04), lost < weather.lose_request, silent < weather.lose_reply)
        return self._spoiled(call, travel) if weather.refuse or weather.muddle else travel

    def _spoiled(self, call: Call, travel: Travel) -> Travel:
        """Let the venue refuse a request for no reason, or not know what it has done."""
        dice, weather = self.dice, self.weather
        refused, muddled = dice.random() < weather.refuse, dice.random() < weather.muddle
        if refused:
            is_stop = call.purpose is Purpose.PROTECT and dice.random() < 0.5
            status, code, words = dice.choice(STOP_REFUSALS if is_stop else REFUSALS)
            return replace(travel, refused=(code, words), status=status)
        return replace(travel, muddled=TIMED_OUT) if muddled and call.method != "GET" else travel

    def _arrive(self, call: Call, travel: Travel, answer: asyncio.Future[Any]) -> None:
        result = None if travel.lose_request else self._answer(call, travel)
        if not (travel.lose_request or travel.lose_reply):
            asyncio.get_running_loop().call_later(travel.back_s, _put, answer, result)

    def _answer(self, call: Call, travel: Travel) -> Any:
        if travel.refused is not None:
            return VenueError(travel.status, *travel.refused)
        try:
            self._check_time(call.params)
            answer = self._asked(call)
        except VenueError as refused:
            self.arrived.append((self.now(), call, refused.message))
            return refused
        self.arrived.append((self.now(), call, ""))
        if travel.muddled is not None:
            return VenueError(travel.status, *travel.muddled)
        return json.loads(json.dumps(answer))

    def _asked(self, call: Call) -> Any:
        if call.path == "exchangeInfo":
            documents = [desk.symbol.document | {"status": desk.status} for desk in self.exchange.desks.values()]
            return {"symbols": [d for d in documents if d["symbol"] in json.loads(call.params["symbols"])]}
        if call.path == "ticker/bookTicker":
            _, ((bid, _),), ((ask, _),) = self.exchange.depth(call.params["symbol"], 1)
            return {"symbol": call.params["symbol"], "bidPrice": bid, "askPrice": ask}
        if call.path == "time":
            return {"serverTime": self.now()}
        return self.exchange.request(call.method, call.path, call.params, self.account if call.signed else None)

    def _check_time(self, params: Mapping[str, str]) -> None:
        sent, now = int(params.get("timestamp", self.now())), self.now()
        if sent >= now + AHEAD_MS or now - sent > int(params.get("recvWindow", 5_000)):
            raise VenueError(400, -1021, "Timestamp for this request is outside of the recvWindow.")

    def _tell(self, account: Account, event: Mapping[str, Any]) -> None:
        if account is not self.account or self.is_deaf or self.dice.random() < self.weather.lose_event:
            return
        copy = json.loads(json.dumps(event))
        delay = self.dice.uniform(0.001, 0.001 + self.weather.event_s)
        is_repeated = self.weather.repeat_event > 0 and self.dice.random() < self.weather.repeat_event
        for queue in self._listeners:
            self._loop.call_later(delay, queue.put_nowait, copy)
            if is_repeated:
                self._loop.call_later(2 * delay, queue.put_nowait, copy)


def _put(answer: asyncio.Future[Any], result: Any) -> None:
    if not answer.done():
        answer.set_result(result)
