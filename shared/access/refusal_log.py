"""Log lines and counts of refused requests: never a token, and not a line for each of a flood."""

from collections.abc import Callable

from shared.access.caller import Caller
from shared.ops.http.asgi import Scope
from shared.ops.http.problem import Problem
from shared.ops.log_repeats import Repeats
from shared.ops.logs import get_logger
from shared.ops.metrics.access import ACCESS_REFUSALS
from shared.ops.settings import ProcessSettings

_log = get_logger(__name__)
AddressOf = Callable[[Scope], str | None]


def peer_address(scope: Scope) -> str | None:
    """The other end of the connection, whoever it is."""
    client = scope.get("client")
    return client[0] if client else None


class RefusalLog:
    """The event is always `access refused`; `reason` is the problem's code. `address_of` tells the client of
    a request, also behind proxies.
    """

    def __init__(self, settings: ProcessSettings, address_of: AddressOf = peer_address) -> None:
        self._address_of = address_of
        self._repeats: Repeats[str] = Repeats(
            passes_max=settings.log_repeats_max, interval_seconds=settings.log_repeats_seconds
        )

    def note(self, scope: Scope, method: str, route: str, problem: Problem, caller: Caller | None) -> None:
        """Count, and log unless the same reason was logged often in a short time."""
        ACCESS_REFUSALS.labels(problem.code).inc()
        suppressed = self._repeats.suppressed_before(problem.code)
        if suppressed is None:
            return
        _log.warning(
            "access refused",
            reason=problem.code,
            detail=problem.detail,
            method=method,
            route=route,
            client_address=self._address_of(scope),
            actor=caller.subject if caller else None,
            suppressed=suppressed,
        )
