"""A catalogue that goes on while a view is rebuilt beside itself, and what its readers must then see."""

from typing import Any

import pytest

from shared.contract import events as e
from shared.contract.addresses import cache_generation_key
from shared.contract.cached_document import unpack
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import encode_document
from tests.integration.projector_commands import command_json
from tests.integration.projector_world import World
from tests.unit.projector.histories import created, history, new_product_id, priced
from tests.unit.projector.records import folded


class Writer:
    """Appends and publishes histories as the command API and the relay do: positions without holes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.position = 0
        self.streams: list[list[RecordedEvent]] = []

    async def happen(self, *happened: e.ProductEvent) -> list[RecordedEvent]:
        stream = history(new_product_id(), *happened, first_position=self.position + 1)
        self.position += len(stream)
        self.streams.append(stream)
        await self.keep(stream)
        await self._world.publish(stream)
        await self.published()
        return stream

    async def keep(self, events: list[RecordedEvent]) -> None:
        await self._world.append(events)
        await self._world.store.execute(
            "INSERT INTO catalogue.streams"
            " SELECT product_id, max(stream_version), min(position), max(position)"
            " FROM catalogue.events WHERE product_id = $1 GROUP BY 1"
            " ON CONFLICT (product_id) DO UPDATE SET stream_version = excluded.stream_version,"
            " last_position = excluded.last_position",
            events[0].product_id,
        )

    async def published(self) -> None:
        await self._world.store.execute(
            "INSERT INTO catalogue.relay_cursor VALUES ('kafka', $1)"
            " ON CONFLICT (relay) DO UPDATE SET log_position = excluded.log_position",
            self.position,
        )

    async def all_shown(self) -> None:
        for stream in self.streams:
            await self._world.table_shows(stream[0].product_id, stream[-1].stream_version)


@pytest.fixture
def writer(world: World) -> Writer:
    return Writer(world)


async def some_products(writer: Writer) -> None:
    for number in range(30):
        await writer.happen(
            created(f"Shirt {number}", slug=f"shirt-{number}"), priced("2.00"), e.ProductPublished()
        )
    await writer.happen(created(slug="gone"), e.ProductDeleted())


async def parked_products(world: World, product_ids: list[Any]) -> None:
    rows = await world.views.fetch("SELECT product_id FROM views.parked_product")
    assert [row["product_id"] for row in rows] == product_ids


async def verify(world: World, *arguments: str, code: int = 0) -> dict[str, Any]:
    """By projection."""
    results = await command_json(world, "verify", *arguments, code=code)
    return {one["projection"]: one for one in results}


async def generation(world: World) -> int:
    return int(await world.redis.get(cache_generation_key(world.settings.redis_key_prefix)) or 0)


async def cached_now(world: World, product_id: Any) -> Any:
    (key,) = (await world.live_keys(product_id)).of([product_id])
    value = await world.redis.get(key)
    return None if value is None else unpack(value)


async def all_cached(world: World, writer: Writer) -> None:
    for stream in writer.streams:
        version, document = folded(stream)
        cached = await cached_now(world, stream[0].product_id)
        assert cached is not None
        assert cached.stream_version == version
        assert cached.is_deleted == (document is None)
        if document is not None:
            assert cached.body == encode_document(document)
