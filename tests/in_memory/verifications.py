"""The results of `verify`, in memory."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from projector.rebuild.verify_ports import Known, Verified


class _Result(NamedTuple):
    started_at: datetime
    ended_at: datetime
    differences: int


class InMemoryVerifications:
    """Implements `rebuild.verify_ports.Verifications`."""

    def __init__(self) -> None:
        self._installed_at = datetime.now(UTC)
        self._newest: dict[tuple[str, bool], _Result] = {}

    async def store(self, verified: Verified, *, is_sample: bool, seconds: float) -> None:
        now = datetime.now(UTC)
        result = _Result(now - timedelta(seconds=seconds), now, verified.different)
        key = (verified.projection, is_sample)
        held = self._newest.get(key, result)
        proves_nothing = is_sample and held.differences > 0 and result.differences == 0
        if held.started_at <= result.started_at and not proves_nothing:
            self._newest[key] = result

    async def known(self, projections: Sequence[str]) -> Mapping[str, Known]:
        return {name: self._known(name) for name in projections}

    def _known(self, projection: str) -> Known:
        whole, sample = (self._newest.get((projection, is_sample)) for is_sample in (False, True))
        if whole is not None and sample is not None and sample.ended_at <= whole.started_at:
            sample = None
        differences = [result.differences for result in (whole, sample) if result is not None]
        return Known(max(differences, default=None), self._installed_at if whole is None else whole.ended_at)
