"""Follows the changes of endpoints: new ones, other filters, pauses, and messages that owners request."""

from uuid import UUID

import msgspec

from projector.webhooks.message import event_message, message_for_test
from projector.webhooks.ports import Change, EndpointLog, Endpoints, Request
from shared.ops.logs import get_logger
from shared.webhooks.endpoint import REDELIVERY_REQUESTED, TEST_REQUESTED

_log = get_logger(__name__)


class _TestData(msgspec.Struct):
    webhook_id: str


class _RedeliveryData(msgspec.Struct):
    """One of both."""

    delivery_id: int | None = None
    after: int | None = None


class EndpointChanges:
    """Of all endpoints; every process looks, and one of them applies a change."""

    def __init__(self, log: EndpointLog, endpoints: Endpoints) -> None:
        self._log = log
        self._endpoints = endpoints

    async def turn(self) -> UUID:
        """Applies what is new. Returns the log's id. Raises `Unavailable`."""
        after, known_log = await self._endpoints.place()
        while True:
            changes = await self._log.changes_after(after)
            if known_log is not None and changes.log_id != known_log:
                await self._begin_anew()
                return changes.log_id
            if not changes.changes and known_log is not None:
                return changes.log_id
            requests = {
                each.change_position: await self._request(each, changes.log_id) for each in changes.changes
            }
            if not await self._endpoints.apply(changes, requests, after) or not changes.changes:
                return changes.log_id
            after, known_log = changes.changes[-1].change_position, changes.log_id

    async def _begin_anew(self) -> None:
        states = await self._log.endpoint_states()
        _log.warning(
            "webhooks go on at the end of another log",
            log_id=str(states.log_id),
            log_position=states.newest_position,
        )
        await self._endpoints.begin_anew(states)

    async def _request(self, change: Change, log_id: UUID) -> Request:
        if change.event_type == TEST_REQUESTED:
            wanted = msgspec.json.decode(change.data, type=_TestData)
            return Request([message_for_test(wanted.webhook_id, change.endpoint_id, change.recorded_at)])
        if change.event_type == REDELIVERY_REQUESTED:
            again = msgspec.json.decode(change.data, type=_RedeliveryData)
            if again.delivery_id is None:
                return Request(after=again.after)
            return await self._redelivery(change, again.delivery_id, log_id)
        return Request()

    async def _redelivery(self, change: Change, delivery_id: int, log_id: UUID) -> Request:
        """It may be gone: deliveries are kept for days, events may be archived."""
        earlier = await self._endpoints.delivery(change.endpoint_id, delivery_id)
        if earlier is not None and earlier.state == "waiting":
            return Request(retry=delivery_id)
        if earlier is not None and earlier.message is not None:
            return Request([earlier.message])
        event = None
        if earlier is not None and earlier.log_position is not None:
            event = await self._log.event_at(earlier.log_position)
        if event is None:
            _log.warning(
                "webhook delivery cannot be repeated: its event is gone",
                endpoint_id=str(change.endpoint_id),
                delivery_id=delivery_id,
            )
            return Request()
        return Request([event_message(event, log_id)])
