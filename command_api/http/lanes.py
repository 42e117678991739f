"""Batches and single commands take turns when more arrive than can be worked on.

A batch may have a thousand operations. So few batches are worked on at one time, or commands would wait
behind all their operations for the next append call.
"""

from command_api.http.routes import BATCH_PATH
from shared.ops.http.asgi import Scope
from shared.ops.overload.lanes import Lane

_COMMANDS, _BATCHES = "commands", "batches"


def lanes(batches_max: int) -> tuple[Lane, ...]:
    """At most `batches_max` batches are worked on at one time."""
    return Lane(_COMMANDS), Lane(_BATCHES, batches_max, rests=False)


def lane_of(scope: Scope) -> str:
    """The lane of a request."""
    return _BATCHES if scope["path"] == BATCH_PATH else _COMMANDS
