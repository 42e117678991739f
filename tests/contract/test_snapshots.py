"""Which code may read a snapshot, and at which versions one is due."""

import os
import subprocess
import sys

import pytest

from shared.contract import snapshots
from shared.contract.codec import STORED_TYPES, StoredType
from shared.contract.events import ProductPublished
from shared.contract.snapshots import FOLD, SNAPSHOT_VERSIONS, is_due


def test_the_hash_of_the_fold_is_the_same_in_every_process() -> None:
    """Projector and query API are different ones, maybe of different Pythons."""
    asked = [sys.executable, "-c", "from shared.contract.snapshots import FOLD; print(FOLD)"]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        told = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True)
        assert told.stdout.strip() == FOLD


def test_code_that_knows_another_event_type_has_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = (*STORED_TYPES, StoredType(ProductPublished, "product-recalled", 1))
    monkeypatch.setattr(snapshots, "STORED_TYPES", newer)
    assert snapshots._fold_hash() != FOLD


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0, 1, False), (0, 499, False), (499, 500, True), (0, 500, True), (500, 501, False), (499, 1200, True)],
)
def test_a_snapshot_is_due_when_a_stream_has_passed_so_many_versions(
    before: int, after: int, expected: bool
) -> None:
    assert SNAPSHOT_VERSIONS == 500
    assert is_due(before, after) is expected
