"""The comparison: a FastStream subscriber as in its documentation, with one upsert per message.

It stores the event's body. It does not fold and keeps no checkpoint, so it does less than a projection.
"""

import asyncio
import os
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from faststream import AckPolicy
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker, KafkaMessage, Topic

UPSERT = """INSERT INTO single_upsert (product_id, stream_version, document) VALUES ($1, $2, $3)
ON CONFLICT (product_id) DO UPDATE SET stream_version = excluded.stream_version, document = excluded.document
WHERE single_upsert.stream_version < excluded.stream_version"""

broker = KafkaBroker(os.environ["SINGLE_BOOTSTRAP"], logger=None)
pool: "asyncpg.Pool[asyncpg.Record] | None" = None


@broker.subscriber(
    Topic(os.environ["SINGLE_TOPIC"], declare=False),
    group_id=f"single-{os.environ['SINGLE_TOPIC']}",
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def project(body: dict[str, Any], message: KafkaMessage) -> None:
    """One event."""
    assert pool is not None
    headers = message.headers
    await pool.execute(UPSERT, headers["ce_subject"], int(headers["ce_streamversion"]), message.body)


@get
async def ready(_: Any) -> AsgiResponse:
    """Up."""
    return AsgiResponse(b"", 204)


@asynccontextmanager
async def lifespan() -> Any:
    """The pool."""
    global pool
    pool = await asyncpg.create_pool(os.environ["SINGLE_DSN"], min_size=2, max_size=4)
    yield
    await pool.close()


app = AsgiFastStream(broker, lifespan=lifespan, asgi_routes=[("/", ready)])

if __name__ == "__main__":
    config = uvicorn.Config(app, port=int(os.environ["SINGLE_PORT"]), log_level="warning")
    asyncio.run(uvicorn.Server(config).serve())
