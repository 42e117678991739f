"""What a runbook page tells its reader to type: commands of ours, and queries."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.observability.rule_files import RUNBOOKS

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_OURS = re.compile(r"python -m (?:projector|command_api)(?: \S.*)?")
_LOOKS_LIKE_A_QUERY = re.compile(r"[a-z][a-z0-9_:]*_(?:total|seconds|events|open|left)|[a-z].*[a-z_:]+[({].*")


def pages() -> list[Path]:
    return sorted(page for page in RUNBOOKS.glob("*.md") if page.name != "README.md")


def queries(page: Path) -> Iterator[str]:
    """Each line of a block of PromQL, and code inside sentences that looks like a query or a metric."""
    text = page.read_text()
    for language, block in _BLOCK.findall(text):
        if language == "promql":
            yield from filter(None, map(str.strip, block.splitlines()))
    for code in _CODE.findall(_BLOCK.sub("", text)):
        if _LOOKS_LIKE_A_QUERY.fullmatch(code) and not _OURS.match(code) and "/" not in code:
            yield code


def commands(page: Path) -> Iterator[str]:
    """Each command of ours, without the prompt and the comment behind it."""
    text = page.read_text()
    blocks = "\n".join(block for language, block in _BLOCK.findall(text) if language == "console")
    for line in re.findall(r"^ *\$ (.*)$", blocks, flags=re.MULTILINE):
        if _OURS.match(line):
            yield line.partition("  #")[0].partition("; echo ")[0].strip()
    yield from (code for code in _CODE.findall(_BLOCK.sub("", text)) if _OURS.fullmatch(code))
