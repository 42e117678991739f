"""Pause and resume a projection, from the command line or over HTTP."""

from collections.abc import Collection

from projector.applying.dead_letters import Action
from projector.control.ports import ControlBoard
from projector.errors import check_projection


class Pausing:
    """For the projections of these names. Raises `UnknownProjection`, `Unavailable`."""

    def __init__(self, board: ControlBoard, names: Collection[str]) -> None:
        self._board = board
        self._names = names

    async def pause(self, projection: str, action: Action) -> None:
        """All its consumers stop reading within about a second, after the batch in hand."""
        check_projection(projection, self._names)
        await self._board.set(projection, action, is_paused=True)

    async def resume(self, projection: str, action: Action) -> None:
        """Continue, if it was paused, was stopped, or waited because too many products failed."""
        check_projection(projection, self._names)
        await self._board.set(projection, action, is_paused=False)
