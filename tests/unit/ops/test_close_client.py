"""A Kafka client is closed whatever became of its background task."""

import asyncio

from aiokafka.client import AIOKafkaClient

from shared.kafka.connections import close_client


async def test_a_client_whose_metadata_task_has_died_is_closed_with_its_connections() -> None:
    closed: list[object] = []

    class Connection:
        def close(self, reason: object) -> "asyncio.Future[None]":
            closed.append(reason)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

    async def dies() -> None:
        raise RuntimeError("the handler is closed")

    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    client._sync_task = asyncio.create_task(dies())
    await asyncio.wait([client._sync_task])
    client._conns = {("1", 0): Connection()}
    await close_client(client)
    assert len(closed) == 1
    client._conns = {}
