"""Text made fit to be logged: without key, secret and signature."""

from __future__ import annotations

import logging
import re

from trading.binance.endpoints import Credentials

HIDDEN = "***"
LONGEST = 200
UNHEARD = logging.Logger("binance-unheard", logging.CRITICAL + 1)
"""For libraries that log frames and addresses whole, and call every orderly close an error."""
_SIGNATURE = re.compile(r"((?:signature|apiKey|X-MBX-APIKEY)\W{1,5})[\w%+/=.-]+", re.IGNORECASE)


def redacted(text: object, credentials: Credentials | None = None) -> str:
    """Return a text in one printable line, cut to `LONGEST` characters, with nothing secret in it."""
    line = " ".join(str(text)[: 20 * LONGEST].split())
    line = "".join(sign if sign.isprintable() else "?" for sign in line)
    for secret in (credentials.key, credentials.secret) if credentials else ():
        if secret:
            line = line.replace(" ".join(secret.split()), HIDDEN)
    return _SIGNATURE.sub(rf"\1{HIDDEN}", line)[:LONGEST]
