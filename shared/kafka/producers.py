"""Closing an aiokafka producer in bounded time: its own `stop` waits for ever while the broker is away.

An idempotent aiokafka producer never gives up a batch, and after one batch has failed for good it is poisoned
for that partition (docs/library-facts.md). So a producer with anything unconfirmed is abandoned,
never reused and never flushed; its successor starts from what was confirmed.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from shared.kafka.connections import close_client
from shared.ops.logs import get_logger

# Topics take 1 MiB a batch; a value of 512 KiB shares its batch with nothing much larger.
BATCH_BYTES_MAX = 640 * 1024
REQUEST_BYTES_MAX = 1024 * 1024
_CANCELS_MAX = 5
_log = get_logger(__name__)


async def start_producer(producer: AIOKafkaProducer, *, seconds_max: float, stop_seconds_max: float) -> None:
    """Connect; one that does not get there, whatever the reason, is abandoned.

    Raises TimeoutError, OSError, aiokafka's errors.
    """
    try:
        async with asyncio.timeout(seconds_max):
            await producer.start()
    except BaseException:
        await abandon_producer(producer, seconds_max=stop_seconds_max)
        raise


async def close_producer(producer: AIOKafkaProducer, *, seconds_max: float) -> None:
    """Disconnect a producer that has nothing unconfirmed; one that does not end in time is abandoned."""
    try:
        async with asyncio.timeout(seconds_max):
            await producer.stop()
    except Exception as error:
        _log.warning("Kafka producer did not stop", error=repr(error))
        await abandon_producer(producer, seconds_max=seconds_max)


async def abandon_producer(producer: AIOKafkaProducer, *, seconds_max: float) -> None:
    """End the producer's tasks and connections without sending what it still holds, within `seconds_max`.

    aiokafka has no public way to do this, hence the private names. Its sender ignores a cancellation while
    requests are in flight; closing the connections fails those. A request that was about to go then connects
    anew, so connections are closed again until the sender has ended.
    """
    producer._closed = True  # keeps its __del__ from warning about what is done here
    sender = producer._sender.sender_task
    pause = seconds_max / _CANCELS_MAX
    try:
        async with asyncio.timeout(seconds_max):
            while sender is not None and not sender.done():
                sender.cancel()
                await close_client(producer.client)
                await asyncio.wait((sender,), timeout=pause)
            await close_client(producer.client)
    except Exception as error:
        _log.warning("Kafka producer could not be closed", error=repr(error))
    _release_waiters(producer._message_accumulator)


def _release_waiters(accumulator: Any) -> None:
    """Fail whatever still waits for a confirmation that cannot come any more, without a word in the log.

    aiokafka forgets a finished batch by a callback that complains of one which was waiting to be sent again,
    and asyncio complains of failures that nobody looks at.
    """
    waiting = {batch for queued in accumulator._batches.values() for batch in queued}
    accumulator._pending_batches |= waiting
    abandoned = list(accumulator._pending_batches)
    accumulator.fail_all(ProducerClosed())
    for batch in abandoned:
        for future in (batch.future, batch._drain_waiter):
            if future.done() and not future.cancelled():
                future.exception()
