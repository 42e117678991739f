"""Public keys that stand in the settings themselves."""

from collections.abc import Mapping

from shared.access.errors import KeysUnavailable
from shared.access.keys import PublicKey, key_of


class GivenKeys:
    """They change only with a restart."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = keys

    async def find(self, kid: str | None) -> PublicKey | None:
        """As in `KeySource`."""
        await self.check()
        return key_of(self._keys, kid)

    async def check(self) -> None:
        """As in `KeySource`."""
        if not self._keys:
            raise KeysUnavailable("no key is given")
