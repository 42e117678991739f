"""What the suites of states ask for, over the real table and the real topic."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from projector.applying.ports import Change
from projector.state_topic.fold import ProductState
from projector.state_topic.kafka.topic import KafkaStateTopic, StateTopicSettings
from projector.state_topic.postgres import PostgresStates, ProductStateTables
from shared.contract.views import ProductDocument, encode_document
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec
from tests.integration.relay_world import read_raw
from tests.unit.projector.histories import START


class PostgresStoredStates:
    """Implements `state_suites.StoredStates`."""

    def __init__(self, read_model: Any) -> None:
        self._read_model = read_model

    async def save(self, product_id: UUID, stream_version: int, document: ProductDocument | None) -> None:
        state = ProductState(document, START)
        change = Change(product_id, stream_version, stream_version, None, state, state)
        async with self._read_model.acquire() as connection:
            await ProductStateTables(1).save(connection, [change])

    async def mend(self, product_id: UUID, document: ProductDocument) -> None:
        await self._read_model.execute(
            "UPDATE views.product_state SET document = $1 WHERE product_id = $2",
            encode_document(document),
            product_id,
        )

    def table(self, **limits: int) -> PostgresStates:
        return PostgresStates(self._read_model, projection="p", topic="t", **limits)


class KafkaTopics:
    """Implements `state_suites.Topics`."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._prefix = prefix
        self._name = f"{prefix}state"

    def topic(self) -> KafkaStateTopic:
        spec = TopicSpec(self._name, 2, configs=LATEST_PER_KEY)
        return KafkaStateTopic(
            StateTopicSettings(KafkaServers(self._bootstrap_servers), spec, f"{self._prefix}g")
        )

    async def read(self) -> Sequence[tuple[UUID, int]]:
        found = await read_raw(self._bootstrap_servers, self._name)
        return [
            (UUID(record.key.decode()), int(dict(record.headers)["ce_streamversion"])) for record in found
        ]
