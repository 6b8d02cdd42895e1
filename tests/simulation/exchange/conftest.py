"""One exchange on a loopback port for the tests of a file; each test begins without faults."""

from collections.abc import Iterator

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange


@pytest.fixture(scope="module")
def hosted() -> Iterator[HostedExchange]:
    with HostedExchange() as exchange:
        yield exchange


@pytest.fixture
def exchange(hosted: HostedExchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedExchange]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield hosted
    hosted.right()
    assert hosted.server.failed == ""
