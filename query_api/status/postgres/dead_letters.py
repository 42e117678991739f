"""Reads dead letters without the bytes of their records, which this process may not read."""

from collections.abc import Sequence
from uuid import UUID

from query_api.postgres.bounded_reads import BoundedReads
from query_api.status.ports import DeadLetter, DeadLetterPosition
from shared.postgres.sql import load_sql


class PostgresDeadLetters:
    """Adapter of `DeadLetters`."""

    def __init__(self, reads: BoundedReads) -> None:
        self._reads = reads

    async def page(
        self, projection: str | None, after: DeadLetterPosition | None, limit: int
    ) -> Sequence[DeadLetter]:
        sql = load_sql("query_api.status.postgres", "list_dead_letters")
        place = (None, None, None) if after is None else after
        letters = [DeadLetter(*row) for row in await self._reads.fetch(sql, projection, *place, limit)]
        return [
            one if one.product_id is None else one._replace(product_id=UUID(int=one.product_id.int))
            for one in letters
        ]
