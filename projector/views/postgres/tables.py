"""What differs between the views in PostgreSQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

from projector.applying.ports import Change, Held, S

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy


class AtOnce(NamedTuple):
    """The statement of an ordinary batch, and its arguments from the tenth on."""

    sql: str
    columns: Sequence[Any]


class Tables(Protocol[S]):
    """The statements of one view, for tables in one schema (`statements.py`).

    They run on the batch's connection and raise asyncpg's errors.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that a rebuild builds again, without their schema."""

    @property
    def at_once(self) -> Callable[[Sequence[Change[S]]], AtOnce | None] | None:
        """Writes changes, at least one, and moves the checkpoints in one statement; its answer is None if
        these take several. The tenth argument is the product ids.

        None: batches of this view always take a transaction.
        """

    async def held(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", product_ids: Collection[UUID]
    ) -> Mapping[UUID, Held[S]]:
        """These products as the tables have them."""

    async def save(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[S]]
    ) -> None:
        """Write the changes, at least one; a row that is as new or newer stays."""

    async def load(
        self, connection: "PoolConnectionProxy[asyncpg.Record]", changes: Sequence[Change[S]]
    ) -> None:
        """Write changes of products that the tables do not have, in bulk: the first pass of a rebuild.

        Called several times in a transaction, and by several workers at once.
        """
