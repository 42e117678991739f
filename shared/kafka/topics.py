"""Creates topics with the required partitions, replicas and limits, and refuses existing ones that differ.

A topic that the broker creates for the first client gets the broker's defaults. A wrong partition count
breaks the order per key permanently, because a correction would move keys to other partitions. So our
processes neither publish nor consume before `ensure_topics` has verified the topics.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.kafka.errors import KAFKA_IS_AWAY
from shared.kafka.servers import KafkaServers
from shared.ops.error_text import named
from shared.ops.retry import RetryPolicy, retry_transient

RECORD_BYTES_MAX = 1024 * 1024
"""`max.message.bytes`: limits batches as well as records; an event of 512 KiB with its headers fits."""

KEEP_FOR_EVER: Mapping[str, str] = MappingProxyType({"retention.ms": "-1", "cleanup.policy": "delete"})
_DAY_MILLISECONDS = 24 * 3600 * 1000
LATEST_PER_KEY: Mapping[str, str] = MappingProxyType(
    {
        "cleanup.policy": "compact",
        # The newest segment is never compacted: without this a quiet topic keeps all versions for a week.
        "segment.ms": str(_DAY_MILLISECONDS),
        "min.cleanable.dirty.ratio": "0.2",
        "max.compaction.lag.ms": str(7 * _DAY_MILLISECONDS),
        # A consumer that takes longer than this to read the topic may miss a deleted key.
        "delete.retention.ms": str(7 * _DAY_MILLISECONDS),
    }
)
_CLEANUP_POLICY = "cleanup.policy"
_MAX_MESSAGE_BYTES = "max.message.bytes"
_MIN_IN_SYNC = "min.insync.replicas"
_REQUESTS_MAX = 3
_PATIENT = RetryPolicy("kafka_topics", wait_seconds_initial=0.1, wait_seconds_max=2.0, budget_seconds=None)


class TopicsAreWrong(Exception):
    """A topic differs from its specification, or the broker refuses to create it: an operator must act."""


class TopicIsMissing(TopicsAreWrong):
    """The topic does not exist, and it must not be created."""


class KafkaUnavailable(Exception):
    """No broker answered, or none that can create topics: the same call may succeed later."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """The specification of a topic. `configs` are set at creation; sizes are in bytes.

    Later only the cleanup policy is verified; operators may tune the rest. With several replicas one may be
    down (`min.insync.replicas` = replication factor - 1, at least 1).
    """

    name: str
    partition_count: int
    replication_factor: int = 1
    record_bytes_max: int = RECORD_BYTES_MAX
    configs: Mapping[str, str] = field(default_factory=lambda: KEEP_FOR_EVER)

    def all_configs(self) -> dict[str, str]:
        """The configs for the creation of the topic."""
        configs = {_MAX_MESSAGE_BYTES: str(self.record_bytes_max), **self.configs}
        if self.replication_factor > 1:
            configs[_MIN_IN_SYNC] = str(self.replication_factor - 1)
        return configs


async def ensure_topics(
    servers: KafkaServers,
    specs: Sequence[TopicSpec],
    *,
    create_missing: bool = True,
    request_timeout_seconds: float = 5.0,
    policy: RetryPolicy = _PATIENT,
    stop: asyncio.Event | None = None,
) -> None:
    """Create missing topics, and verify existing ones: their partition count, `max.message.bytes` and
    `cleanup.policy`. Without `create_missing` a missing topic raises `TopicIsMissing`.

    While Kafka is unavailable, it waits as long as `policy` allows (by default for ever, or until `stop`),
    then raises `KafkaUnavailable`. Raises `TopicsAreWrong` with the topic, the value found and the value
    wanted. Several processes may call it at the same time.
    """

    async def attempt() -> None:
        await _with_admin(servers, specs, create_missing, request_timeout_seconds)

    await retry_transient(policy, attempt, is_transient=lambda e: isinstance(e, KafkaUnavailable), stop=stop)


async def _with_admin(
    servers: KafkaServers, specs: Sequence[TopicSpec], create_missing: bool, timeout_seconds: float
) -> None:
    admin = AIOKafkaAdminClient(**servers.arguments(), request_timeout_ms=int(timeout_seconds * 1000))
    try:
        # Connecting takes two requests, each with a time-out; a cancellation there leaks a connection.
        async with asyncio.timeout(timeout_seconds * _REQUESTS_MAX):
            await admin.start()
            await _verify_partitions(admin, specs, create_missing)
            await _verify_configs(admin, specs)
    except KAFKA_IS_AWAY as error:
        raise KafkaUnavailable(named(error)) from error
    finally:
        await admin.close()


async def _verify_partitions(
    admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], create_missing: bool
) -> None:
    found = await _partition_counts(admin)
    missing = [spec for spec in specs if spec.name not in found]
    if missing and not create_missing:
        raise TopicIsMissing(f"topic {missing[0].name} does not exist")
    if missing:
        await _create(admin, missing)
        found = await _partition_counts(admin)
    for spec in specs:
        count = found.get(spec.name)
        if count is None:
            raise KafkaUnavailable(f"topic {spec.name} was created and is not visible yet")
        if count != spec.partition_count:
            raise TopicsAreWrong(
                f"topic {spec.name} has {count} partitions, wanted {spec.partition_count}: "
                "set PARTITION_COUNT to this number, or create a new topic and replay into it"
            )


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """The partition counts of all topics: a request for one name could create it on a broker with
    auto-creation.
    """
    described = await admin.describe_topics(None)
    # A new topic is listed before its partitions are: until then it counts as missing.
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["partitions"]}


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    wanted = [
        NewTopic(spec.name, spec.partition_count, spec.replication_factor, topic_configs=spec.all_configs())
        for spec in specs
    ]
    try:
        answer = await admin.create_topics(wanted)
    except AttributeError as error:
        # aiokafka 0.14 uses the controller's address without checking that it is known.
        raise KafkaUnavailable("the cluster has no controller now") from error
    for name, code, message in (error[:3] for error in answer.topic_errors):
        refusal = for_code(code)
        if code == 0 or refusal is TopicAlreadyExistsError:
            continue
        if refusal.retriable:
            raise KafkaUnavailable(f"topic {name} could not be created now: {refusal.__name__}: {message}")
        raise TopicsAreWrong(f"topic {name} could not be created: {refusal.__name__}: {message}")


async def _verify_configs(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    found = await _configs(admin, [spec.name for spec in specs])
    for spec in specs:
        configs = found[spec.name]
        limit = int(configs.get(_MAX_MESSAGE_BYTES, 0))
        if limit < spec.record_bytes_max:
            # Such a topic would refuse single events later, in the middle of the log.
            raise TopicsAreWrong(
                f"topic {spec.name} has {_MAX_MESSAGE_BYTES}={limit}, wanted at least {spec.record_bytes_max}"
            )
        wanted, policy = spec.configs.get(_CLEANUP_POLICY), configs.get(_CLEANUP_POLICY)
        if wanted is not None and policy != wanted:
            # Compaction would remove all but the last event of a product from a log; deletion by age would
            # remove old rows from a table.
            raise TopicsAreWrong(
                f"topic {spec.name} has {_CLEANUP_POLICY}={policy}, wanted {wanted}: "
                "change the setting, or delete the topic so that it is created again"
            )


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Topic -> the verified configs. Raises `KafkaUnavailable` if the broker cannot answer now."""
    wanted = {_MAX_MESSAGE_BYTES: "", _CLEANUP_POLICY: ""}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, configs=wanted) for name in names]
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for code, message, _, name, entries in answer.resources:
            if code != 0:
                raise KafkaUnavailable(
                    f"topic {name} cannot be described: {for_code(code).__name__}: {message}"
                )
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found
