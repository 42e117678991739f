"""The rows that a process has made from the log: bounded, and only a base for a newer version."""

from uuid import UUID

from query_api.errors import CacheUnavailable
from query_api.products.cached_rows import unpacked_row
from query_api.products.made_rows import MadeRows
from query_api.products.ports import ProductRow
from query_api.products.written import WrittenProducts
from shared.contract.cached_document import pack
from shared.contract.consistency_token import ConsistencyToken

A, B, C = (UUID(int=number) for number in range(3))


def row(product_id: UUID, version: int, body: bytes | None = b"{}") -> ProductRow:
    return ProductRow(product_id, version, body)


def test_the_oldest_go_if_there_are_too_many_rows_or_bytes() -> None:
    made = MadeRows(rows_max=2, bytes_max=10)
    for each in (row(A, 1), row(B, 1), row(A, 2), row(C, 1)):
        made.keep(each)
    assert [made.of(one) for one in (A, B, C)] == [row(A, 2), None, row(C, 1)]
    made.keep(row(B, 2, b"123456789"))
    assert [made.of(one) for one in (A, B, C)] == [None, row(B, 2, b"123456789"), None]
    made.keep(row(C, 2, b"1234567890"))
    assert [made.of(one) for one in (B, C)] == [None, row(C, 2, b"1234567890")]
    made.forget(C)
    assert made.of(C) is None


class _Log:
    """Has these versions; asked for one after another row, it remembers which."""

    def __init__(self) -> None:
        self.newest = 1
        self.bases: list[int | None] = []

    async def at_least(
        self, product_id: UUID, stream_version: int, held: ProductRow | None
    ) -> ProductRow | None:
        self.bases.append(None if held is None else held.stream_version)
        return row(product_id, self.newest) if self.newest >= stream_version else None


class _Cache:
    """Holds one row, or is away; it counts how often it is asked for the newest state."""

    def __init__(self, held: ProductRow | None = None, *, is_away: bool = False) -> None:
        self.held = held
        self.is_away = is_away
        self.reads = 0

    async def read(self, product_id: str) -> bytes | None:
        self.reads += 1
        return await self.glance(product_id)

    async def glance(self, product_id: str) -> bytes | None:
        return None if self.held is None else pack(self.held.stream_version, self.held.body)

    async def fill(self, row: ProductRow) -> bool:
        if self.is_away:
            raise CacheUnavailable("away")
        if self.held is not None and self.held.stream_version >= row.stream_version:
            return False
        self.held = row
        return True


class _Source:
    cache = "hit"


class World:
    """One process over a log and a cache."""

    def __init__(self, cache: _Cache) -> None:
        self.log, self.cache = _Log(), cache
        made = MadeRows(rows_max=10, bytes_max=1000)
        self._written = WrittenProducts(self.log, cache, made)  # type: ignore[arg-type]

    async def read(self, version: int) -> int | None:
        """The version that a reader with the token of this version gets."""
        token = ConsistencyToken({0: version}, product_id=A, stream_version=version)
        value = await self._written.packed(A, token, _Source())  # type: ignore[arg-type]
        found = None if value is None else unpacked_row(A, value)
        return None if found is None else found.stream_version


async def test_a_first_version_and_the_next_ones_are_read_from_the_log_alone() -> None:
    world = World(_Cache(is_away=True))
    for version in (1, 2):
        world.log.newest = version
        assert await world.read(version) == version
    assert (world.log.bases, world.cache.reads) == ([None, 1], 0)


async def test_who_asks_again_for_what_was_made_gets_it_from_the_cache() -> None:
    world = World(_Cache())
    world.log.newest = 2
    assert [await world.read(version) for version in (1, 1, 2)] == [2, 2, 2]
    assert (world.log.bases, world.cache.reads) == ([None], 2)


async def test_a_row_that_the_log_did_not_continue_is_forgotten() -> None:
    world = World(_Cache(is_away=True))
    assert await world.read(1) == 1
    assert await world.read(2) is None
    assert (world.log.bases, world.cache.reads) == ([None, 1, None], 1)
    world.log.newest = 2
    assert await world.read(2) == 2
    assert world.log.bases[-1] is None


async def test_no_answer_is_older_than_what_the_cache_has_shown_to_others() -> None:
    world = World(_Cache(row(A, 7)))
    assert await world.read(1) == 7  # a page of the log may end before the newest event
    world.cache.held = row(A, 9)
    world.log.newest = 8
    assert await world.read(8) == 9
    assert world.cache.held == row(A, 9)
