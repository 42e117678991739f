"""What a test expects of the topic of latest states, and what a client that is not ours makes of it."""

from collections.abc import Sequence
from uuid import UUID

from shared.contract.addresses import state_topic
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument, decode_document
from tests.eventually import eventually
from tests.integration.projector_world import World
from tests.integration.relay_world import read_raw
from tests.unit.projector.records import folded

STATE = "products_state"


async def table_of(world: World) -> dict[str, ProductDocument]:
    """A table made from nothing but the topic, by a client that is not ours."""
    topic = state_topic(world.settings.kafka_topic_prefix)
    servers = world.settings.kafka_bootstrap_servers
    table: dict[str, ProductDocument] = {}
    for record in await read_raw(servers, topic, isolation_level="read_committed"):
        table.pop(record.key.decode(), None)
        if record.value is not None:
            table[record.key.decode()] = decode_document(record.value)
    return table


def expected(streams: Sequence[Sequence[RecordedEvent]]) -> dict[str, ProductDocument]:
    """What the fold of the log says."""
    states = {str(stream[0].product_id): folded(stream)[1] for stream in streams}
    return {key: document for key, document in states.items() if document is not None}


async def published(world: World, product_id: UUID, stream_version: int) -> None:
    sql = "SELECT published_version FROM views.product_state WHERE product_id = $1"
    assert await world.views.fetchval(sql, product_id) == stream_version


async def all_published(world: World) -> None:
    sql = "SELECT count(*) FROM views.product_state WHERE published_version < stream_version"
    assert await world.views.fetchval(sql) == 0


async def reached(world: World, stream: Sequence[RecordedEvent]) -> None:
    await eventually(lambda: published(world, stream[0].product_id, stream[-1].stream_version), 60)
