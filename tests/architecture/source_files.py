"""The files that the house rules are about, and how a broken rule names all who break it."""

from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("command_api", "query_api", "projector", "shared", "deploy", "docs")


def files(suffix: str) -> list[Path]:
    """Of all packages, in order."""
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob(f"*{suffix}"))]


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def nobody(offenders: Iterable[str]) -> None:
    """One rule is one test: its failure names every offender, a line each."""
    lines = list(offenders)
    assert not lines, "\n".join(["", *lines])
