"""An error is told with its class once, whoever wrote its text."""

import pytest
from aiokafka.errors import KafkaConnectionError

from shared.ops.error_text import named


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KafkaConnectionError("no server lets us in"), "KafkaConnectionError: no server lets us in"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: [Errno 111] refused"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("ValueErrors are in the file"), "ValueError: ValueErrors are in the file"),
    ],
)
def test_the_class_is_said_once(error: Exception, text: str) -> None:
    assert named(error) == text
