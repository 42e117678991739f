"""Lays the pages out in a folder, and lets MkDocs make the site of them. A warning of MkDocs is an error."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from docs.site.apis import documents, write_api_pages
from docs.site.licences import licences_page
from docs.site.pages import ROOT, copy_pages, navigation
from docs.site.topics import read_document, topics_page

SITE = ROOT / "site"
WORK = ROOT / "build" / "site"
_HERE = Path(__file__).parent
_APIS = "docs/apis"
_WORKER = "iframe-worker.js"
_THEIR_WORKER = "https://unpkg.com/iframe-worker/shim"
_QUIET = {"NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
_NPM_FILES = ("package.json", "package-lock.json")


class SiteNotBuilt(Exception):
    """A link leads nowhere, or a program that the build needs is missing or has failed."""


def build_site(to: Path = SITE, work: Path = WORK) -> None:
    """Everything, from scratch. Raises `SiteNotBuilt`."""
    pages = work / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    lists = copy_pages(pages)
    write_api_pages(pages / _APIS, asyncio.run(documents()))
    (pages / _APIS / "topics.md").write_text(topics_page(read_document(ROOT / "docs" / "asyncapi.yaml")))
    modules = _npm_packages(work / "npm")
    (pages / "licences.md").write_text(licences_page(modules))
    assets = pages / "assets"
    assets.mkdir()
    shutil.copyfile(modules / "mermaid" / "dist" / "mermaid.min.js", assets / "mermaid.min.js")
    shutil.copyfile(modules / "iframe-worker" / "shim" / "index.js", assets / _WORKER)
    shutil.copyfile(_HERE / "site.css", assets / "site.css")
    settings = work / "mkdocs.yml"
    settings.write_text(yaml.safe_dump(_settings(pages, to, lists)))
    _run([sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(settings)], work)
    _use_our_worker(to)


def _settings(pages: Path, to: Path, lists: list[Path]) -> dict[str, Any]:
    described: list[dict[str, str]] = [
        {"Command API": f"{_APIS}/command-api.md"},
        {"Query API": f"{_APIS}/query-api.md"},
        {"Topics and messages": f"{_APIS}/topics.md"},
        *({f"Files of {place.parent}": place.as_posix()} for place in lists),
    ]
    more = [{"All pages": "docs/README.md"}, {"APIs and topics": described}, {"Licences": "licences.md"}]
    return {
        "INHERIT": os.path.relpath(_HERE / "mkdocs.yml", pages.parent),
        "docs_dir": str(pages),
        "site_dir": str(to),
        "nav": [*navigation(), *more],
    }


def _use_our_worker(site: Path) -> None:
    """The theme takes the program that lets a page search without a server from another server."""
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        page.write_text(page.read_text().replace(_THEIR_WORKER, f"{up}assets/{_WORKER}"))


def _npm_packages(folder: Path) -> Path:
    """What package-lock.json names, checked against its digests; no script of a package runs."""
    folder.mkdir(parents=True, exist_ok=True)
    installed = folder / "node_modules"
    wanted = [(_HERE / name).read_bytes() for name in _NPM_FILES]
    present = [(folder / name).read_bytes() if (folder / name).exists() else b"" for name in _NPM_FILES]
    if wanted != present or not installed.is_dir():
        for name in _NPM_FILES:
            shutil.copyfile(_HERE / name, folder / name)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder)
    return installed


def _run(command: list[str], folder: Path) -> None:
    try:
        ended = subprocess.run(  # noqa: S603  # our own words
            command, cwd=folder, env=os.environ | _QUIET, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise SiteNotBuilt(f"the site needs the program {command[0]}") from error
    if ended.returncode != 0:
        raise SiteNotBuilt(f"{' '.join(command)} failed:\n{ended.stdout}{ended.stderr}")
