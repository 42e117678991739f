"""The rows that a process has made from the log: bounded, and only a base for a newer version."""

from uuid import UUID

from query_api.errors import CacheUnavailable
from query_api.products.cached_rows import unpacked_row
from query_api.products.made_rows import MadeRows
from query_api.products.ports import ProductRow
from query_api.products.written import WrittenProducts
from shared.contract.consistency_token import ConsistencyToken

A, B, C = (UUID(int=number) for number in range(3))


def row(product_id: UUID, version: int, body: bytes | None = b"{}") -> ProductRow:
    return ProductRow(product_id, version, body)


def test_a_row_is_a_base_for_newer_versions_alone() -> None:
    made = MadeRows(rows_max=10, bytes_max=1000)
    made.keep(row(A, 3))
    assert made.before(A, 4) == row(A, 3)
    assert (made.before(A, 3), made.before(B, 4)) == (None, None)
    made.forget(A)
    assert made.before(A, 4) is None


def test_the_oldest_go_if_there_are_too_many_rows_or_bytes() -> None:
    made = MadeRows(rows_max=2, bytes_max=10)
    for each in (row(A, 1), row(B, 1), row(A, 2), row(C, 1)):
        made.keep(each)
    assert [made.before(one, 9) for one in (A, B, C)] == [row(A, 2), None, row(C, 1)]
    made.keep(row(B, 2, b"123456789"))
    assert [made.before(one, 9) for one in (A, B, C)] == [None, row(B, 2, b"123456789"), None]
    made.keep(row(C, 2, b"1234567890"))
    assert [made.before(one, 9) for one in (B, C)] == [None, row(C, 2, b"1234567890")]


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


class _NoCache:
    """Redis is away; it counts how often it is asked."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, product_id: str) -> bytes | None:
        self.reads += 1
        return None

    async def fill(self, row: ProductRow) -> None:
        raise CacheUnavailable("away")


class _Source:
    cache = "hit"


async def test_the_next_write_of_a_product_is_read_from_the_log_alone() -> None:
    log, cache = _Log(), _NoCache()
    written = WrittenProducts(log, cache, MadeRows(rows_max=10, bytes_max=1000))  # type: ignore[arg-type]

    async def read(version: int) -> int | None:
        token = ConsistencyToken({0: version}, product_id=A, stream_version=version)
        value = await written.packed(A, token, _Source())  # type: ignore[arg-type]
        found = None if value is None else unpacked_row(A, value)
        return None if found is None else found.stream_version

    assert await read(1) == 1
    log.newest = 2
    assert await read(2) == 2
    assert (log.bases, cache.reads) == ([None, 1], 1)
    assert await read(2) == 2, "one that is as new is no base"
    assert (log.bases, cache.reads) == ([None, 1, None], 2)
    assert await read(3) is None
    assert (log.bases, cache.reads) == ([None, 1, None, 2, None], 3)
    log.newest = 3
    assert await read(3) == 3
    assert log.bases[-1] is None, "a row that the log did not continue is forgotten"
