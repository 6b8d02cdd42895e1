"""The description of a stored model: what it is, what it was made from, the hash of each of its files and its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.folders import AGAIN, check_names, checked_bytes, sha256
from models.packing import FILES, json_bytes
from trading.domain import INTERVAL_MS
from trading.domain.learning import ModelSettings, ModelVersion
from trading.errors import ModelRefused

MANIFEST = "model.json"
KNOWN = (MANIFEST, *FILES)
FORMAT = 1
_ID = re.compile(rf"([A-Z0-9][A-Z0-9_]{{0,31}})-({'|'.join(INTERVAL_MS)})-(\d{{8}}T\d{{4}})-([0-9a-f]{{8}})")
_STATED = ("id", "symbol", "interval", "created", "trained_from", "trained_until", "n_bars", "data_hash",
           "features_hash", "code", "figures", "origin")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A description that was found whole; `version` has no status yet, drift is measured against `reference`."""

    version: ModelVersion
    ensemble: Mapping[str, Any]
    request: Mapping[str, Any]
    reference: Mapping[str, Any] | None
    hashes: Mapping[str, str]


def version_id(symbol: str, interval: str, trained_until: int, made_of: Any) -> str:
    """Return the name of a model: market, last minute of its data, and a hash of all that it is made of.

    Names of a market rise with time; the same question about the same candles has the same name.
    """
    until = datetime.fromtimestamp(trained_until / 1000, UTC).strftime("%Y%m%dT%H%M")
    return f"{symbol}-{interval}-{until}-{sha256(json_bytes(made_of))[:8]}"


def is_id(text: str) -> bool:
    """Return whether a text is the name of a model, and so safe as that of a folder."""
    return _ID.fullmatch(text) is not None


def market_of(version: str) -> tuple[str, str]:
    """Return symbol and interval of a version's name.

    Raises
    ------
    ModelRefused
        It is no such name.
    """
    found = _ID.fullmatch(version)
    if found is None:
        raise ModelRefused(f"{version[:80]!r} is not the name of a model; the page Models and --json list them")
    return found[1], found[2]


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return a description with the hash of its own text."""
    version = manifest.version
    document: dict[str, Any] = {name: getattr(version, name) for name in _STATED}
    document |= {"format": FORMAT, "leaks": list(version.leaks), "settings": asdict(version.settings),
                 "ensemble": manifest.ensemble, "request": manifest.request, "reference": manifest.reference,
                 "files": manifest.hashes}
    return json_bytes(document | {"seal": sha256(json_bytes(document))})


def read_manifest(folder: Path) -> Manifest:
    """Return the description in a folder that holds nothing but what a model is made of.

    Raises
    ------
    ModelRefused
        A file too many or too few, or a description that is damaged or of another model.
    """
    check_names(folder, KNOWN)
    path = folder / MANIFEST
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        seal = document.pop("seal")
        if seal != sha256(json_bytes(document)) or document["format"] != FORMAT:
            raise ValueError("its seal or format is another")
        version = ModelVersion(**{name: document[name] for name in _STATED}, leaks=tuple(document["leaks"]),
                               settings=ModelSettings(**document["settings"]), status="challenger", votes=False)
        hashes = document["files"]
        if version.id != folder.name or set(hashes) != set(FILES):
            raise ValueError(f"it describes {version.id}")
        return Manifest(version, document["ensemble"], document["request"], document["reference"], hashes)
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelRefused(f"{path}: damaged or of another model ({error}); {AGAIN}") from None


def check_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """Return all files of a model, each with the hash that was written.

    Raises
    ------
    ModelRefused
        One of them is another.
    """
    return {name: checked_bytes(folder / name, digest) for name, digest in manifest.hashes.items()}
