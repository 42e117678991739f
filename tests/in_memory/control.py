"""What operators want, what projections tell, and the dead letters that are not copied yet, in memory."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from projector.applying.dead_letters import Action
from projector.control.ports import (
    NEVER_PAUSED,
    WAITS_FOR_KAFKA,
    Control,
    LagReport,
    LastReport,
    ParkedCount,
    PartitionLag,
)
from projector.parking.copy_ports import Uncopied
from tests.in_memory.read_model import InMemoryReadModel
from tests.in_memory.rows import Done, KeptRecord


class InMemoryControlBoard:
    """Implements `control.ports.ControlBoard`."""

    def __init__(self, read_model: InMemoryReadModel) -> None:
        self.lags: dict[tuple[str, str, int], PartitionLag] = {}
        self._read_model = read_model
        self._wanted: dict[str, Control] = {}

    async def wanted(self) -> Mapping[str, Control]:
        self._read_model.fail()
        return dict(self._wanted)

    async def set(self, projection: str, action: Action, *, is_paused: bool) -> None:
        rows = self._read_model.rows(projection)
        before = self._wanted.get(projection, NEVER_PAUSED)
        self._wanted[projection] = Control(is_paused, before.revision + 1, action.reason)
        rows.done.append(Done(action, None, ""))

    async def tell(self, reports: Sequence[LagReport]) -> None:
        self._read_model.fail()
        for projection, topic, one in (
            (each.projection, each.topic, lag) for each in reports for lag in each.lags
        ):
            held = self.lags.get((projection, topic, one.partition), one)
            is_other_log = None not in (held.log_id, one.log_id) and held.log_id != one.log_id
            position = one.log_position if is_other_log else max(held.log_position, one.log_position)
            self.lags[projection, topic, one.partition] = one._replace(
                log_position=position, log_id=one.log_id or held.log_id
            )

    async def last_reports(
        self, projection: str, topic: str, *, seconds_max: float
    ) -> Mapping[int, LastReport]:
        """All are of now, unless nothing is."""
        self._read_model.fail()
        return {
            at: LastReport(
                one.next_offset, seconds_max > 0 and not (one.trouble or "").startswith(WAITS_FOR_KAFKA)
            )
            for (of, where, at), one in self.lags.items()
            if (of, where) == (projection, topic)
        }

    async def counts(self) -> Mapping[str, ParkedCount]:
        """Nothing grows older here."""
        return {
            projection: ParkedCount(
                len({one.record.product_id for one in kept} - {None}), len(kept), oldest_seconds=0.0
            )
            for projection in self._read_model.projections()
            if (kept := list(self._read_model.rows(projection).records.values()))
        }


class InMemoryUncopiedDeadLetters:
    """Implements `parking.copy_ports.UncopiedDeadLetters`."""

    def __init__(self, read_model: InMemoryReadModel) -> None:
        self._read_model = read_model
        self._taken: set[int] = set()

    @asynccontextmanager
    async def uncopied(
        self, projections: Collection[str], events_max: int
    ) -> AsyncIterator[Sequence[Uncopied]]:
        found = sorted(
            (number, projection, kept)
            for projection in projections
            for number, kept in self._read_model.rows(projection).records.items()
            if not kept.is_copied and kept.record.partition >= 0 and number not in self._taken
        )[:events_max]
        numbers = {number for number, _, _ in found}
        self._taken |= numbers
        try:
            yield [_uncopied(projection, kept) for _, projection, kept in found]
        finally:
            self._taken -= numbers
        for number, projection, _ in found:
            records = self._read_model.rows(projection).records
            records[number] = records[number]._replace(is_copied=True)


def _uncopied(projection: str, kept: KeptRecord) -> Uncopied:
    one = kept.record
    record = (one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, one.headers)
    return Uncopied(one.dead_letter_id, projection, *record, one.error_class, kept.cause)
