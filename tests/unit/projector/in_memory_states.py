"""What the suites of states ask for, over the table and the topic in memory."""

from collections.abc import Sequence
from uuid import UUID

from shared.contract.views import ProductDocument, encode_document
from tests.in_memory.states import InMemoryStateTable, InMemoryStateTopic


class InMemoryStoredStates:
    """Implements `state_suites.StoredStates`."""

    def __init__(self) -> None:
        self._table = InMemoryStateTable()

    async def save(self, product_id: UUID, stream_version: int, document: ProductDocument | None) -> None:
        self._table.save(product_id, stream_version, None if document is None else encode_document(document))

    async def mend(self, product_id: UUID, document: ProductDocument) -> None:
        self._table.rows[product_id].document = encode_document(document)

    def table(self, *, states_max: int = 500, bytes_max: int = 1 << 22) -> InMemoryStateTable:
        self._table.limits = (states_max, bytes_max)
        return self._table


class InMemoryTopics:
    """Implements `state_suites.Topics`."""

    def __init__(self) -> None:
        self._topic = InMemoryStateTopic()

    def topic(self) -> InMemoryStateTopic:
        return self._topic

    async def read(self) -> Sequence[tuple[UUID, int]]:
        return [(one.product_id, one.stream_version) for one in self._topic.records[0]]
