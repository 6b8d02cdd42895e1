"""Requests of all kinds that a machine thinks of, after the document: no 5xx, no way in without a token."""

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis import checks as known
from schemathesis.specs.openapi import checks as openapi

from services.api.door import Limits
from tests.api.served import ENOUGH, Place, served
from tests.fakes.fake_backtests import FakeBacktests
from tests.fakes.fake_services import FakeWorld

CHECKS = [known.not_a_server_error, openapi.status_code_conformance, openapi.content_type_conformance,
          openapi.response_headers_conformance, openapi.response_schema_conformance, openapi.ignored_auth,
          openapi.unsupported_method, openapi.use_after_free]
N_EXAMPLES = 12


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    world = FakeWorld(backtests=FakeBacktests(seconds=0.0, check_s=0.0))
    with served(Place(tmp_path_factory.mktemp("api"), world, limits=Limits.of(ENOUGH))) as one:
        yield one


def requests_after(operation, send):
    """Send requests of one operation that the document allows, and that it does not."""
    @settings(max_examples=N_EXAMPLES, deadline=None, derandomize=True, database=None,
              phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck))
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
    def attempt(case):
        send(case)

    attempt()


def test_no_request_breaks_the_cockpit_or_gets_by_without_a_token(hosted):
    schema = schemathesis.openapi.from_url(f"{hosted.url}/api/openapi.json")
    asked: Counter[str] = Counter()

    def send(case):
        headers = {"Authorization": f"Bearer {hosted.trade_token}"}
        answer = case.call_and_validate(headers=headers, checks=CHECKS, timeout=20)
        asked[f"{answer.status_code // 100}xx"] += 1

    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        requests_after(operation, send)
    assert len(operations) >= 28 and min(asked["2xx"], asked["4xx"]) > len(operations), asked
