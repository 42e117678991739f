"""A group's committed offsets; a group that cannot be read now is never taken for one without offsets.

A coordinator that is still loading answers so once for the whole group (OffsetFetch since version 2, KIP-88)
and lists no partitions. aiokafka 0.14 reads only the partitions, so its `committed()` returns None: a group
that begins at the end would begin there again, and the events before it would be lost.
"""

from collections import defaultdict
from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NotCoordinatorForGroupError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

_NONE = -1


async def committed_offsets(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, int]:
    """By partition, if it has one. Raises aiokafka's errors; then nothing is known: call it again."""
    by_topic: dict[str, list[int]] = defaultdict(list)
    for tp in partitions:
        by_topic[tp.topic].append(tp.partition)
    coordinator = consumer._coordinator
    await coordinator.ensure_coordinator_known()
    response = await coordinator._send_req(OffsetFetchRequest(coordinator.group_id, [*by_topic.items()]))
    answers = {
        TopicPartition(topic, partition): (offset, error_code)
        for topic, some in response.topics
        for partition, offset, _, error_code in some
    }
    for error_code in (response.error_code, *(code for _, code in answers.values())):
        if error_code:
            error = for_code(error_code)
            if error is NotCoordinatorForGroupError:
                coordinator.coordinator_dead()
            raise error(f"offsets of {coordinator.group_id}")
    return {tp: offset for tp, (offset, _) in answers.items() if offset != _NONE}
