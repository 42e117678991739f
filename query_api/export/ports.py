"""The port of the export; its adapter is in `postgres/`.

It raises `ReadModelUnavailable`, and with `applied` `ReadModelBehind` (errors.py).
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from query_api.applied import Applied

Sink = Callable[[bytes], Awaitable[None]]
"""Takes one piece; the next one comes when it returns."""


class Snapshot(Protocol):
    """The catalogue as it was at one moment.

    It includes every event up to `log_position`, and some later ones. `product_count` is the number of its
    products.
    """

    @property
    def log_position(self) -> int: ...

    @property
    def product_count(self) -> int: ...

    async def send_documents(self, sink: Sink) -> None:
        """Each document once, in the order of the ids, with a newline after it. A piece is one or more whole
        lines; there are never more pieces in memory than the sink has taken, and one.
        """
        ...


class Snapshots(Protocol):
    """Opens snapshots of the products in these statuses. Each holds a connection until it is closed."""

    def open(
        self, statuses: tuple[str, ...], applied: Applied | None = None
    ) -> AbstractAsyncContextManager[Snapshot]: ...
