"""Each image holds the packages that its process imports: all of them, and none for another process.

The imports come from the import graph that the import contracts use; the packages come from uv.lock.
"""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parents[2]
EXTRAS = {"command-api": "command_api", "query-api": "query_api", "projector": "projector"}
# Packages that no import of ours names.
_USED_WITHOUT_AN_IMPORT = {
    "sniffio": "httpcore asks for it at every lock",
    "fastapi-offline": "its folder of scripts is opened by name (shared/ops/http/documentation.py)",
    "opentelemetry-exporter-otlp-proto-http": "part of the name space `opentelemetry`",
    "opentelemetry-sdk": "part of the name space `opentelemetry`",
}


@pytest.fixture(scope="module")
def graph() -> Any:
    return grimp.build_graph(*EXTRAS.values(), "shared", include_external_packages=True)


def _imports(graph: Any, package: str) -> set[str]:
    """The packages of others that any module of ours imports, directly or through `shared`."""
    waiting, seen = {package} | graph.find_descendants(package), set[str]()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        found = graph.find_modules_directly_imported_by(module)
        # Importing a module imports the packages above it.
        found |= {
            ".".join(name.split(".")[:depth]) for name in found for depth in range(1, name.count(".") + 1)
        }
        waiting |= (found & graph.modules) - seen
    return {name for name in seen if graph.is_module_squashed(name)} - sys.stdlib_module_names


def _distributions(names: set[str]) -> dict[str, set[str]]:
    """The distributions that may have brought each name; more than one share a name space."""
    known = metadata.packages_distributions()
    return {name: {one.lower().replace("_", "-") for one in known[name]} for name in names}


def _locked(extra: str) -> set[str]:
    """What `uv sync --extra` puts into the image, with everything that comes along."""
    command = [
        str(Path(sys.executable).parent / "uv"), "export", "--quiet", "--frozen", "--no-dev",
        "--extra", extra, "--no-emit-project", "--format", "cyclonedx1.5",
    ]  # fmt: skip
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return {component["name"] for component in json.loads(answer.stdout)["components"]}


def _declared(extra: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"][extra]]
    return {line.split(";")[0].split("[")[0].split(">")[0].split("=")[0].strip() for line in lines}


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_a_process_imports_is_in_its_image(graph: Any, extra: str) -> None:
    locked = _locked(extra)
    missing = {
        name: distributions
        for name, distributions in _distributions(_imports(graph, EXTRAS[extra])).items()
        if not distributions & locked
    }
    assert missing == {}


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_is_declared_for_an_image_is_imported_by_its_process(graph: Any, extra: str) -> None:
    imported = set[str]().union(*_distributions(_imports(graph, EXTRAS[extra])).values())
    assert _declared(extra) - imported - _USED_WITHOUT_AN_IMPORT.keys() == set()


def test_both_directions_notice_a_fault(graph: Any) -> None:
    """The projector needs packages that the query API's image does not hold, and the reverse."""
    imported = set[str]().union(*_distributions(_imports(graph, "projector")).values())
    assert "aiosmtplib" in imported - _locked("query-api")
    assert "fastapi" in _declared("query-api") - imported
