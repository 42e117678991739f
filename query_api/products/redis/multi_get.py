"""MGET over connections of its own: redis-py makes the connection, the read path is kept short.

The client's `mget` passes a pool, retries, metrics and two time-outs, each of which asks for the running
event loop (a system call on CPython 3.11): together a quarter of a hot read's time. Here a batch is one
time-out, one write and one read.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class MultiGet:
    """Called with keys, answers their values in order. `seconds_max` bounds a call, connecting included.

    As many connections as there are calls at the same time, which is the caller's to bound. Raises redis-py's
    errors.
    """

    def __init__(self, redis: Redis, *, seconds_max: float) -> None:
        self._pool = redis.connection_pool
        self._seconds_max = seconds_max
        self._idle: list[AbstractConnection] = []

    async def __call__(self, keys: list[str]) -> Sequence[Any]:
        command = hiredis.pack_command(("MGET", *keys))  # type: ignore[arg-type]  # declared for one part
        connection = self._idle.pop() if self._idle else self._new_connection()
        was_connected = connection.is_connected
        try:
            async with asyncio.timeout(self._seconds_max):
                try:
                    return await _ask(connection, command)
                except RedisConnectionError:
                    if not was_connected:
                        raise
                # It may have been closed while it was idle; a new one tells whether Redis is there.
                return await _ask(connection, command)
        except TimeoutError as error:
            raise RedisTimeoutError(f"no answer within {self._seconds_max:g} s") from error
        finally:
            self._idle.append(connection)

    async def close(self) -> None:
        """Disconnect what is idle."""
        for connection in self._idle:
            await connection.disconnect(nowait=True)
        self._idle.clear()

    def _new_connection(self) -> AbstractConnection:
        """As the pool would make it, but without its time-outs: one around the whole call is enough."""
        settings = {**self._pool.connection_kwargs, "socket_timeout": None}
        return self._pool.connection_class(**settings)


async def _ask(connection: AbstractConnection, command: bytes) -> Sequence[Any]:
    try:
        if not connection.is_connected:
            await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_packed_command(command, check_health=False)
        answer: Sequence[Any] = await connection.read_response(disable_decoding=True)
    except BaseException:
        # Whatever is on its way belongs to nobody now.
        await connection.disconnect(nowait=True)
        raise
    return answer
