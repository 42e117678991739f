"""Exports what the broker knows about consumer groups, and forgets groups that are gone."""

import time
from contextlib import suppress

from command_api.relay.kafka.consumer_groups import ConsumerGroups, GroupState
from shared.ops.measuring import Measurement
from shared.ops.metrics.consumer_groups import (
    GROUP_LAG_EVENTS,
    GROUP_MEMBERS,
    GROUP_OLDEST_WAITING_SECONDS,
    GROUPS_LEFT_OUT,
)

MEASUREMENT = "consumer groups"


class GroupGauges:
    """The gauges of all groups."""

    def __init__(self, groups: ConsumerGroups) -> None:
        self._groups = groups
        self._shown: set[tuple[str, ...]] = set()

    def measurement(self, *, seconds: float, seconds_max: float) -> Measurement:
        """Every `seconds`; a question takes at most `seconds_max`."""
        return Measurement(MEASUREMENT, self._take, seconds, seconds_max)

    async def _take(self) -> None:
        found = await self._groups.find()
        GROUPS_LEFT_OUT.set(found.left_out)
        shown = {labels for state in found.groups for labels in _show(state)}
        for gone in self._shown - shown:
            for gauge in (GROUP_LAG_EVENTS, GROUP_OLDEST_WAITING_SECONDS, GROUP_MEMBERS):
                with suppress(KeyError, ValueError):  # it has other labels
                    gauge.remove(*gone)
        self._shown = shown


def _show(state: GroupState) -> list[tuple[str, ...]]:
    """Set the gauges of a group; returns the labels that they have now."""
    GROUP_MEMBERS.labels(state.group).set(state.members)
    for topic, waiting in state.waiting.items():
        oldest_ms = state.oldest_ms[topic]
        GROUP_LAG_EVENTS.labels(state.group, topic).set(waiting)
        GROUP_OLDEST_WAITING_SECONDS.labels(state.group, topic).set(
            0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        )
    return [(state.group,), *((state.group, topic) for topic in state.waiting)]
