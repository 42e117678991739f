"""Where a projection was, as its consumers have reported it: only what is of the present log counts."""

from typing import Any
from uuid import UUID

import pytest

from projector.control.ports import LagReport, PartitionLag
from projector.control.postgres import PostgresControl, PostgresPlaceOrders
from tests.integration.view_world import owner, read_model

__all__ = ["owner", "read_model"]
pytestmark = pytest.mark.servers
OLD_LOG, NEW_LOG = UUID(int=1), UUID(int=2)
_CHECKPOINT = """
    INSERT INTO views.projection_checkpoint (projection, topic, partition, next_offset, log_position, log_id)
    VALUES ('mails', 't', $1, 0, $2, $3)
"""


class Log:
    """Only its name is asked for."""

    def __init__(self, log_id: UUID) -> None:
        self._log_id = log_id

    async def log_id(self) -> UUID:
        return self._log_id


@pytest.mark.parametrize(
    ("log_id", "expected"), [(OLD_LOG, {0: 90, 2: 30, 3: 5, 4: 70}), (NEW_LOG, {1: 40, 2: 20, 3: 5})]
)
async def test_a_position_of_another_log_says_nothing(
    read_model: Any, log_id: UUID, expected: dict[int, int]
) -> None:
    lags = [(0, 90, OLD_LOG), (1, 40, NEW_LOG), (2, 30, OLD_LOG), (3, 5, None)]
    told = [PartitionLag(at, position, 0, 0, 0.0, None, of) for at, position, of in lags]
    await PostgresControl(read_model).tell([LagReport("mails", "t", told)])
    await read_model.execute(_CHECKPOINT, 2, 20, NEW_LOG)
    await read_model.execute(_CHECKPOINT, 4, 70, OLD_LOG)
    log: Any = Log(log_id)
    assert await PostgresPlaceOrders(read_model, log, projection="mails", topic="t").reported() == expected
