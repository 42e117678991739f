"""Exports what the broker knows about consumer groups, and forgets groups that are gone."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from command_api.relay.kafka.consumer_groups import ConsumerGroups, GroupState
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.consumer_groups import (
    GROUP_LAG_EVENTS,
    GROUP_MEMBERS,
    GROUP_OLDEST_WAITING_SECONDS,
    GROUPS_LEFT_OUT,
)
from shared.ops.metrics.declare import Gauge


class _Series(NamedTuple):
    """One line of the scrape."""

    gauge: Gauge
    labels: tuple[str, ...]


class GroupGauges:
    """The gauges of all groups."""

    def __init__(self, groups: ConsumerGroups) -> None:
        self._groups = groups
        self._shown: set[_Series] = set()

    def measurement(self, *, seconds: float, seconds_max: float) -> Measurement:
        """Every `seconds`; a question takes at most `seconds_max`."""
        return Measurement("consumer groups", self._take, seconds, seconds_max, self._forget)

    async def _take(self) -> None:
        found = await self._groups.find()
        GROUPS_LEFT_OUT.set(found.left_out)
        values = {series: value for state in found.groups for series, value in _series(state)}
        for (gauge, labels), value in values.items():
            gauge.labels(*labels).set(value)
        for gauge, labels in self._shown - values.keys():
            gauge.remove(*labels)
        self._shown = set(values)

    def _forget(self) -> None:
        """No series: an autoscaler must not act on old numbers, and NaN is none it could read."""
        unknown([GROUPS_LEFT_OUT])
        for gauge, labels in self._shown:
            gauge.remove(*labels)
        self._shown = set()


def _series(state: GroupState) -> Iterator[tuple[_Series, float]]:
    """What is shown of a group."""
    yield _Series(GROUP_MEMBERS, (state.group,)), state.members
    for topic, waiting in state.waiting.items():
        labels, oldest_ms = (state.group, topic), state.oldest_ms[topic]
        age_seconds = 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        yield _Series(GROUP_LAG_EVENTS, labels), waiting
        yield _Series(GROUP_OLDEST_WAITING_SECONDS, labels), age_seconds
