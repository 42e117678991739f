"""Closes a connection to Kafka on which an answer is overdue, so that the next request uses a new one.

If a machine in between vanishes, or a broker forgets a request, the connection still looks alive.
aiokafka 0.14 closes it when a fetch times out, but not when a request for metadata does,
and before a projection is placed nothing is fetched. Such a consumer would never come back from a rebalance.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason

from shared.ops.logs import get_logger
from shared.ops.upkeep import Upkeep

if TYPE_CHECKING:
    from faststream.kafka import KafkaBroker

    from projector.kafka.shared_reader import SharedReader

_LOOK_SECONDS = 1.0
_log = get_logger(__name__)


def connections_of(client: Any) -> list[Any]:
    """An aiokafka client's connections whose answers come at once.

    Not a coordinator's: there the answer to a member waits for other members.
    """
    return [one for (_, group), one in client._conns.items() if group == ConnectionGroup.DEFAULT]


class LostAnswers:
    """The requests that wait for an answer, and since when."""

    def __init__(self, *, seconds_max: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_max = seconds_max
        self._clock = clock
        self._since: dict[tuple[int, int], float] = {}

    def look(self, clients: Iterable[Any]) -> int:
        """Check aiokafka's clients; returns how many connections were closed."""
        now, since, closed = self._clock(), self._since, 0
        self._since = {}
        for connection in (each for client in clients for each in connections_of(client)):
            if not connection._requests:
                continue
            oldest = (id(connection), connection._requests[0][0])
            if now - since.get(oldest, now) < self._seconds_max:
                self._since[oldest] = since.get(oldest, now)
            else:
                _log.warning("an answer is overdue: reconnecting", host=connection.host)
                connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
                closed += 1
        return closed


async def watch_answers(broker: "KafkaBroker", reader: "SharedReader | None", seconds_max: float) -> None:
    """For all consumers of the broker and the shared reader's, until cancelled."""
    answers = LostAnswers(seconds_max=seconds_max)

    async def look() -> None:
        consumers = [subscriber.consumer for subscriber in broker.subscribers]  # type: ignore[attr-defined]
        consumers.append(None if reader is None else reader.consumer)
        answers.look(consumer._client for consumer in consumers if consumer is not None)

    await Upkeep("overdue answers", look, _LOOK_SECONDS).run(asyncio.Event())
