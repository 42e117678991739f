"""Reads from headers which write a reader must see (Consistency-Token), and how long it waits
(`Prefer: wait=N`, RFC 7240).
"""

import re
from dataclasses import dataclass

from starlette.requests import Request

from query_api.consistency.visibility import Consistency
from query_api.errors import MalformedHeader
from shared.contract.consistency_token import MalformedToken, decode_token

_wait = re.compile(r'\s*wait\s*=\s*(?:"([0-9]{1,9})"|([0-9]{1,9}))\s*(?:;.*)?', re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """The default wait and the longest wait of a reader; `partition_count` bounds a valid token."""

    seconds_default: float
    seconds_max: float
    partition_count: int


def consistency_of(request: Request, limits: WaitLimits) -> tuple[Consistency | None, dict[str, str]]:
    """(the write to see, or None; headers with the applied wait). Raises `MalformedHeader`."""
    given = request.headers.getlist("consistency-token")
    if not given:
        return None, {}
    try:
        token = decode_token(",".join(given))
    except MalformedToken as error:
        raise MalformedHeader("Consistency-Token", str(error)) from error
    if any(partition >= limits.partition_count for partition in token.positions):
        raise MalformedHeader("Consistency-Token", "names a partition that does not exist")
    wanted = preferred_wait(request.headers.getlist("prefer"))
    if wanted is None:
        return Consistency(token, limits.seconds_default), {}
    applied = min(wanted, limits.seconds_max)
    return Consistency(token, applied), {"preference-applied": f"wait={applied:g}"}


def preferred_wait(prefer: list[str]) -> int | None:
    """The seconds of the first `wait` preference; unreadable ones are ignored, as the RFC requires."""
    for preference in ",".join(prefer).split(","):
        match = _wait.fullmatch(preference)
        if match is not None:
            return int(match.group(1) or match.group(2))
    return None
