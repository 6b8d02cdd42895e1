"""`--mode keys token add NAME [--scope trade] | list | revoke NAME`: who may use the REST API."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from services.documents import write_document
from services.keys.tokens import READ, Token, TokenBook
from trading.errors import BadInput

ACTIONS = ("add", "list", "revoke")
USE = "python main.py --mode keys token add NAME [--scope trade], token list, or token revoke NAME"


def token_command(book: TokenBook, words: Sequence[str], scope: str | None, target: str | None) -> int:
    """Do what the words say."""
    action, names = (words[0], words[1:]) if words else ("", ())
    if action not in ACTIONS or len(names) != (action != "list"):
        raise BadInput(f"--mode keys token needs to know what to do: {USE}")
    if action == "list":
        return list_tokens(book, target)
    return add_token(book, names[0], scope or READ) if action == "add" else revoke_token(book, names[0])


def add_token(book: TokenBook, name: str, scope: str) -> int:
    """Make a token and show it, this once: its text alone goes to standard output."""
    made, text = book.add(name, scope)
    may = "may trade" if made.may_trade else "may read, not change anything"
    print(f"token {made.name} ({made.id}) {may}; it is shown this once, only its hash is kept:", file=sys.stderr)
    print(text)
    return 0


def list_tokens(book: TokenBook, target: str | None) -> int:
    """Show what is known of the tokens."""
    tokens = book.tokens()
    if target:
        write_document({"tokens": [document(token) for token in tokens]}, target)
    if target != "-":
        print("\n".join(map(line, tokens)) if tokens else f"there are no tokens yet: {USE}")
    return 0


def revoke_token(book: TokenBook, name: str) -> int:
    """Withdraw a token."""
    gone = book.revoke(name)
    print(f"token {gone.name} ({gone.id}) is withdrawn; its next request is refused")
    return 0


def document(token: Token) -> dict[str, object]:
    """Return JSON values; the hash is not among them."""
    return {"id": token.id, "name": token.name, "scope": token.scope, "created": token.created,
            "last_used": token.last_used}


def line(token: Token) -> str:
    """Return a token as one line."""
    used = "never used" if token.last_used is None else f"last used {_day(token.last_used)}"
    return f"{token.id}  {token.scope:<5}  {token.name:<24}  made {_day(token.created)}, {used}"


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
