"""Who may import whom: the contracts of pyproject.toml hold, and a technology stays in its folder."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT, imported

PACKAGES = ("command_api", "query_api", "projector", "shared")
# technology -> the folders or modules that may speak it; composition roots make its clients and hand them on
FOLDERS = {
    "asyncpg": {"postgres"},
    "aiokafka": {"kafka"},
    "faststream": {"kafka"},
    "redis": {"redis"},
    "aiosmtplib": {"smtp"},
    "fastapi": {"http"},
    "starlette": {"http"},
    "uvicorn": {"http"},
}
COMPOSITION_ROOTS = {
    "command_api/app.py": {"asyncpg"},
    "command_api/relay/app.py": {"asyncpg"},
    "query_api/assembly.py": {"asyncpg"},
    "query_api/history/parts.py": {"asyncpg"},
    "query_api/status/parts.py": {"asyncpg"},
    "projector/app.py": {"faststream"},
    "projector/stores.py": {"asyncpg", "redis"},
}


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _imported(module: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(module)}


def test_the_import_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("technology", FOLDERS)
def test_a_technology_is_spoken_only_in_the_folder_or_file_of_its_name(technology: str) -> None:
    strays = []
    for module in _modules():
        name = module.relative_to(ROOT).as_posix()
        is_at_home = FOLDERS[technology] & {*module.relative_to(ROOT).parent.parts, module.stem}
        if technology in _imported(module) and not is_at_home:
            strays.append(name)
    assert [name for name in strays if technology not in COMPOSITION_ROOTS.get(name, set())] == []


def test_no_exception_outlives_its_reason() -> None:
    stale = [
        (name, technology)
        for name, technologies in COMPOSITION_ROOTS.items()
        for technology in technologies
        if not (ROOT / name).exists() or technology not in _imported(ROOT / name)
    ]
    assert stale == []
