"""Who signed a request and when: HMAC, Ed25519 and RSA signatures, and the window in which a timestamp counts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from trading.simulation.exchange.refusals import VenueError, refusal

RECV_WINDOW_MS = 5_000
MAX_RECV_WINDOW_MS = 60_000
AHEAD_MS = 1_000
YEAR_2017 = 1_483_228_800_000
MICROSECONDS = 100_000_000_000_000
_WINDOW = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_MISSING = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."


def rest_payload(query: str, body: str) -> str:
    """Return what a REST request signs: query and body as they were sent, nothing between, without the signature."""
    return _unsigned(query) + _unsigned(body)


def socket_payload(params: Mapping[str, object]) -> str:
    """Return what a WebSocket API request signs: all parameters but the signature, sorted by name, not encoded."""
    return "&".join(f"{name}={written(params[name])}" for name in sorted(params) if name != "signature")


def written(value: object) -> str:
    """Return a JSON value as its parameter's text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_signature(secret: str, payload: str, signature: str) -> None:
    """Accept a signature of this payload, else raise -1022.

    Parameters
    ----------
    secret : the account's HMAC secret, or its public key in PEM (Ed25519, RSA PKCS#1 v1.5 with SHA-256)
    payload : as it was sent; anything outside ASCII was not percent-encoded and is refused as Binance does since 2026
    signature : hexadecimal in any case for HMAC, base64 for the others
    """
    if not payload.isascii() or not _is_signed(secret, payload, signature):
        raise refusal(-1022, "Signature for this request is not valid.")


def check_socket_signature(secret: str, params: Mapping[str, object]) -> None:
    """Accept the signature of a WebSocket API request, whose payload is raw UTF-8."""
    if not _is_signed(secret, socket_payload(params), written(params.get("signature", ""))):
        raise refusal(-1022, "Signature for this request is not valid.")


def is_ed25519(secret: str) -> bool:
    """Say whether an account signs with Ed25519, which session.logon asks for."""
    return secret.startswith("-----BEGIN") and isinstance(load_pem_public_key(secret.encode()), Ed25519PublicKey)


def check_time(params: Mapping[str, str], now: int) -> None:
    """Accept a timestamp inside its window, else raise -1021 (or -1102, -1100, -1131 for what is no timestamp)."""
    timestamp, window = timestamp_of(params), window_of(params)
    if timestamp < YEAR_2017 or timestamp >= now + AHEAD_MS:
        raise refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time."
                      if timestamp > now else "Timestamp for this request is outside of the recvWindow.")
    if now - timestamp > window:
        raise refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def timestamp_of(params: Mapping[str, str]) -> int:
    """Return the signed time in ms; microseconds are understood."""
    text = params.get("timestamp", "")
    if not text:
        raise refusal(-1102, _MISSING.format("timestamp"))
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise refusal(-1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'.")
    time = int(text)
    return time // 1000 if time >= MICROSECONDS else time


def window_of(params: Mapping[str, str]) -> Decimal:
    """Return recvWindow in ms."""
    text = params.get("recvWindow", str(RECV_WINDOW_MS))
    if not _WINDOW.fullmatch(text):
        raise refusal(-1100, "Illegal characters found in parameter 'recvWindow'; legal range is '^[0-9]{1,20}$'.")
    window = Decimal(text)
    if window > MAX_RECV_WINDOW_MS:
        raise refusal(-1131, f"recvWindow must be less than {MAX_RECV_WINDOW_MS}.")
    return window


def missing_signature() -> VenueError:
    """Return the refusal of a signed call without a signature."""
    return refusal(-1102, _MISSING.format("signature"))


def _unsigned(text: str) -> str:
    return "&".join(part for part in text.split("&") if not part.startswith("signature=")) if text else ""


def _is_signed(secret: str, payload: str, signature: str) -> bool:
    if not secret.startswith("-----BEGIN"):
        proper = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(proper.encode(), signature.lower().encode())
    key = load_pem_public_key(secret.encode())
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, payload.encode())
        elif isinstance(key, RSAPublicKey):
            key.verify(raw, payload.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
