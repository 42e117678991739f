"""One process of event-store clients: DSN, clients, seconds -> JSON with rate and latencies."""

import asyncio
import json
import sys
import time
from statistics import median, quantiles
from uuid import UUID

import msgspec
import uvloop
from uuid_utils.compat import uuid4, uuid7

from command_api.executing.ports import Append, Appended, KeyedAnswer, NewEvent
from command_api.postgres.event_store import PostgresEventStore
from command_api.postgres.writer_connection import WriterConnection
from shared.contract.codec import encode_event
from shared.contract.events import Money, PriceChanged, ProductCreated, ProductEvent, Variant
from shared.contract.recorded_event import EventMetadata
from shared.postgres.pool import create_pool

VERSIONS = 5
WARM_UP_SECONDS = 0.5


async def main(dsn: str, clients: int, seconds: float) -> dict[str, float]:
    """Clients in a closed loop, each on its own products: a create, then four price changes."""
    pool = await create_pool(
        dsn, application_name="bench", size_max=2, statement_timeout_seconds=5, connect_timeout_seconds=5
    )
    writer = WriterConnection(dsn, connect_timeout_seconds=5, call_timeout_seconds=10, recovery_seconds_max=5)
    store = PostgresEventStore(pool, writer)
    counted_from = time.perf_counter() + WARM_UP_SECONDS
    until = counted_from + seconds
    latencies: list[float] = []
    commands = 0

    async def client(number: int) -> None:
        nonlocal commands
        run = f"{time.time_ns():x}-{number}"
        product = 0
        while time.perf_counter() < until:
            product += 1
            product_id, position = uuid7(), 0
            for version in range(VERSIONS):
                append = _append(product_id, f"{run}-{product}", version, position)
                started = time.perf_counter()  # prepared before, like the rows of the plain insert
                outcome = await store.append(append)
                assert isinstance(outcome, Appended), outcome
                position = outcome.last_position
                commands += 1
                if started >= counted_from:
                    latencies.append(time.perf_counter() - started)

    await asyncio.gather(*map(client, range(clients)))
    await store.close()
    return {
        "commands": commands,
        "rate": len(latencies) / seconds,
        "median_milliseconds": median(latencies) * 1000,
        "p99_milliseconds": quantiles(latencies, n=100)[98] * 1000,
    }


def _append(product_id: UUID, name: str, version: int, position: int) -> Append:
    body = f'{{"id":"{product_id}","version":{version + 1},"status":"draft","slug":"ocean-{name}"}}'.encode()
    answer = KeyedAnswer(uuid4(), uuid4(), 200, body)
    sku = f"OBS-{name}-M"
    if version == 0:
        claims = frozenset([("s", f"ocean-{name}"), ("k", sku)])
        return Append(product_id, 0, 0, [_event(_created(name, sku))], claims, answer=answer)  # type: ignore[arg-type]
    changed = PriceChanged(sku, Money("45.00", "USD"), Money("50.00", "USD"))
    return Append(product_id, version, position, [_event(changed)], answer=answer)


def _created(name: str, sku: str) -> ProductCreated:
    return ProductCreated(
        slug=f"ocean-{name}",
        name=f"Ocean Blue Shirt {name}",
        variants=(Variant(sku, {"size": "M"}, Money("50.00", "USD")),),
        description="A shirt as blue as the ocean",
        brand="Ocean",
        tags=("men",),
    )


def _event(event: ProductEvent) -> NewEvent:
    event_id = uuid7()
    metadata = EventMetadata(
        event_id, str(event_id), causation_id=str(event_id), command_id=str(event_id), actor="anonymous"
    )
    return NewEvent(encode_event(event), event_id, msgspec.json.encode(metadata))


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
