"""Two things that aiokafka's connections lack on uvloop, in a process that starts and stops under faults.

aiokafka expects an OSError, or silence, from a write to a connection whose end it has not been told of yet.
uvloop raises a RuntimeError there. Nothing in aiokafka catches that, so the task that wrote dies: the one
that keeps a client's metadata, or a consumer's coordination or fetches. The client lives on and waits for it
for ever. (aiokafka issue 1038; with 20 consumers, a busy loop, and connections cut once a second, four died
a minute.)

A client's first connection belongs to nobody while it asks for metadata: cancelled there, aiokafka drops it.
"""

from typing import Any

import aiokafka.conn
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError


class _Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """Fails like any broken connection: aiokafka asks for new metadata and sends again."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Raises aiokafka's errors alone."""
        try:
            return super().send(request, expect_response)
        except KafkaError:
            raise
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error

    def __del__(self) -> None:
        """Closed without a complaint: consumers and producers that nobody closed have one of their own."""
        if self.connected() and not self._loop.is_closed():
            self._on_close_cb = None
            self.close()


def mend_connections() -> None:
    """Of every aiokafka client that this process makes from now on, which has no place to hand in a class.

    Call it as often as you like.
    """
    aiokafka.conn.AIOKafkaConnection = _Connection


async def close_client(client: AIOKafkaClient) -> None:
    """Close it although its metadata task has died, of whatever: its own `close` ends at that."""
    try:
        await client.close()
    except RuntimeError:
        client._sync_task = None
        await client.close()
