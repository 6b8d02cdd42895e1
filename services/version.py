"""The cockpit's version and that of its code, part of every result."""

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from trading.compiled import source_hash

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parents[1]
DECIDING = ("services", "storage")  # beside the trading core


@cache
def training_version() -> str:
    """Return a short hash over the sources and libraries that a trained model may depend on, read once."""
    digest = hashlib.sha256(source_hash().encode())
    for path in sorted((ROOT / "models").glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    for library in ("numpy", "scikit-learn", "xgboost-cpu" if sys.platform == "linux" else "xgboost"):
        digest.update(f"{library} {metadata.version(library)}".encode())
    return digest.hexdigest()[:16]


@cache
def code_version() -> str:
    """Return a short hash over the sources that a result may depend on, read once."""
    digest = hashlib.sha256(source_hash().encode())
    for path in sorted(path for folder in DECIDING for path in (ROOT / folder).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
