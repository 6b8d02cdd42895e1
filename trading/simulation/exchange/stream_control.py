"""What clients say on a stream connection: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, properties."""

from __future__ import annotations

import json
from typing import Any

from trading.simulation.exchange.gateway import to_json
from trading.simulation.exchange.refusals import VenueError
from trading.simulation.exchange.streams import StreamHub, Subscriber

MAX_STREAMS = 1_024


class StreamControl:
    """Answers the control messages of one connection: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, properties."""

    def __init__(self, hub: StreamHub, subscriber: Subscriber) -> None:
        self._hub = hub
        self._subscriber = subscriber

    def answer(self, text: str) -> str:
        """Return the answer to one message.

        Raises
        ------
        VenueError
            The connection asked for more streams than it may have: it is closed.
        """
        try:
            asked = json.loads(text)
        except ValueError as wrong:
            return to_json({"error": {"code": 3, "msg": f"Invalid JSON: {wrong}"}})
        if not isinstance(asked, dict):
            return to_json({"error": {"code": 3, "msg": "Invalid JSON: expected an object"}})
        number = asked.get("id")
        if number is not None and not isinstance(number, int | str):
            return to_json({"error": {"code": 2, "msg": "Invalid request: request ID must be an integer or a string"}})
        try:
            return to_json({"result": self._obey(asked), "id": number})
        except ValueError as wrong:
            return to_json({"error": {"code": 2, "msg": f"Invalid request: {wrong}"}, "id": number})

    def _obey(self, asked: dict[str, Any]) -> Any:
        method, params = asked.get("method"), asked.get("params", [])
        if not isinstance(params, list):
            raise ValueError("params must be a list")
        if method == "LIST_SUBSCRIPTIONS":
            return list(self._subscriber.streams)
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            names = [name for name in params if isinstance(name, str)]
            if len(names) < len(params):
                raise ValueError("params must be names of streams")
            if method == "UNSUBSCRIBE":
                return self._hub.unsubscribe(self._subscriber, names)
            if len({*self._subscriber.streams, *names}) > MAX_STREAMS:
                raise VenueError(400, -1003, f"more than {MAX_STREAMS} streams on a connection")
            return self._hub.subscribe(self._subscriber, names)
        if method in ("SET_PROPERTY", "GET_PROPERTY") and params[:1] == ["combined"]:
            if method == "GET_PROPERTY":
                return self._subscriber.combined
            if len(params) != 2 or not isinstance(params[1], bool):
                raise ValueError("combined is true or false")
            self._subscriber.combined = params[1]
            return None
        raise ValueError(f"unknown variant {method!r}")
