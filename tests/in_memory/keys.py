"""Public keys in memory, and an issuer that can be away."""

from shared.access.errors import KeysUnavailable
from shared.access.keys import PublicKey, key_of


class InMemoryKeys:
    """`is_away`: no key can be had."""

    def __init__(self, keys: dict[str, PublicKey]) -> None:
        self.keys = keys
        self.is_away = False

    async def find(self, kid: str | None) -> PublicKey | None:
        await self.check()
        return key_of(self.keys, kid)

    async def check(self) -> None:
        if self.is_away:
            raise KeysUnavailable("away, as the test wants")
