"""The answers to many SETs: redis-py takes longer to read one than Redis takes to execute its command."""

import asyncio
from collections.abc import Sequence
from itertools import islice

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

_OK = b"+OK\r\n"


async def refused_sets(connection: AbstractConnection, number: int) -> Sequence[int]:
    """Read the answers to so many SETs; which of these were refused, as indexes from 0.

    Nothing else may be unread on the connection. Raises redis-py's errors for its end and for its time-out.
    """
    stream = connection._reader  # redis-py has no public way to unread bytes
    assert stream is not None, "the commands were sent over it"
    try:
        async with asyncio.timeout(connection.socket_timeout):
            # An error is longer than this, so that there are always as many bytes.
            data = await stream.readexactly(number * len(_OK))
            return () if data == _OK * number else await _errors(stream, data, number)
    except TimeoutError as error:
        raise RedisTimeoutError("no answer to documents in bulk") from error
    except (EOFError, OSError) as error:
        raise RedisConnectionError("the connection ended before it answered to documents in bulk") from error


async def _errors(stream: asyncio.StreamReader, data: bytes, number: int) -> Sequence[int]:
    reader, answers = hiredis.Reader(), list[object]()
    while True:
        reader.feed(data)
        answers += islice(iter(reader.gets, False), number - len(answers))
        if len(answers) == number:
            return [at for at, answer in enumerate(answers) if isinstance(answer, hiredis.ReplyError)]
        data = await stream.readline()
        if not data:
            raise EOFError
