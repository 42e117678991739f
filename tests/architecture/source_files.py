"""The files that the house rules are about, what they import, and how a broken rule names its offenders."""

import ast
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api", "query_api", "projector", "shared", "deploy", "docs")


def files(suffix: str) -> list[Path]:
    """Of all packages, in order."""
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob(f"*{suffix}"))]


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imported(file: Path) -> set[str]:
    """Dotted names, imports inside functions included; `from a import b` may mean a module of that name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def nobody(offenders: Iterable[str]) -> None:
    """One rule is one test: its failure names every offender, a line each."""
    lines = list(offenders)
    assert not lines, "\n".join(["", *lines])
