"""The page of the manual names routes that there are, and every route that there is."""

import re
from pathlib import Path

from tests.api.served import Place

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_every_route_is_in_the_manual_and_every_path_of_the_manual_is_a_route(place: Place):
    paths = set(place.ask("GET", "/api/openapi.json").json()["paths"])
    text = MANUAL.read_text()
    for path in paths:
        shape = re.escape(path).replace(r"\{symbol\}", "BTCUSDT").replace(r"\{name\}", "dips")
        shape = shape.replace(r"\{client_id\}", "ck-1-7").replace(r"\{key\}", "BTCUSDT@1704070799999(-1)?")
        assert re.search(shape + r"(?![/\w])", text), path
    named = set(re.findall(r"/api/(?:[a-z]{3,}(?:-[a-z]+)?/?)+", text)) - {"/api/strategy", "/api/agent"}
    known = " ".join(paths)
    assert [name for name in named if name.rstrip("/") not in known] == []


def test_the_settings_of_the_api_are_in_the_table_of_settings():
    readme = (MANUAL.parents[1] / "README.md").read_text()
    assert all(f"`COCKPIT_{name}`" in readme for name in ("API_RATE", "API_ORIGINS"))
