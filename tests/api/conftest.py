"""One served cockpit for the tests of a file."""

import pytest

from tests.api.served import Place, served


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with served(Place(tmp_path_factory.mktemp("api"))) as one:
        yield one
