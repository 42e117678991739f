"""A catalogue in `products-state`, and changes to it at a steady rate, written as the projector writes both
the topic and the cache.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

from msgspec.structs import replace
from redis.asyncio import Redis

from projector.state_topic.kafka.topic import KafkaStateChannel, KafkaStateTopic, StateTopicSettings
from projector.state_topic.ports import State
from shared.contract.addresses import DEFAULT_PARTITION_COUNT, partition_of, product_key, state_topic
from shared.contract.cached_document import pack
from shared.contract.events import Money
from shared.contract.views import ProductDocument, encode_document
from shared.kafka.servers import KafkaServers
from shared.kafka.topics import LATEST_PER_KEY, TopicSpec, ensure_topics
from tests.benchmarks.catalogue import CHUNK, Catalogue

# The projector publishes what has gathered since its last round, after 0.25 to 1 s of changes.
ROUND_SECONDS = 0.1
_PARTITIONS = DEFAULT_PARTITION_COUNT


class PublishedStates:
    """One topic of its own. Publish inside `writing`."""

    def __init__(self, catalogue: Catalogue, bootstrap_servers: str, redis_url: str) -> None:
        self.prefix = f"bench-{time.time_ns():x}-"
        self._catalogue = catalogue
        self._redis_url = redis_url
        self._documents = list(catalogue.documents)
        self._positions = count(1)
        self._log_id = uuid4()
        self._chance = random.Random(11)
        self._servers = KafkaServers(bootstrap_servers)
        self._spec = TopicSpec(state_topic(self.prefix), _PARTITIONS, configs=LATEST_PER_KEY)
        self._topic = KafkaStateTopic(StateTopicSettings(self._servers, self._spec, f"{self.prefix}states"))
        self._channels: Sequence[KafkaStateChannel] = ()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """A producer for each partition, as the projector has them."""
        await ensure_topics(self._servers, [self._spec])
        async with AsyncExitStack() as stack:
            self._channels = [await self._topic.open(partition) for partition in range(_PARTITIONS)]
            for channel in self._channels:
                stack.push_async_callback(channel.close)
            yield

    async def publish_all(self) -> None:
        """Version 1 of all products, and the cache has them, too."""
        for start in range(0, len(self._documents), CHUNK):
            await self._publish(self._documents[start : start + CHUNK])
        await self._catalogue.fill(self._redis_url)

    async def change(self, changes_per_second: int, seconds: float) -> int:
        """Change prices of random products in an open loop; returns how many changes were published."""
        each_round = round(changes_per_second * ROUND_SECONDS)
        rounds = round(seconds / ROUND_SECONDS)
        began = time.perf_counter()
        async with Redis.from_url(self._redis_url) as redis:
            for number in range(rounds):
                await asyncio.sleep(max(0.0, began + number * ROUND_SECONDS - time.perf_counter()))
                chosen = self._chance.sample(range(len(self._documents)), each_round)
                changed = [self._changed(at) for at in chosen]
                packed = {product_key("catalogue", one.id): _packed(one) for one in changed}
                await redis.mset(packed)
                await self._publish(changed)
        if time.perf_counter() - began > seconds * 1.1:
            raise RuntimeError(f"{changes_per_second} changes/s were too many for this machine")
        return rounds * each_round

    def _changed(self, at: int) -> ProductDocument:
        old = self._documents[at]
        first, *others = old.variants
        price = Money(f"{self._chance.randrange(1, 500)}.95", first.price.currency)
        new = replace(
            old,
            version=old.version + 1,
            variants=(replace(first, price=price), *others),
            updated_at=datetime.now(UTC),
        )
        self._documents[at] = new
        return new

    async def _publish(self, documents: Iterable[ProductDocument]) -> None:
        """A transaction for each partition, as the projector makes them."""
        states: dict[int, list[State]] = defaultdict(list)
        for document in documents:
            states[partition_of(document.id, _PARTITIONS)].append(self._state(document))
        await asyncio.gather(*(self._channels[at].publish(part) for at, part in states.items()))

    def _state(self, document: ProductDocument) -> State:
        body = encode_document(document)
        return State(
            document.id, document.version, next(self._positions), document.updated_at, body, self._log_id
        )


def _packed(document: ProductDocument) -> bytes:
    return pack(document.version, encode_document(document))
