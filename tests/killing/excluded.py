"""Points that a campaign does not visit, each with the reason: nothing but a broken program passes them."""

EXCLUDED: dict[str, str] = {}
