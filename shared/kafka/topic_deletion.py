"""Deletes topics, and waits until no broker lists them any more: only then can they be made again."""

import asyncio
from collections.abc import Collection

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import KafkaUnavailable, TopicsAreWrong
from shared.ops.error_text import named

_LOOK_SECONDS = 0.1


async def listed_topics(servers: KafkaServers, *, seconds_max: float) -> set[str]:
    """The names of all topics that we may see. Raises `KafkaUnavailable`."""
    admin = AIOKafkaAdminClient(**servers.arguments())
    try:
        async with asyncio.timeout(seconds_max):
            await admin.start()
            return await _listed(admin)
    except KAFKA_IS_AWAY as error:
        raise KafkaUnavailable(named(error)) from error
    finally:
        await admin.close()


async def delete_topics(servers: KafkaServers, names: Collection[str], *, seconds_max: float) -> list[str]:
    """Returns the names of those that existed. Raises `KafkaUnavailable`, or `TopicsAreWrong` if the broker
    refuses.
    """
    admin = AIOKafkaAdminClient(**servers.arguments())
    try:
        async with asyncio.timeout(seconds_max):
            await admin.start()
            there = sorted(set(names) & await _listed(admin))
            if there:
                await _delete(admin, there)
            while True:
                if not set(there) & await _listed(admin):
                    return there
                await asyncio.sleep(_LOOK_SECONDS)
    except KAFKA_IS_AWAY as error:
        raise KafkaUnavailable(named(error)) from error
    finally:
        await admin.close()


async def _listed(admin: AIOKafkaAdminClient) -> set[str]:
    return set(await admin.list_topics())


async def _delete(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    answer = await admin.delete_topics(names)
    for name, code in answer.topic_error_codes:
        refusal = for_code(code)
        if code == 0 or refusal is UnknownTopicOrPartitionError:
            continue
        if refusal.retriable:
            raise KafkaUnavailable(f"topic {name} could not be deleted now: {refusal.__name__}")
        raise TopicsAreWrong(f"topic {name} could not be deleted: {refusal.__name__}")
