"""Every source of keys passes the same suite: a file, an issuer over real HTTP, and the fake."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from shared.access.given_keys import GivenKeys
from shared.access.issuer_keys import IssuerKeys, KeyTimes
from shared.access.key_fetch import KeyFetch
from shared.access.key_file import FileKeys
from tests.in_memory.keys import InMemoryKeys
from tests.tokens import public_document, public_keys
from tests.unit.access.issuer_stand_in import IssuerStandIn, issuer_stand_in
from tests.unit.access.key_source_suite import KeySourceSuite

TIMES = KeyTimes(refresh=300, cool_down=10, stale_max=86_400)


class _InMemory:
    def __init__(self) -> None:
        self.source = InMemoryKeys(public_keys("first", "second"))

    async def publish(self, *kids: str) -> None:
        self.source.keys = public_keys(*kids)

    async def lose_all(self) -> None:
        self.source.is_away = True


class TestInMemoryKeys(KeySourceSuite):
    @pytest.fixture
    def keys(self) -> _InMemory:
        return _InMemory()


class _Given:
    """A change of the settings is another process."""

    def __init__(self) -> None:
        self.source = GivenKeys(public_keys("first", "second"))

    async def publish(self, *kids: str) -> None:
        self.source = GivenKeys(public_keys(*kids))

    async def lose_all(self) -> None:
        self.source = GivenKeys({})


class TestGivenKeys(KeySourceSuite):
    @pytest.fixture
    def keys(self) -> _Given:
        return _Given()


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(public_document("first", "second"))
        self.source = FileKeys(path)

    async def publish(self, *kids: str) -> None:
        """As Kubernetes changes a mounted file: a new one takes the place of the old."""
        new = self._path.with_suffix(".new")
        new.write_bytes(public_document(*kids))
        os.replace(new, self._path)

    async def lose_all(self) -> None:
        """A process that never saw a usable file."""
        self._path.write_text("half a fi")
        self.source = FileKeys(self._path)


class TestFileKeys(KeySourceSuite):
    @pytest.fixture
    def keys(self, tmp_path: Path) -> _File:
        return _File(tmp_path / "keys.json")

    async def test_a_changed_file_that_is_not_usable_leaves_the_keys_from_before(
        self, keys: _File, tmp_path: Path
    ) -> None:
        assert await keys.source.find("first") is not None
        (tmp_path / "keys.json").write_text("half a fi")
        assert await keys.source.find("first") is not None
        (tmp_path / "keys.json").unlink()
        assert await keys.source.find("first") is not None
        await keys.publish("third")
        assert await keys.source.find("first") is None


class _Issuer:
    def __init__(self, issuer: IssuerStandIn, client: httpx.AsyncClient) -> None:
        self.now = 0.0
        self._issuer = issuer
        issuer.publish("/keys", public_document("first", "second"))
        fetch = KeyFetch(client, "https://issuer.test", f"{issuer.url}/keys", seconds_max=5)
        self.source = IssuerKeys(fetch, TIMES, lambda: self.now)

    async def publish(self, *kids: str) -> None:
        self._issuer.publish("/keys", public_document(*kids))
        self.now += TIMES.cool_down
        if await self.source.find("asks, so that it is fetched") is not None:
            raise AssertionError

    async def lose_all(self) -> None:
        self._issuer.publish("/keys", b"", "503 Service Unavailable")
        self.now += TIMES.stale_max + 1


class TestIssuerKeys(KeySourceSuite):
    @pytest.fixture
    async def keys(self) -> AsyncIterator[_Issuer]:
        async with issuer_stand_in() as issuer, httpx.AsyncClient(trust_env=False, timeout=30) as client:
            yield _Issuer(issuer, client)
