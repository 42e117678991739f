"""Versions of Semantic Versioning, without pre-releases: each commit of main is tested like a release."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple, Self

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class Version(NamedTuple):
    """Compares as numbers: 0.10.0 is above 0.9.0."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        numbers = _VERSION.fullmatch(text)
        if numbers is None:
            raise ValueError(f"{text} is no version like 1.2.3")
        return cls(*map(int, numbers.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def next(self, level: str) -> "Version":
        """The next `major`, `minor` or `patch` version. Raises ValueError."""
        match level:
            case "major":
                return Version(self.major + 1, 0, 0)
            case "minor":
                return Version(self.major, self.minor + 1, 0)
            case "patch":
                return Version(self.major, self.minor, self.patch + 1)
            case _:
                raise ValueError(f"{level} is no version like 1.2.3, and not major, minor or patch")


def of_project(root: Path) -> Version:
    """The version that pyproject.toml has now."""
    return Version.parse(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def wanted(root: Path, version_or_level: str) -> Version:
    """What the argument of `make release` asks for. Raises ValueError."""
    if version_or_level[:1].isdigit():
        return Version.parse(version_or_level)
    return of_project(root).next(version_or_level)
