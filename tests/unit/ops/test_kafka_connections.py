"""Connections to Kafka on uvloop: one that was just lost is a broken one, one that is dropped is closed."""

import asyncio
import gc
import warnings

import aiokafka.conn
import pytest
import uvloop
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from shared.kafka.connections import mend_connections
from tests.silent_server import silent_server

_AIOKAFKAS_OWN = aiokafka.conn.AIOKafkaConnection


@pytest.fixture(autouse=True)
def _only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiokafka.conn, "AIOKafkaConnection", _AIOKAFKAS_OWN)


async def _connected(port: int, told: list[object]) -> aiokafka.conn.AIOKafkaConnection:
    """What `connect` makes, without the exchange of versions that a silent server has no part in."""
    connection = aiokafka.conn.AIOKafkaConnection(
        "127.0.0.1", port, on_close=lambda _, reason: told.append(reason)
    )
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    connection._closed_fut = loop.create_future()
    protocol = aiokafka.conn.AIOKafkaProtocol(connection._closed_fut, reader, loop=loop)
    transport, _ = await loop.create_connection(lambda: protocol, "127.0.0.1", port)
    connection._reader = reader
    connection._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    connection._read_task = connection._create_reader_task()
    return connection


async def _write_to_a_lost_connection() -> tuple[type[BaseException], list[object]]:
    """What the writer gets, and why the client was told that the connection is closed."""
    told: list[object] = []
    async with silent_server() as (port, _):
        connection = await _connected(port, told)
        transport = connection._writer.transport
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


async def _drop_a_connection() -> list[str]:
    """What is said of it until it is closed."""
    async with silent_server() as (port, _):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            connection = await _connected(port, [])
            closed = connection._closed_fut
            del connection
            gc.collect()
            async with asyncio.timeout(10):
                await closed
        return [str(one.message) for one in said]


def test_a_write_to_a_connection_that_was_just_lost_is_a_broken_connection() -> None:
    mend_connections()
    mend_connections()
    raised, told = uvloop.run(_write_to_a_lost_connection())
    assert raised is KafkaConnectionError
    assert told == [aiokafka.conn.CloseReason.CONNECTION_BROKEN]


def test_aiokafka_alone_does_not_know_it_for_one() -> None:
    """When this fails, aiokafka or uvloop has been mended, and that half of `mend_connections` can go."""
    raised, _ = uvloop.run(_write_to_a_lost_connection())
    assert raised is RuntimeError


def test_a_connection_that_is_dropped_is_closed_without_a_complaint() -> None:
    mend_connections()
    assert uvloop.run(_drop_a_connection()) == []


def test_aiokafka_alone_complains_of_it() -> None:
    assert any("Unclosed AIOKafkaConnection" in said for said in uvloop.run(_drop_a_connection()))
