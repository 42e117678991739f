"""What every source of keys must do, a file, an issuer, or the fake; each test module inherits."""

from typing import Protocol

import pytest

from shared.access.errors import KeysUnavailable
from shared.access.keys import KeySource
from tests.tokens import signing_key


class KeysHarness(Protocol):
    """A source that at first has the keys "first" and "second"."""

    source: KeySource

    async def publish(self, *kids: str) -> None:
        """From now on there are exactly these keys, and the source may look again."""
        ...

    async def lose_all(self) -> None:
        """No key can be had any more, and those from before no longer count."""
        ...


class KeySourceSuite:
    """Inherit and provide the fixture `keys`."""

    async def test_a_key_is_found_by_its_id(self, keys: KeysHarness) -> None:
        for kid in ("first", "second"):
            found = await keys.source.find(kid)
            assert found is not None
            assert found.as_dict(private=False) == signing_key(kid).as_dict(private=False)

    async def test_an_unknown_id_finds_nothing(self, keys: KeysHarness) -> None:
        assert await keys.source.find("third") is None

    async def test_without_an_id_the_only_key_counts_and_else_none(self, keys: KeysHarness) -> None:
        assert await keys.source.find(None) is None
        await keys.publish("second")
        found = await keys.source.find(None)
        assert found is not None
        assert found.kid == "second"

    async def test_a_rotation_is_noticed(self, keys: KeysHarness) -> None:
        assert await keys.source.find("first") is not None
        await keys.publish("third")
        assert await keys.source.find("third") is not None
        assert await keys.source.find("first") is None

    async def test_no_key_to_be_had_is_another_answer_than_an_unknown_key(self, keys: KeysHarness) -> None:
        await keys.lose_all()
        with pytest.raises(KeysUnavailable):
            await keys.source.find("first")
        with pytest.raises(KeysUnavailable):
            await keys.source.check()

    async def test_keys_that_count_pass_the_check(self, keys: KeysHarness) -> None:
        await keys.source.check()
