"""Closes an aiokafka producer in bounded time: its own `stop` waits for ever while the broker is unavailable.

An idempotent aiokafka producer never gives up a batch, and after one batch has failed permanently it cannot
write to that partition any more (docs/library-facts.md). So a producer with unconfirmed records is abandoned,
never reused and never flushed; the next producer continues after the last confirmed record.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from shared.kafka.connections import close_client
from shared.ops.logs import get_logger

# Topics accept 1 MiB per batch; a value has at most 512 KiB.
BATCH_BYTES_MAX = 640 * 1024
REQUEST_BYTES_MAX = 1024 * 1024
_CANCELS_MAX = 5
_log = get_logger(__name__)


async def start_producer(producer: AIOKafkaProducer, *, seconds_max: float, stop_seconds_max: float) -> None:
    """Connect; a producer that fails to connect, for any reason, is abandoned.

    Raises TimeoutError, OSError, aiokafka's errors.
    """
    try:
        async with asyncio.timeout(seconds_max):
            await producer.start()
    except BaseException:
        await abandon_producer(producer, seconds_max=stop_seconds_max)
        raise


async def close_producer(producer: AIOKafkaProducer, *, seconds_max: float) -> None:
    """Disconnect a producer without unconfirmed records; if it does not end in time, it is abandoned."""
    try:
        async with asyncio.timeout(seconds_max):
            await producer.stop()
    except Exception as error:
        _log.warning("Kafka producer did not stop", error=repr(error))
        await abandon_producer(producer, seconds_max=seconds_max)


async def abandon_producer(producer: AIOKafkaProducer, *, seconds_max: float) -> None:
    """End the producer's tasks and connections within `seconds_max`, without sending its remaining records.

    aiokafka has no public way to do this, so this uses private names. Its sender ignores a cancellation while
    requests are in flight; closing the connections lets them fail. A request that was about to be sent then
    connects again, so connections are closed again until the sender has ended.
    """
    producer._closed = True  # so that its __del__ does not warn
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
    """Fail all futures that wait for a confirmation, which cannot come any more; without log lines.

    aiokafka's callback for a finished batch would log an error if the batch was waiting for a retry, and
    asyncio would log failures that no code reads.
    """
    waiting = {batch for queued in accumulator._batches.values() for batch in queued}
    accumulator._pending_batches |= waiting
    abandoned = list(accumulator._pending_batches)
    accumulator.fail_all(ProducerClosed())
    for batch in abandoned:
        for future in (batch.future, batch._drain_waiter):
            if future.done() and not future.cancelled():
                future.exception()
