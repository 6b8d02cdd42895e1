"""Where Binance is: production, testnet, demo mode, or a rehearsal exchange on this computer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from trading.errors import BadInput


@dataclass(frozen=True, slots=True)
class Environment:
    """One venue: addresses without path (`ws_api_url` with its own), and what the strip on the screen says."""

    name: str
    badge: str
    rest_url: str
    stream_url: str
    ws_api_url: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key and its secret: an HMAC secret, or an RSA or Ed25519 private key in PEM."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def is_private_key(self) -> bool:
        """Whether the secret is a key of its own rather than a password for HMAC."""
        return "PRIVATE KEY" in self.secret


REHEARSAL_URL = "http://127.0.0.1:9100"


def local_exchange(rest_url: str = REHEARSAL_URL) -> Environment:
    """Return the environment of a rehearsal exchange: REST, streams and WebSocket API share one address.

    Raises
    ------
    BadInput
        If it is no http(s) address.
    """
    address = plain_address(rest_url)
    sockets = "ws" + address.removeprefix("http")
    return Environment("rehearsal", "REHEARSAL", address, sockets, f"{sockets}/ws-api/v3")


def plain_address(rest_url: str) -> str:
    """Return an address without a trailing slash.

    Raises
    ------
    BadInput
        If it is no http(s) address; python-binance would also fill in braces.
    """
    parts = urlsplit(rest_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[{}?#@\s]", rest_url):
        raise BadInput(f"{rest_url!r} is no address of an exchange: it looks like {REHEARSAL_URL}")
    return rest_url.rstrip("/")


def is_loopback(url: str) -> bool:
    """Return whether an address is this computer, so that a proxy of the environment must be left out."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


ENVIRONMENTS = {
    each.name: each
    for each in (
        Environment("binance", "LIVE", "https://api.binance.com", "wss://stream.binance.com:9443",
                    "wss://ws-api.binance.com:443/ws-api/v3"),
        Environment("testnet", "TESTNET", "https://testnet.binance.vision", "wss://stream.testnet.binance.vision",
                    "wss://ws-api.testnet.binance.vision/ws-api/v3"),
        Environment("demo", "DEMO", "https://demo-api.binance.com", "wss://demo-stream.binance.com",
                    "wss://demo-ws-api.binance.com/ws-api/v3"),
        local_exchange(),
    )
}  # fmt: skip


def environment_of(name: str, exchange_url: str = "") -> Environment:
    """Return an environment by name; `exchange_url` says where a rehearsal exchange is.

    Raises
    ------
    BadInput
        If the name or the address is unknown.
    """
    if name not in ENVIRONMENTS:
        raise BadInput(f"venue {name!r} is unknown: choose one of {', '.join(ENVIRONMENTS)}")
    if name == "rehearsal" and exchange_url:
        return local_exchange(exchange_url)
    return ENVIRONMENTS[name]
