"""The changes that pages show fit the code of today: told at once, before the long tours make them."""

import subprocess

import pytest

from tests.documents.console_blocks import REPOSITORY, Block, blocks

CHANGES = [
    (page.stem, block)
    for page in sorted(REPOSITORY.glob("docs/**/*.md"))
    for block in blocks(page)
    if block.language == "diff"
]


def test_there_are_changes() -> None:
    assert CHANGES


@pytest.mark.parametrize(("page", "change"), CHANGES, ids=lambda value: str(getattr(value, "line", value)))
def test_a_change_can_be_applied(page: str, change: Block) -> None:
    asked = ["git", "apply", "--check", "-"]
    answer = subprocess.run(
        asked, cwd=REPOSITORY, input=change.text, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, f"{page}, line {change.line}: {answer.stderr}"
