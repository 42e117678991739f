"""The use case of the command API, with queues that refuse nobody, however slow the machine is."""

from collections.abc import Callable
from time import monotonic
from uuid import UUID

from uuid_utils.compat import uuid7

from command_api.executing.command_turns import CommandTurns
from command_api.executing.execute import ExecuteCommand
from command_api.executing.known_products import KnownProducts
from command_api.executing.ports import EventStore

_PATIENCE_SECONDS = 600.0
_CONFLICT_RETRIES_MAX = 3


def command_turns(
    *, seconds_max: float = _PATIENCE_SECONDS, key_seconds_max: float = _PATIENCE_SECONDS
) -> CommandTurns:
    """Turns with a limit for the product or for the key; the other one is not reached."""
    return CommandTurns(
        seconds_max=seconds_max, standing_seconds_max=seconds_max, key_seconds_max=key_seconds_max
    )


def execute_command(
    store: EventStore,
    *,
    new_id: Callable[[], UUID] = uuid7,
    turns: CommandTurns | None = None,
    clock: Callable[[], float] = monotonic,
) -> ExecuteCommand:
    """One process: each has turns and a memory of its own."""
    return ExecuteCommand(
        store,
        new_id=new_id,
        conflict_retries_max=_CONFLICT_RETRIES_MAX,
        turns=turns or command_turns(),
        known_products=KnownProducts(products_max=1_000),
        clock=clock,
    )
