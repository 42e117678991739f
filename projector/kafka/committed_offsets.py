"""What a group has committed; "nothing yet" is never said of a group that cannot be read just now.

A coordinator that is still loading says so once for the whole group (OffsetFetch since version 2, KIP-88) and
lists no partitions. aiokafka 0.14 reads only the partitions, so that its `committed()` answers None: a group
that begins "with what comes next" would begin there anew, and what came before it would be lost.
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
    """Of those that have one. Raises aiokafka's errors: then nothing is known, and the caller asks again."""
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
