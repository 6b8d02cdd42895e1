"""Call Binance's public REST interface politely: below the weight limit, with retries, with errors one can act on."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from trading.binance.governor import Governor
from trading.binance.wire import wire_of
from trading.domain.venue import Purpose
from trading.errors import BadInput, FeedFailed

BINANCE_REST_URL = "https://api.binance.com"
# Binance: REQUEST_WEIGHT per minute is 6000 on binance.com and 1200 on its smaller sites; the smaller is safe on both.
WEIGHT_LIMIT = 1_200
_LIMITED, _BANNED, _FIREWALL, _GONE = 429, 418, 403, 410
_UNKNOWN_SYMBOL = -1121
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_WEIGHT = 2
"""Of klines, which is nearly all that is asked here."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to ask: the share of the weight limit to use, tries for one call, and the longest wait in seconds."""

    share_rate: float = 0.5
    weight_limit: int = WEIGHT_LIMIT
    tries: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 600.0
    sleep: Callable[[float], None] = time.sleep


def public_client(rest_url: str = BINANCE_REST_URL) -> Any:
    """Return a python-binance `Client` without keys for an address, with or without `/api`; makes no request.

    Raises
    ------
    BadInput
        The address is not http(s).
    """
    from binance import Client

    parts = urlsplit(rest_url)
    if parts.scheme not in ("http", "https") or re.search(r"[{}]", rest_url):
        raise BadInput(f"rest_url {rest_url!r} is not valid: it looks like {BINANCE_REST_URL}")
    address = rest_url.rstrip("/").removesuffix("/api") + "/api"
    client = type("PublicClient", (Client,), {"API_URL": address})(ping=False)
    client.session.trust_env = parts.hostname not in _LOOPBACK  # a proxy of the environment cannot reach loopback
    return client


class Caller:
    """Makes calls on one client, one after the other, as the process's governor of that address lets it.

    `requests` counts them.
    """

    def __init__(self, client: Any, pace: Pace) -> None:
        self._client, self._pace = client, pace
        self.requests = 0

    @property
    def _governor(self) -> Governor:
        return wire_of(self._client.API_URL).governor

    def call(self, name: str, request: Callable[[Any], Any]) -> Any:
        """Return the answer to a request, waiting and trying again where that can help.

        Raises
        ------
        FeedFailed
            The exchange cannot be reached, refuses, or sent no JSON.
        BadInput
            The exchange does not know the symbol.
        """
        reason = ""
        for attempt in range(self._pace.tries):
            self._wait_for_others(name)
            try:
                return self._once(request)
            except _Again as again:
                reason, wait = again.reason, again.wait_s
                if wait is None:
                    wait = self._pace.first_wait_s * 2.0**attempt
                if wait > self._pace.longest_wait_s:
                    raise FeedFailed(f"{name}: {reason}; try again after {wait:,.0f} s") from again.__cause__
                if attempt + 1 < self._pace.tries:
                    self._pace.sleep(wait)
            except _Refused as refused:
                raise refused.error(name) from refused.__cause__
        raise FeedFailed(f"{name}: no answer after {self._pace.tries} tries; the last: {reason}")

    def _wait_for_others(self, name: str) -> None:
        """Wait while the venue, or what feed and broker ask of it, leaves no room."""
        wait = self._governor.wait_s(Purpose.DATA, _WEIGHT)
        if wait > self._pace.longest_wait_s:
            raise FeedFailed(f"{name}: the exchange wants silence; try again after {wait:,.0f} s")
        if wait:
            self._pace.sleep(wait)

    def _once(self, request: Callable[[Any], Any]) -> Any:
        import requests
        from binance.exceptions import BinanceAPIException, BinanceRequestException

        self.requests += 1
        ticket = self._governor.book(_WEIGHT)
        try:
            answer = request(self._client)
            ticket.answered(200, self._client.response.headers)
        except BinanceAPIException as error:
            ticket.answered(error.status_code, error.response.headers, error.code or 0)
            raise _judge(error) from error
        except AttributeError as error:  # python-binance expects an object in the body of every error
            raise _Again("the exchange sent an error without a message") from error
        except BinanceRequestException as error:
            raise _Refused("the answer is no JSON: a proxy or a login page in between? check rest_url") from error
        except (requests.Timeout, requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _Again(f"not reachable ({type(error).__name__}); check the connection and rest_url") from error
        except requests.RequestException as error:
            raise _Refused(f"the request failed ({type(error).__name__}); check rest_url") from error
        finally:
            ticket.lost()
        self._spare_weight(self._client.response.headers)
        return answer

    def _spare_weight(self, headers: Any) -> None:
        """Sleep until the next minute once our share of the limit is used (the windows are aligned to the clock)."""
        used = headers.get("X-MBX-USED-WEIGHT-1M", "")
        if used.isdigit() and int(used) >= self._pace.share_rate * self._pace.weight_limit:
            self._pace.sleep(_rest_of_minute(headers.get("Date", "")))


class _Again(Exception):
    """Worth another try, after `wait_s` seconds (None: growing waits)."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.wait_s = reason, wait_s


class _Refused(Exception):
    """Not worth another try."""

    def __init__(self, reason: str, kind: type[BadInput] | type[FeedFailed] = FeedFailed) -> None:
        super().__init__(reason)
        self.reason, self.kind = reason, kind

    def error(self, name: str) -> BadInput | FeedFailed:
        return self.kind(f"{name}: {self.reason}")


def _judge(error: Any) -> _Again | _Refused:
    """Say what to do about an answer that is not 2xx."""
    status, code = error.status_code, error.code
    if status in (_LIMITED, _BANNED):
        wait = _retry_after(error.response.headers.get("Retry-After"), 60.0 if status == _LIMITED else 120.0)
        word = "too many requests" if status == _LIMITED else "this address is banned for too many requests"
        return _Again(f"HTTP {status}, {word}", wait)
    if status >= 500:
        return _Again(f"HTTP {status}, the exchange has trouble")
    if code == _UNKNOWN_SYMBOL:
        return _Refused("the exchange does not know this symbol; check the spelling (BTCUSDT)", BadInput)
    if status == _FIREWALL:
        return _Refused("HTTP 403, refused by the exchange's firewall; wait some minutes, check rest_url")
    text = f" {error.message}"[:120] if code else ""
    return _Refused(f"HTTP {status}, refused (code {code}){text}; check rest_url")


def _retry_after(text: str | None, otherwise: float) -> float:
    return float(text) if text and re.fullmatch(r"\d{1,9}", text) else otherwise


def _rest_of_minute(date: str) -> float:
    """Return the seconds to the exchange's next minute by its own clock, a whole minute if it tells none."""
    try:
        return 61.0 - parsedate_to_datetime(date).second
    except (TypeError, ValueError):
        return 61.0
