"""A copy or a clone of the repository for each test, in memory where there is room."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.documents.fresh_copy import FreshClone, FreshCopy
from tests.run_folder import RunFolder, memory


@pytest.fixture
def fresh_copy() -> Iterator[FreshCopy]:
    """Removed after the test."""
    with _folder() as folder:
        yield FreshCopy(folder)


@pytest.fixture
def fresh_clone() -> Iterator[FreshClone]:
    """Removed after the test."""
    with _folder() as folder:
        yield FreshClone(folder)


@contextmanager
def _folder() -> Iterator[Path]:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("the commands of the pages need curl and bash")
    folder = RunFolder(memory())
    try:
        yield folder.path
    finally:
        folder.close()
