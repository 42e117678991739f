"""A failure that nobody waits for is a warning if it is a connection's, and else an error."""

import asyncio
import gc
import logging
import ssl

import pytest
from structlog.testing import capture_logs

from shared.ops.abandoned_connections import tell_of_abandoned_connections


async def _leave(error: Exception) -> None:
    asyncio.get_running_loop().create_future().set_exception(error)
    gc.collect()


async def test_a_connection_that_fails_after_its_caller_has_left_is_an_outage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tell_of_abandoned_connections(asyncio.get_running_loop())
    with capture_logs() as lines:
        await _leave(ssl.SSLCertVerificationError(1, "certificate verify failed"))
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "an abandoned connection failed")
    ]
    assert "certificate verify failed" in lines[0]["reason"]
    assert caplog.records == []


async def test_a_tls_connection_that_was_closed_and_had_to_answer_is_no_defect(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    tell_of_abandoned_connections(loop)
    closed = RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
    with capture_logs() as lines:
        # As uvloop calls it, from where it has no caller.
        loop.call_exception_handler(
            {"message": "Fatal error on SSL protocol", "exception": closed, "transport": object()}
        )
    assert [line["log_level"] for line in lines] == ["warning"]
    assert caplog.records == []


async def test_what_else_nobody_has_retrieved_stays_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ConnectionResetError("of a task of ours")

    tell_of_abandoned_connections(asyncio.get_running_loop())
    await _leave(ValueError("a defect"))
    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    gc.collect()
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
