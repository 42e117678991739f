"""Folders that several processes want at the same time: the first one fills them, the others wait for it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from deploy.local.cache import fill_once


def test_a_folder_is_filled_by_one_of_two_that_want_it_at_the_same_time(tmp_path: Path) -> None:
    folder, begun, other_has_returned = tmp_path / "copy", Event(), Event()
    filled: list[str] = []

    def fill_slowly() -> None:
        begun.set()
        # Without a lock the other one fills it meanwhile.
        other_has_returned.wait(0.5)
        filled.append("first")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fill_once, folder, fill_slowly)
        assert begun.wait(20)
        other = threads.submit(fill_once, folder, lambda: filled.append("other"))
        other.add_done_callback(lambda _: other_has_returned.set())
        first.result(20)
        other.result(20)

    assert filled == ["first"]


def test_a_folder_that_was_not_filled_to_its_end_is_filled_again(tmp_path: Path) -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        fill_once(tmp_path, fail)
    filled: list[str] = []
    fill_once(tmp_path, lambda: filled.append("again"))
    fill_once(tmp_path, lambda: filled.append("once more"))
    assert filled == ["again"]
