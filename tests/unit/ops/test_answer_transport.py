"""A head and its body are written together, and nothing waits for a body that does not come."""

import asyncio
from typing import Any, cast

import pytest

from shared.ops.http.closing import AnswerTransport, ClosingProtocol

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class _Protocol:
    """Notes what is written, and whether the connection was closed."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport = self
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return False

    def close_after_reading(self) -> None:
        self.written.append(b"closed")


def _answers(protocol: _Protocol) -> AnswerTransport:
    return AnswerTransport(cast("ClosingProtocol", cast("Any", protocol)))


@pytest.mark.parametrize("body", [b"body", bytearray(b"body"), memoryview(b"body")])
async def test_a_head_and_its_body_are_one_write(body: Any) -> None:
    protocol = _Protocol()
    answers = _answers(protocol)
    answers.write(HEAD)
    answers.write(body)
    answers.write(body)
    assert protocol.written == [HEAD + b"body", b"body"]
    await asyncio.sleep(0)
    assert len(protocol.written) == 2


async def test_a_head_whose_body_comes_later_goes_alone_in_the_same_tick() -> None:
    protocol = _Protocol()
    answers = _answers(protocol)
    answers.write(HEAD)
    await asyncio.sleep(0)
    assert protocol.written == [HEAD]
    answers.write(b"body")
    assert protocol.written == [HEAD, b"body"]


async def test_the_end_of_an_answer_without_a_body_sends_its_head_first() -> None:
    protocol = _Protocol()
    answers = _answers(protocol)
    answers.write(HEAD)
    answers.close()
    assert protocol.written == [HEAD, b"closed"]
