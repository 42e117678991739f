"""Exports what `verify` found last: it is a process of its own that lives too short to be scraped."""

import math
from collections.abc import Sequence

from projector.rebuild.verify_ports import Verifications
from shared.ops.measuring import Measurement, unknown
from shared.ops.metrics.verifications import UNVERIFIED_SINCE, VERIFICATION_DIFFERENCES

_SECONDS = 5.0
_SECONDS_MAX = 5.0


def verification_measurement(verifications: Verifications, projections: Sequence[str]) -> Measurement:
    """Of these projections."""

    async def take() -> None:
        for name, known in (await verifications.known(projections)).items():
            differences = math.nan if known.differences is None else known.differences
            VERIFICATION_DIFFERENCES.labels(name).set(differences)
            UNVERIFIED_SINCE.labels(name).set(known.unverified_since.timestamp())

    def forget() -> None:
        for gauge in (VERIFICATION_DIFFERENCES, UNVERIFIED_SINCE):
            unknown(gauge.labels(name) for name in projections)

    return Measurement("verifications", take, _SECONDS, _SECONDS_MAX, forget)
