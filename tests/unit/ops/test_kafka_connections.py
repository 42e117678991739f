"""A connection to Kafka that was lost a moment ago fails like any broken one, on uvloop too."""

import asyncio

import aiokafka.conn
import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from shared.kafka.connections import survive_lost_connections
from tests.silent_server import silent_server

_AIOKAFKAS_OWN = aiokafka.conn.AIOKafkaConnection


@pytest.fixture(autouse=True)
def _only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiokafka.conn, "AIOKafkaConnection", _AIOKAFKAS_OWN)


async def _write_to_a_lost_connection() -> tuple[type[BaseException], list[object]]:
    """What the writer gets, and why the client was told that the connection is closed."""
    told: list[object] = []
    async with silent_server() as (port, _):
        connection = aiokafka.conn.AIOKafkaConnection(
            "127.0.0.1", port, on_close=lambda _, reason: told.append(reason)
        )
        # What `connect` does, without the exchange of versions that a silent server has no part in.
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: protocol, "127.0.0.1", port)
        connection._reader = reader
        connection._writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
        connection._read_task = connection._create_reader_task()
        transport.abort()
        while "closed=True" not in repr(transport):
            await asyncio.sleep(0)
        assert told == [], "the connection knows of it already"
        try:
            await connection.send(ApiVersionRequest())
        except RuntimeError as error:
            return type(error), told
        finally:
            connection.close()
    raise AssertionError("nothing was raised")


def test_a_write_to_a_connection_that_was_just_lost_is_a_broken_connection() -> None:
    survive_lost_connections()
    survive_lost_connections()
    raised, told = uvloop.run(_write_to_a_lost_connection())
    assert raised is KafkaConnectionError
    assert told == [aiokafka.conn.CloseReason.CONNECTION_BROKEN]


def test_aiokafka_alone_does_not_know_it_for_one() -> None:
    """When this fails, aiokafka or uvloop has been mended, and `survive_lost_connections` can go."""
    raised, _ = uvloop.run(_write_to_a_lost_connection())
    assert raised is RuntimeError
