"""Every port of the system, for the tests of a module."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.access.ports import Port, all_ports


@pytest.fixture(scope="module")
async def ports(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Port]]:
    async with all_ports(tmp_path_factory.mktemp("keys")) as made:
        yield made
