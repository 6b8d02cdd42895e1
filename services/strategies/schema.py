"""The JSON Schema of strategy documents; `python -m services.strategies` writes the shipped file."""

from __future__ import annotations

import json
from typing import Any

from services.strategies.form1 import Form1
from services.strategies.version2 import Version2Form


def schema() -> dict[str, Any]:
    """Return the schema: version 2, or form 1, which loads unchanged."""
    from pydantic.json_schema import models_json_schema

    refs, found = models_json_schema([(Version2Form, "validation"), (Form1, "validation")])
    any_of = [refs[(Version2Form, "validation")], refs[(Form1, "validation")]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Strategy", "anyOf": any_of,
            "$defs": found["$defs"]}


def schema_text() -> str:
    """Return the text of the shipped file."""
    return json.dumps(schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
