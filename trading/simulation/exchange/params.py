"""Parameters of a request: text that came over the wire, read as what it should be or refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trading.simulation.exchange.refusals import refusal

AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_LONG = re.compile(r"[0-9]{1,19}")
CLIENT_ID = re.compile(r"[a-zA-Z0-9\-_]{1,36}")


class Params(dict[str, str]):
    """A request's parameters by name.

    An empty value is -1105 as on Binance, a missing one -1102, one of the wrong form -1100. `spelled` says how a leg's
    parameter was called in the request, so that a refusal names it right.
    """

    def __init__(self, given: Mapping[str, str], spelled: Mapping[str, str] | None = None) -> None:
        super().__init__(given)
        self._spelled = spelled or {}

    def text(self, name: str) -> str:
        """Return a mandatory value."""
        value = self.get(name)
        if value is None:
            sent = self._name(name)
            raise refusal(-1102, f"Mandatory parameter '{sent}' was not sent, was empty/null, or malformed.")
        if not value:
            raise refusal(-1105, f"Parameter '{self._name(name)}' was empty.")
        return value

    def maybe(self, name: str) -> str | None:
        """Return an optional value, None when it was not sent."""
        return self.text(name) if name in self else None

    def long(self, name: str) -> int:
        """Return a mandatory integer."""
        value = self.text(name)
        if not _LONG.fullmatch(value):
            raise illegal(self._name(name), r"^[0-9]{1,20}$")
        return int(value)

    def maybe_long(self, name: str) -> int | None:
        """Return an optional integer."""
        return self.long(name) if name in self else None

    def limit(self, default: int, highest: int) -> int:
        """Return `limit`: above the highest it is cut, below 1 it is refused."""
        limit = self.long("limit") if "limit" in self else default
        if limit < 1:
            raise refusal(-1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.")
        return min(limit, highest)

    def amount(self, name: str, precision: int) -> int | None:
        """Return an optional decimal in units of 10^-precision; exponents, signs, commas are refused."""
        if name not in self:
            return None
        value = self.text(name)
        if not AMOUNT.fullmatch(value):
            raise illegal(self._name(name), r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
        whole, _, part = value.partition(".")
        part = part.rstrip("0")
        if len(part) > precision:
            raise refusal(-1111, f"Parameter '{self._name(name)}' has too much precision.")
        return int(whole + part.ljust(precision, "0"))

    def client_id(self, name: str) -> str | None:
        """Return an optional client order id."""
        value = self.maybe(name)
        if value is not None and not CLIENT_ID.fullmatch(value):
            raise illegal(self._name(name), r"^[a-zA-Z0-9-_]{1,36}$")
        return value

    def flag(self, name: str) -> bool:
        """Return an optional boolean, false when it was not sent."""
        value = (self.maybe(name) or "false").lower()
        if value not in ("true", "false"):
            raise illegal(self._name(name), "^(true|false)$")
        return value == "true"

    def _name(self, name: str) -> str:
        return self._spelled.get(name, name)


def illegal(name: str, legal: str) -> Exception:
    """Return the refusal of a value of the wrong form."""
    return refusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
