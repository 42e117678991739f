"""docs/security.md names a test for each claim. Here: each named test exists, and no claim is without one."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT

PAGE = ROOT / "docs" / "security.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_SECTIONS = ("Threats and answers", "OWASP API Security Top 10 (2023)", "OWASP ASVS 5.0")


def claims(page: str, section: str) -> list[str]:
    """The rows of the table in this section, without its head."""
    text = page.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


@cache
def _tests_of(file: Path) -> frozenset[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def missing(page: str) -> list[str]:
    """The tests that the page names and that do not exist."""
    return [
        f"{file}::{name}"
        for file, name in _TEST.findall(page)
        if not (ROOT / file).is_file() or name not in _tests_of(ROOT / file)
    ]


def test_every_test_that_the_page_names_exists() -> None:
    assert missing(PAGE.read_text()) == []


@pytest.mark.parametrize("section", _SECTIONS)
def test_every_claim_names_a_test(section: str) -> None:
    rows = claims(PAGE.read_text(), section)
    assert rows
    assert [row for row in rows if not _TEST.search(row.rsplit(" | ", 1)[1])] == []


def test_a_claim_without_a_test_and_a_test_that_is_gone_are_noticed() -> None:
    rows = "| a | `tests/architecture/nothing.py::test_x` |\n| b | soon |"
    page = f"\n## A\n\n| risk | test |\n|---|---|\n{rows}\n\n## B\n"
    assert missing(page) == ["tests/architecture/nothing.py::test_x"]
    assert [row for row in claims(page, "A") if not _TEST.search(row)] == ["| b | soon |"]
