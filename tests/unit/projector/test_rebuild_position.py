"""How far a rebuild is, as `rebuild --show` tells."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from projector.rebuild.ports import CATCHING_UP, LOADING, SWITCHED, Record


@pytest.mark.parametrize(
    ("phase", "reached", "position"),
    [(LOADING, 0, 0), (CATCHING_UP, 0, 40), (CATCHING_UP, 55, 55), (SWITCHED, 0, 40)],
)
def test_a_rebuild_whose_slices_are_loaded_is_at_its_target_at_least(
    phase: str, reached: int, position: int
) -> None:
    now = datetime.now(UTC)
    record = Record("product_view", phase, UUID(int=1), 40, reached, 1, [0], 40, 0, "1.0.0", "", "", now, now)
    assert record.position == position
