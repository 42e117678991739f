"""Why a background task fails: logged once, and reported by readiness as long as it lasts."""

from projector.errors import CannotGoOn, ProjectorError, Unavailable
from shared.ops.error_text import named
from shared.ops.health import OnlyAnOperatorHelps
from shared.ops.logs import get_logger

_log = get_logger(__name__)


class Trouble:
    """The error of one task of a projection. `message` is for the log: `states are not published`."""

    def __init__(self, projection: str, message: str) -> None:
        self._projection = projection
        self._message = message
        self._reason: str | None = None
        self._is_for_an_operator = False

    @property
    def lasts(self) -> bool:
        """Whether the last attempt failed."""
        return self._reason is not None

    def check(self) -> None:
        """Raises `Unavailable` or `OnlyAnOperatorHelps` with the reason while it lasts."""
        if self._reason is not None and self._is_for_an_operator:
            raise OnlyAnOperatorHelps(self._reason)
        if self._reason is not None:
            raise Unavailable(self._reason)

    def tell(self, error: Exception | None) -> None:
        """How the last attempt ended; None: without an error."""
        reason = None if error is None else named(error)
        if reason is not None and reason != self._reason:
            # An error that an operator must repair, and an unexpected one, are louder than an outage.
            is_loud = isinstance(error, CannotGoOn) or not isinstance(error, ProjectorError)
            write = _log.critical if is_loud else _log.warning
            write(
                "background work fails",
                projection=self._projection,
                effect=self._message,
                reason=reason,
                exc_info=error,
            )
        self._reason = reason
        self._is_for_an_operator = isinstance(error, CannotGoOn)
