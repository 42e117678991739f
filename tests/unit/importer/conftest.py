"""An API for one test, and a shop's file to load."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.importer.batch_stand_in import BatchStandIn, served
from tests.unit.importer.import_runs import DATA


@pytest.fixture
def api() -> Iterator[BatchStandIn]:
    with served(BatchStandIn()) as stand_in:
        yield stand_in


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return Path(shutil.copy(DATA / "shopify.csv", tmp_path))
