"""Commands over connections of their own: redis-py makes the connection, and the path of a call is short.

The client's own methods go through a pool, retries, metrics and two time-outs, and each gets the running
event loop (a system call on CPython 3.11): together a quarter of the time of a hot read. Here a call is one
time-out, one write and one read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError


class DirectCalls:
    """Call it with a packed command; it returns the answer. `seconds_max` bounds a call, connecting included.

    It has as many connections as there are calls at the same time; the caller bounds these. Raises redis-py's
    errors.
    """

    def __init__(self, redis: Redis, *, seconds_max: float) -> None:
        self._pool = redis.connection_pool
        self._seconds_max = seconds_max
        self._idle: list[AbstractConnection] = []

    def __call__(self, command: bytes) -> Awaitable[Any]:
        """The answer. Raises redis-py's errors."""
        return self._call(command, _answer)

    def all(self, commands: Sequence[bytes]) -> Awaitable[list[Any]]:
        """Their answers, from one write and one stretch of reading; an error answer is a value among them."""
        return self._call(b"".join(commands), _Answers(len(commands)))

    async def _call(self, command: bytes, read: Callable[[AbstractConnection], Awaitable[Any]]) -> Any:
        connection = self._idle.pop() if self._idle else self._new_connection()
        was_connected = connection.is_connected
        try:
            async with asyncio.timeout(self._seconds_max):
                try:
                    return await _ask(connection, command, read)
                except RedisConnectionError:
                    if not was_connected:
                        raise
                # An idle connection may have been closed; a new one shows whether Redis is available.
                return await _ask(connection, command, read)
        except TimeoutError as error:
            raise RedisTimeoutError(f"no answer within {self._seconds_max:g} s") from error
        finally:
            self._idle.append(connection)

    async def close(self) -> None:
        """Disconnect idle connections."""
        for connection in self._idle:
            await connection.disconnect(nowait=True)
        self._idle.clear()

    def _new_connection(self) -> AbstractConnection:
        """A connection like the pool's, but without its time-outs: one around the whole call is enough."""
        settings = {**self._pool.connection_kwargs, "socket_timeout": None}
        return self._pool.connection_class(**settings)


async def _ask(
    connection: AbstractConnection, command: bytes, read: Callable[[AbstractConnection], Awaitable[Any]]
) -> Any:
    try:
        if not connection.is_connected:
            await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_packed_command(command, check_health=False)
        return await read(connection)
    except BaseException:
        # No caller waits any more for an answer that may still arrive.
        await connection.disconnect(nowait=True)
        raise


def _answer(connection: AbstractConnection) -> Awaitable[Any]:
    return connection.read_response(disable_decoding=True)


class _Answers:
    """Reads so many answers."""

    def __init__(self, number: int) -> None:
        self._number = number

    async def __call__(self, connection: AbstractConnection) -> list[Any]:
        answers: list[Any] = []
        for _ in range(self._number):
            try:
                answers.append(await connection.read_response(disable_decoding=True))
            except ResponseError as error:
                answers.append(error)
        return answers
