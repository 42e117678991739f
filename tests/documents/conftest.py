"""A copy of the repository for each test, in memory where there is room."""

import shutil
from collections.abc import Iterator

import pytest

from tests.documents.fresh_copy import FreshCopy
from tests.run_folder import RunFolder, memory


@pytest.fixture
def fresh_copy() -> Iterator[FreshCopy]:
    """Removed after the test."""
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("the commands of the pages need curl and bash")
    folder = RunFolder(memory())
    try:
        yield FreshCopy(folder.path)
    finally:
        folder.close()
