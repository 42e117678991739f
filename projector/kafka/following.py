"""How one projection reads: with the others of its process, from the shared reader, or by itself."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from projector.kafka.records import SharedRecord
from projector.kafka.shared_reader import SharedReader
from projector.kafka.tail import Follower, Place
from shared.ops.concurrency.waits import pause, until_turn
from shared.ops.logs import get_logger

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

# The member of the group has to poll now and then: MAX_POLL_INTERVAL_SECONDS.
_WAIT_SECONDS_MAX = 1.0
# A timer counts in whole milliseconds, so it may end early. To wait again would be one more wake-up.
_TIMER_SECONDS = 0.001
_log = get_logger(__name__)


class Following:
    """Of one projection. Its own consumer is paused while it follows, and goes on where it ends.

    `may_begin`: by partition the offset that its own reading must have passed; None: it must not follow now.
    `batch_wait_seconds`: between the beginnings of two batches, if few records wait. `changed` is called when
    it begins or ends, and says which.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        reader: SharedReader | None,
        *,
        batch_wait_seconds: float,
        records_max: int,
        may_begin: Callable[[], Mapping[int, int] | None],
        changed: Callable[[bool], None],
    ) -> None:
        self._name = name
        self._topic = topic
        self._reader = reader
        self._batch_wait_seconds = batch_wait_seconds
        self._records_max = records_max
        self._may_begin = may_begin
        self._changed = changed
        self._follower: Follower | None = None
        self._began_at = 0.0

    @property
    def is_on(self) -> bool:
        """Whether it follows."""
        return self._follower is not None

    def reading(self, own: "AIOKafkaConsumer") -> "AIOKafkaConsumer":
        """The consumer that knows the ends of its partitions."""
        shared = None if self._reader is None or self._follower is None else self._reader.consumer
        return own if shared is None else shared

    async def next_batch(self, own: "AIOKafkaConsumer") -> tuple[SharedRecord, ...] | None:
        """The next records, empty if there are none for a while. None: it reads by itself."""
        follower = self._follower or await self._begin(own)
        if follower is None:
            return None
        await self._wait(follower)
        # Tells the group that this member lives; a rebalance may run meanwhile. Its partitions are paused.
        await own.getmany(timeout_ms=0)
        if follower is not self._follower:
            return ()
        records = follower.take(self._records_max)
        if records is None:
            self.end(own)
            return ()
        if records:
            self._began_at = time.monotonic()
        return records

    def end(self, own: "AIOKafkaConsumer") -> None:
        """Go on alone, with the same place."""
        follower = self._follower
        if follower is None:
            return
        for partition, offset in follower.next_offsets.items():
            own.seek(TopicPartition(self._topic, partition), offset)
        own.resume(*(TopicPartition(self._topic, at) for at in follower.next_offsets))
        self.drop()

    def drop(self) -> None:
        """Follow no more; its own consumer has lost the partitions, or is placed anew."""
        follower, self._follower = self._follower, None
        if follower is not None and self._reader is not None:
            self._reader.left(follower)
            self._changed(False)
            _log.info("reading alone", projection=self._name)

    async def _begin(self, own: "AIOKafkaConsumer") -> Follower | None:
        """If its own reading is near the end of every partition."""
        if self._reader is None or (passed := self._may_begin()) is None:
            return None
        assigned = own.assignment()
        places = {}
        for at in assigned:
            offset, end = await own.position(at), own.highwater(at)
            if end is None or offset < passed.get(at.partition, offset + 1):
                return None
            places[at.partition] = Place(offset, end)
        if passed != self._may_begin():
            return None
        self._follower = self._reader.follow(places)
        if self._follower is not None:
            own.pause(*assigned)
            self._changed(True)
            _log.info("following the shared reader", projection=self._name)
        return self._follower

    async def _wait(self, follower: Follower) -> None:
        """Until a batch is due: one that is large enough, or small and its wait has passed."""
        ends = time.monotonic() + until_turn(_WAIT_SECONDS_MAX)
        while not follower.is_over:
            now = time.monotonic()
            waits_until = ends
            if follower.waiting:
                waits_until = self._began_at + self._batch_wait_seconds
                if follower.waiting >= self._records_max // 2:
                    return
            if now >= waits_until - _TIMER_SECONDS:
                return
            await pause(waits_until - now, follower.news)
            follower.news.clear()
