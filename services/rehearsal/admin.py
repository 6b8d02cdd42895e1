"""Asks the rehearsal exchange what nobody could ask a real one: its state, its ledger, its log, its switches."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from trading.errors import CockpitError

TIMEOUT_S = 3.0
KEY = "rehearsal"  # the account's key and secret, as the exchange prints them


class NoAnswer(CockpitError):
    """The exchange did not answer, or said that it could not."""


class Admin:
    """The exchange's own pages under `/rehearsal`."""

    def __init__(self, url: str, key: str = KEY) -> None:
        self._url, self._key = url.rstrip("/"), key
        self._opener = build_opener(ProxyHandler({}))  # a proxy of the environment cannot reach loopback

    def answers(self) -> bool:
        """Tell whether the exchange is up."""
        try:
            self.state()
        except NoAnswer:
            return False
        return True

    def state(self) -> dict[str, Any]:
        """Return faults, books and trades."""
        return self._ask("GET", "state")

    def ledger(self) -> dict[str, Any]:
        """Return orders, fills and balances of the account as the exchange knows them."""
        return self._ask("GET", "ledger")

    def log(self, since: int = 0) -> dict[str, Any]:
        """Return the requests since a time (UTC ms, by the exchange's clock)."""
        return self._ask("GET", f"log?since={since}")

    def set_fault(self, name: str, **settings: Any) -> None:
        """Throw a switch."""
        self._ask("POST", "faults", {"name": name, **settings})

    def clear_fault(self, name: str | None = None) -> None:
        """Put a switch back, or all."""
        self._ask("DELETE", "faults?" + urlencode({"name": name}) if name else "faults")

    def _ask(self, method: str, page: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"X-MBX-APIKEY": self._key, "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._url}/rehearsal/{page}", content, headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                found = json.load(answer)
        except HTTPError as error:
            raise NoAnswer(f"the rehearsal exchange refused {page}: {_said(error)}") from None
        except (URLError, OSError, ValueError) as error:
            raise NoAnswer(f"the rehearsal exchange does not answer ({getattr(error, 'reason', error)})") from None
        if not isinstance(found, dict):
            raise NoAnswer(f"the rehearsal exchange answered {page} with no object")
        return found


def _said(error: HTTPError) -> str:
    """Return what a refusal says in words."""
    try:
        found = json.load(error)
    except (ValueError, OSError):
        return f"HTTP {error.code}"
    words = found.get("error") or found.get("msg") if isinstance(found, dict) else None
    return str(words or f"HTTP {error.code}")
