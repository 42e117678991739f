"""Repairs three faults of aiokafka's connections, which show when servers fail, or refuse us.

If a connection has ended and aiokafka has not noticed it yet, it expects an OSError, or no error, from a
write. uvloop raises a RuntimeError. Nothing in aiokafka catches it, so the task that wrote dies: the one for
a client's metadata, or for a consumer's coordination or fetches. The client then waits for it for ever.
(aiokafka issue 1038; with 20 consumers, a busy loop, and connections cut once a second, four died per
minute.)

While a client asks its first connection for metadata, no object owns that connection: if the client is
cancelled there, aiokafka never closes it.

If no server lets us in, aiokafka's error says "Unable to bootstrap" and not why.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiokafka.conn
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError

from shared.ops.error_text import named
from shared.ops.secret import Secret, newest
from shared.ops.tls import ClientTls

_bootstrap_of_aiokafka = AIOKafkaClient.bootstrap
_CLOSED_HINT = "; does it require TLS, a user, or a client certificate?"
# Why the servers of the client that is just starting did not let us in.
_failures: ContextVar[list[str] | None] = ContextVar("failures", default=None)


class _Connection(AIOKafkaConnection):  # type: ignore[misc]  # aiokafka has no types
    """Fails like any broken connection, so that aiokafka gets new metadata and sends again.

    It takes a `ClientTls` as context and a `Secret` as password, and reads them when it connects: aiokafka
    itself would keep the first ones for the life of a client.
    """

    def __init__(
        self,
        *address: Any,
        ssl_context: ClientTls | ssl.SSLContext | None = None,
        sasl_plain_password: Secret | str | None = None,
        **more: Any,
    ) -> None:
        """Raises `OSError` if the certificates cannot be used."""
        with _noting_failures(*address):
            super().__init__(
                *address,
                ssl_context=ssl_context.context() if isinstance(ssl_context, ClientTls) else ssl_context,
                sasl_plain_password=None if sasl_plain_password is None else newest(sasl_plain_password),
                **more,
            )

    async def connect(self) -> Any:
        """Raises as aiokafka's."""
        with _noting_failures(self.host, self.port):
            return await super().connect()

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Raises only aiokafka's errors."""
        try:
            return super().send(request, expect_response)
        except KafkaError:
            raise
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error

    def __del__(self) -> None:
        """Closes without a warning: unclosed consumers and producers give their own."""
        if self.connected() and not self._loop.is_closed():
            self._on_close_cb = None
            self.close()


def mend_connections() -> None:
    """Use these connections in every new aiokafka client of this process; aiokafka has no argument for the
    class.

    Safe to call several times.
    """
    aiokafka.conn.AIOKafkaConnection = _Connection
    AIOKafkaClient.bootstrap = _bootstrap


async def _bootstrap(self: AIOKafkaClient) -> None:
    """As aiokafka's; its error also has the reason for each server."""
    failures: list[str] = []
    noted = _failures.set(failures)
    try:
        await _bootstrap_of_aiokafka(self)
    except KafkaConnectionError as error:
        raise KafkaConnectionError(f"no server lets us in: {'; '.join(failures)}") from error
    finally:
        _failures.reset(noted)


@contextmanager
def _noting_failures(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        failures = _failures.get()
        if failures is not None:
            # A broker that requires TLS or a certificate says nothing to a client without.
            hint = _CLOSED_HINT if isinstance(error, KafkaConnectionError) else ""
            failures.append(f"{host}:{port}: {named(error)}{hint}")
        raise


async def close_client(client: AIOKafkaClient) -> None:
    """Close a client even if its metadata task has died, for any reason: its own `close` would fail then."""
    try:
        await client.close()
    except RuntimeError:
        client._sync_task = None
        await client.close()
