"""The indexes of the search in OpenSearch, and which of them is live: the one behind the alias that readers
use.

Each index also has an alias of its own, and every write goes through that. OpenSearch makes an index with
guessed fields for a name that it does not know; it does that for no alias (`require_alias`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from projector.errors import CannotGoOn, Unavailable
from projector.views.search_index.opensearch.answers import (
    Stored,
    Written,
    failed_shards,
    read_aliases,
    read_found,
    read_written,
)
from projector.views.search_index.opensearch.failures import SERVER, translated
from shared.search.opensearch.client import OpenSearchClient, OpenSearchRefused
from shared.search.opensearch.mapping import alias_of, index_body, index_name

KEYS_PER_REQUEST_MAX = 500
WRITES_PER_REQUEST_MAX = 1_000
BYTES_PER_REQUEST_MAX = 4_000_000
_ATTEMPTS_MAX = 3
_IS_THERE = "resource_already_exists_exception"
_encode = msgspec.json.Encoder().encode


class Write(NamedTuple):
    """`action`: `index` or `create`; `terms`: the action's conditions, such as a version."""

    action: str
    key: str
    terms: Mapping[str, Any]
    source: Mapping[str, Any]


class SearchIndexes:
    """Of one installation and one scheme. Methods raise `Unavailable`."""

    def __init__(self, client: OpenSearchClient, prefix: str, *, shards: int, replicas: int) -> None:
        self.alias = alias_of(prefix)
        self._client = client
        self._prefix = prefix
        self._shards = shards
        self._replicas = replicas

    def name(self, number: int) -> str:
        """The index with this number."""
        return index_name(self._prefix, number)

    async def check(self) -> None:
        """Whether OpenSearch answers this user."""
        await self._aliases()

    async def live(self) -> int | None:
        """The index that readers see; None: there is none. Raises `CannotGoOn`."""
        _, live = await self.numbers()
        return live

    async def numbers(self) -> tuple[list[int], int | None]:
        """All indexes, and the one that readers see. Raises `CannotGoOn`."""
        found = await self._aliases()
        live = [number for number, aliases in found.items() if self.alias in aliases]
        if len(live) > 1:
            raise CannotGoOn(f"the alias {self.alias} has more than one index in {SERVER}: {sorted(live)}")
        return sorted(found), live[0] if live else None

    async def make(self, number: int, *, is_live: bool = False) -> bool:
        """An empty index; False: there is one with this number. It gets its replicas when it is filled."""
        name = self.name(number)
        body = {
            **index_body(shards=self._shards, replicas=self._replicas if is_live else 0),
            "aliases": {_for_writes(name): {}} | ({self.alias: {}} if is_live else {}),
        }
        try:
            await self._ask("PUT", name, body)
        except Unavailable as error:
            if isinstance(error.__cause__, OpenSearchRefused) and error.__cause__.kind == _IS_THERE:
                return False
            raise
        return True

    async def complete(self, number: int) -> None:
        """It is filled: it gets its replicas, and what was written becomes visible."""
        name = self.name(number)
        await self._ask("PUT", f"{name}/_settings", {"index": {"number_of_replicas": self._replicas}})
        await self.refresh(name)

    async def make_live(self, number: int) -> None:
        """In one step, in place of the one before; again if another process made one live meanwhile."""
        for _ in range(_ATTEMPTS_MAX):
            found = await self._aliases()
            live = [one for one, aliases in found.items() if self.alias in aliases]
            if live == [number]:
                return
            steps = [("add", number), *(("remove", one) for one in live if one != number)]
            actions = [{step: {"index": self.name(one), "alias": self.alias}} for step, one in steps]
            await self._ask("POST", "_aliases", {"actions": actions})
        raise Unavailable(f"{SERVER}: the alias {self.alias} moves all the time")

    async def drop(self, number: int) -> None:
        """It may be gone already."""
        await self._ask("DELETE", f"{self.name(number)}?ignore_unavailable=true")

    async def get(self, where: str, keys: Collection[str]) -> dict[str, Stored]:
        """The documents with these keys as they are now, also if no search sees them yet. `where`: an index,
        or the alias.
        """
        wanted = list(keys)
        found: dict[str, Stored] = {}
        for start in range(0, len(wanted), KEYS_PER_REQUEST_MAX):
            body = {"ids": wanted[start : start + KEYS_PER_REQUEST_MAX]}
            found |= read_found(await self._ask("POST", f"{where}/_mget", body))
        return found

    async def write(self, name: str, writes: Iterable[Write]) -> list[Written]:
        """Into one index, in requests of bounded size. Also raises `Refused`."""
        written: list[Written] = []
        for body in requests_of(writes):
            path = f"{_for_writes(name)}/_bulk?require_alias=true"
            with translated(has_values=True):
                answer = await self._client.request("POST", path, body, is_lines=True)
            written += read_written(answer)
        return written

    async def refresh(self, name: str) -> None:
        """From now on searches see what was written before."""
        if failed_shards(await self._ask("POST", f"{_for_writes(name)}/_refresh")):
            raise Unavailable(f"{SERVER}: a shard of {name} cannot be refreshed")

    async def _aliases(self) -> dict[int, list[str]]:
        before = f"{self.alias}-"
        found = read_aliases(await self._ask("GET", f"{before}*/_alias"))
        numbers = ((name.removeprefix(before), aliases) for name, aliases in found.items())
        return {int(number): aliases for number, aliases in numbers if number.isdecimal()}

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        with translated():
            return await self._client.request(method, path, None if body is None else _encode(body))


def _for_writes(name: str) -> str:
    return f"{name}-writes"


def requests_of(writes: Iterable[Write]) -> Iterator[bytes]:
    """The bodies of `_bulk`: bounded, but a single document may be larger."""
    lines: list[bytes] = []
    size = 0
    for one in writes:
        action, source = _encode({one.action: {"_id": one.key, **one.terms}}), _encode(one.source)
        more = len(action) + len(source)
        if lines and (size + more > BYTES_PER_REQUEST_MAX or len(lines) >= 2 * WRITES_PER_REQUEST_MAX):
            yield b"\n".join([*lines, b""])
            lines, size = [], 0
        lines += (action, source)
        size += more
    if lines:
        yield b"\n".join([*lines, b""])
