"""The OpenAPI document is complete: every answer has a shape, every error is a problem, every body an example."""

import pytest
from jsonschema import Draft202012Validator

METHODS = ("get", "post", "put", "delete")
PROMISED = [
    ("post", "/api/strategies/save"), ("get", "/api/strategies/list"), ("get", "/api/strategies/{symbol}"),
    ("get", "/api/strategies/{symbol}/{name}"), ("put", "/api/strategies/{symbol}/{name}"),
    ("delete", "/api/strategies/{symbol}/{name}"), ("get", "/api/strategies/{symbol}/{name}/performance"),
    ("post", "/api/backtest"), ("get", "/api/backtest/results"), ("get", "/api/profits"),
    ("post", "/api/binance/connect"), ("get", "/api/binance/ohlcv"), ("get", "/api/binance/prices"),
    ("get", "/api/binance/symbols"), ("get", "/api/portfolio/positions"), ("post", "/api/trades/execute"),
    ("get", "/api/orders"), ("post", "/api/start"), ("post", "/api/stop"), ("post", "/api/pause"),
    ("post", "/api/kill"), ("get", "/api/metrics"),
]


@pytest.fixture(scope="module")
def document(place):
    return place.ask("GET", "/api/openapi.json").json()


def operations(document):
    return [(method, path, operation) for path, methods in document["paths"].items()
            for method, operation in methods.items()]


@pytest.mark.parametrize(("method", "path"), PROMISED)
def test_every_route_that_was_promised_is_there(document, method, path):
    assert method in document["paths"][path]


def test_the_document_names_the_token_and_every_error_as_a_problem(document):
    assert document["openapi"].startswith("3.1") and document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for method, path, operation in operations(document):
        closed = operation.get("security") != []
        assert operation["summary"] and operation["description"] and operation["tags"], path
        if closed:
            assert {"401", "429", "500"} <= set(operation["responses"]), path
            assert ("403" in operation["responses"]) == (method != "get")
        for status, answer in operation["responses"].items():
            assert status < "400" or list(answer["content"]) == ["application/problem+json"], (path, status)


def test_operations_have_names_that_a_client_can_use(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) and all(name.isidentifier() for name in names)
    assert {"orders_cancel", "controls_kill", "strategies_save"} <= set(names)


def test_every_reference_leads_somewhere_and_every_schema_is_one(document):
    def references(value):
        if isinstance(value, dict):
            yield from ([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for part in value.values():
                yield from references(part)
        elif isinstance(value, list):
            for part in value:
                yield from references(part)

    schemas = document["components"]["schemas"]
    assert {name.rpartition("/")[2] for name in references(document)} <= set(schemas)
    assert "HTTPValidationError" not in schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_every_answer_and_every_body_has_a_shape(document):
    for method, path, operation in operations(document):
        if path == "/api/openapi.json":
            continue
        for status in {"200", "201"} & set(operation["responses"]):
            content = operation["responses"][status]["content"]["application/json"]["schema"]
            assert content, (method, path)
        for parameter in operation.get("parameters", ()):
            assert parameter["schema"], (path, parameter["name"])


def test_a_body_that_has_to_be_sent_brings_its_own_examples(document, place):
    for _, path, operation in operations(document):
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        found = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        for name in found.get("required", ()):
            field = found["properties"][name]
            assert field.get("examples") or field.get("enum"), (path, name)
