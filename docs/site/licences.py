"""The page of licences: what the site contains of others, with the texts of their licences."""

import json
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from docs.site.pages import ROOT

_PYTHON = {"mkdocs-material": "the theme and the search", "fastapi-offline": "the files of Swagger UI"}
# Swagger UI has the licence that we have ourselves.
_SWAGGER_UI = "https://github.com/swagger-api/swagger-ui"
_NPM = {"mermaid": "draws the pictures", "iframe-worker": "lets a page search without a server"}


def licences_page(modules: Path) -> str:
    """`modules` is the folder of npm's packages."""
    parts = [*_python(), *_swagger_ui(), *_npm(modules)]
    return "\n".join(["# Licences", "", "What this site contains of others.", "", *parts])


def _python() -> Iterator[str]:
    for name, purpose in _PYTHON.items():
        found = distribution(name)
        texts = [
            found.locate_file(file).read_text()
            for file in found.files or []
            if "licenses" in file.parts or file.name.upper().startswith("LICENSE")
        ]
        yield from _section(name, found.version, purpose, texts)


def _swagger_ui() -> Iterator[str]:
    copy = f"as in fastapi-offline {distribution('fastapi-offline').version}"
    yield from _section(
        "swagger-ui", copy, f"shows both APIs (<{_SWAGGER_UI}>)", [(ROOT / "LICENSE").read_text()]
    )


def _npm(modules: Path) -> Iterator[str]:
    for name, purpose in _NPM.items():
        folder = modules / name
        version = json.loads((folder / "package.json").read_text())["version"]
        yield from _section(name, version, purpose, [(folder / "LICENSE").read_text()])


def _section(name: str, version: str, purpose: str, texts: list[str]) -> Iterator[str]:
    assert texts, f"{name} has no text of a licence"
    yield from (f"## {name}", "", f"Version {version}: {purpose}.", "")
    for text in texts:
        yield from ("```text", *text.strip().splitlines(), "```", "")
