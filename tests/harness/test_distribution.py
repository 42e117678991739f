"""Whole files go to one worker, the slowest first."""

from dataclasses import dataclass

from tests.distribution import SECONDS_BY_FILE, scope_of, slowest_first
from tests.harness.runs import REPOSITORY


@dataclass(frozen=True)
class _Item:
    nodeid: str


def test_every_file_with_seconds_exists() -> None:
    assert [file for file in SECONDS_BY_FILE if not (REPOSITORY / file).is_file()] == []


def test_a_file_is_one_piece_of_work_and_so_are_all_end_to_end_tests() -> None:
    assert scope_of("tests/unit/test_a.py::TestB::test_c[d::e]") == "tests/unit/test_a.py"
    assert scope_of("tests/end_to_end/test_a.py::test_b") == scope_of("tests/end_to_end/test_c.py::test_d")


def test_the_slowest_files_come_first_and_all_else_keeps_its_order() -> None:
    fast, slow = sorted(SECONDS_BY_FILE, key=lambda file: SECONDS_BY_FILE[file])[:: len(SECONDS_BY_FILE) - 1]
    names = [
        "tests/a.py::test_z",
        "tests/a.py::test_a",
        f"{fast}::test_b",
        f"{slow}::test_d",
        f"{slow}::test_c",
    ]
    ordered = [item.nodeid for item in slowest_first([_Item(name) for name in names])]  # type: ignore[misc]
    assert [names.index(name) for name in ordered] == [3, 4, 2, 0, 1]
