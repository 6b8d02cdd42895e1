"""A person's hand at the cockpit's page: the same calls that a browser makes, without the browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from layouts import ids
from trading.controls import LIVE_WORD

TIMEOUT_S = 20.0
WHY = "a soak: the faults are wanted"
OUT_OF_DATE = "the page was out of date"
Json = dict[str, Any]


class Page:
    """One tab: it knows which callbacks there are and what the page's memory holds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = build_opener(ProxyHandler({}))
        self._callbacks: list[Json] = []
        self._seen: dict[str, Any] = {}
        self._clicks = 0

    def answers(self) -> bool:
        """Tell whether the page is served."""
        try:
            return bool(self._ask("/api/health")["status"] == "ok")
        except (URLError, OSError, ValueError):
            return False

    def start(self) -> None:
        """Press Start and type the word, again while the page is a moment behind."""
        for button, values in ((ids.AUTO_START, {}), (ids.LV_ARM, {ids.LV_WORD: LIVE_WORD, ids.LV_REASON: WHY})):
            while OUT_OF_DATE in self.click(button, values):
                time.sleep(0.5)

    def rearm(self) -> None:
        """Take the kill switch back, and go on."""
        while OUT_OF_DATE in self.click(ids.REARM, {ids.REARM_REASON: WHY}):
            time.sleep(0.5)
        self.start()

    def release(self, symbol: str) -> None:
        """Press Release beside a symbol in quarantine."""
        wanted = ids.release(symbol)
        found = next(c for c in self._known() if any(_is_pattern(part["id"], wanted) for part in c["inputs"]))
        self._clicks += 1
        pressed = [{"id": wanted, "property": "n_clicks", "value": self._clicks}]
        name = json.dumps(wanted, sort_keys=True, separators=(",", ":"))
        self._send(found, [pressed], [], f"{name}.n_clicks")

    def look_at_live(self) -> None:
        """Open the page "Live", and let it ask for what is new."""
        self.open("/live")
        self.tick(ids.LV_TICK, ids.LV_SEEN)

    def tick(self, interval: str, *memory: str) -> Json:
        """Let an interval of the page that is on screen fire; `memory` are the stores of what was seen."""
        told = self._fire(interval, "n_intervals", {name: self._seen.get(name) for name in memory})
        self._seen |= {name: told[name]["data"] for name in memory if "data" in told.get(name, {})}
        return told

    def open(self, path: str) -> None:
        """Let the router draw a page."""
        self._fire("_pages_location", "pathname", {"_pages_location": path}, path)

    def click(self, button: str, values: Mapping[str, Any] | None = None) -> str:
        """Press a button as a page that is up to date; return the toast's text."""
        memory = {part["props"]["id"]: part["props"].get("data") for part in self._stores()}
        return json.dumps(self._fire(button, "n_clicks", memory | dict(values or {})))

    def _fire(self, source: str, prop: str, values: Mapping[str, Any], value: Any = None) -> Json:
        found = next(c for c in self._known() if any(i["id"] == source and i["property"] == prop for i in c["inputs"]))
        self._clicks += 1
        fired = self._clicks if value is None else value

        def given(part: Json) -> Json:
            known = fired if part["id"] == source and part["property"] == prop else values.get(part["id"])
            return {**part, "value": "" if part["property"] == "search" else known}

        return self._send(found, [given(part) for part in found["inputs"]], [given(part) for part in found["state"]],
                          f"{source}.{prop}")

    def _send(self, callback: Json, inputs: list[Any], state: list[Any], changed: str) -> Json:
        outputs = list(_outputs(callback["output"]))
        body = {"output": callback["output"], "outputs": outputs if callback["output"].startswith("..") else outputs[0],
                "inputs": inputs, "state": state, "changedPropIds": [changed]}
        return dict((self._ask("/_dash-update-component", body) or {}).get("response", {}))

    def _known(self) -> list[Json]:
        if not self._callbacks:
            found = self._ask("/_dash-dependencies")
            self._callbacks = [{**c, "inputs": _parts(c["inputs"]), "state": _parts(c["state"])} for c in found
                               if not c.get("clientside_function")]
        return self._callbacks

    def _stores(self) -> Iterator[Json]:
        waiting = [self._ask("/_dash-layout")]
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting.extend(part)
            elif isinstance(part, dict) and "props" in part:
                if part.get("type") == "Store":
                    yield part
                waiting.append(part["props"].get("children"))

    def _ask(self, path: str, body: Json | None = None) -> Any:
        headers = {"Origin": self._url, "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        with self._opener.open(Request(self._url + path, content, headers), timeout=TIMEOUT_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def _parts(parts: list[Json]) -> list[Json]:
    return [{"id": part["id"], "property": part["property"]} for part in parts]


def _is_pattern(component: str, wanted: Mapping[str, str]) -> bool:
    """Tell whether a wildcard id stands for a component."""
    if not component.startswith("{"):
        return False
    pattern = json.loads(component)
    return pattern.keys() == wanted.keys() and all(isinstance(v, list) or wanted[k] == v for k, v in pattern.items())


def _outputs(text: str) -> Iterator[Json]:
    """Read `..a.x...b.y..` or `a.x`."""
    for part in text.strip(".").split("..."):
        component, _, prop = part.rpartition(".")
        yield {"id": component, "property": prop}
