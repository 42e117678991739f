"""Sends what is due: claims the first message of each product, posts it, stores what came of it.

Posts run beside each other, claims and results in one loop; while it stores one batch of results the next one
gathers. A process that is killed leaves claims, which expire: their messages are sent again with the same id.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from projector.webhooks.ports import Answer, Delivery, Endpoint, Queue, Result, Sender
from projector.webhooks.verdict import RetrySchedule, verdict
from shared.ops.logs import get_logger

_RESULTS_PER_BATCH_MAX = 500
_log = get_logger(__name__)


class DeliveryLimits(NamedTuple):
    """`claim_seconds`: longer than an attempt, its storing included. `disable_after_seconds`: of failures
    alone.
    """

    per_endpoint_max: int
    at_a_time_max: int
    claim_seconds: float
    disable_after_seconds: float
    schedule: RetrySchedule


class Deliverer:
    """One in a process. `told` is called with each result that was stored, for metrics."""

    def __init__(
        self, queue: Queue, sender: Sender, limits: DeliveryLimits, told: Callable[[Result], None]
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._limits = limits
        self._told = told
        self._claim_id = uuid4()
        self._in_flight: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self.has_results = asyncio.Event()

    @property
    def is_sending(self) -> bool:
        """Whether attempts run, or their results are not stored."""
        return bool(self._tasks or self._results)

    async def turn(self, endpoints: Sequence[Endpoint]) -> bool:
        """Store the results that are there, and begin what is due. Whether something was begun.

        Raises `Unavailable`; results are kept for the next turn.
        """
        await self.store_results()
        places = self._places(endpoints)
        if not places:
            return False
        claimed = await self._queue.claim(places, self._claim_id, self._limits.claim_seconds)
        by_id = {endpoint.endpoint_id: endpoint for endpoint in endpoints}
        for delivery in claimed:
            self._begin(by_id[delivery.endpoint_id], delivery)
        return bool(claimed)

    async def finish(self, seconds_max: float) -> None:
        """At a stop: wait for what is being sent, and store it. Raises `Unavailable`."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds_max)
        await self.store_results()
        for task in self._tasks:
            task.cancel()

    async def store_results(self) -> None:
        """Raises `Unavailable`."""
        self.has_results.clear()
        while self._results:
            batch = self._results[:_RESULTS_PER_BATCH_MAX]
            await self._queue.settle(batch, self._limits.disable_after_seconds)
            del self._results[: len(batch)]
            for result in batch:
                self._in_flight[result.delivery.endpoint_id] -= 1
                self._told(result)
        self._in_flight = +self._in_flight

    def _places(self, endpoints: Sequence[Endpoint]) -> dict[UUID, int]:
        free = self._limits.at_a_time_max - self._in_flight.total()
        places: dict[UUID, int] = {}
        for endpoint in random.sample(endpoints, len(endpoints)):
            its = min(self._limits.per_endpoint_max - self._in_flight[endpoint.endpoint_id], free)
            if its > 0:
                places[endpoint.endpoint_id] = its
                free -= its
        return places

    def _begin(self, endpoint: Endpoint, delivery: Delivery) -> None:
        self._in_flight[endpoint.endpoint_id] += 1
        task = asyncio.create_task(self._attempt(endpoint, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> None:
        try:
            answer = await self._sender.send(endpoint.document, delivery.webhook_id, delivery.body)
        except Exception:
            # A bug of ours: it counts as a failed attempt, or the place would be lost.
            _log.exception(
                "sending a webhook failed with an unexpected error", webhook_id=delivery.webhook_id
            )
            answer = Answer(datetime.now(UTC), 0, None, error="internal error")
        chance = random.random()  # noqa: S311
        result = verdict(delivery, self._claim_id, answer, self._limits.schedule, chance)
        self._results.append(result)
        self.has_results.set()
