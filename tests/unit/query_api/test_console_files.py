"""The files of the console: libraries are release files, our modules load, and none of them runs a text."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from query_api.console.files import static_files
from tests.architecture.source_files import ROOT

STATIC = ROOT / "query_api" / "console" / "static"
VENDOR = STATIC / "vendor"
MODULES = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)
MODULE_LINES_MAX = 250
# Each of them would run or show as markup what may be a product's name.
_DANGEROUS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|unsafeHTML|srcdoc"
)
_IMPORT = re.compile(r"""^(?:import|\}).* from "([^"]+)";$|\bimport\("([^"]+)"\)""", re.MULTILINE)


def _listed() -> dict[str, str]:
    packages = json.loads((VENDOR / "versions.json").read_text())
    return {name: file["sha256"] for package in packages for name, file in package["files"].items()}


def test_each_library_is_the_file_of_its_release_with_its_licence_beside_it() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name != "versions.json"
    }
    assert found == _listed()
    for package in json.loads((VENDOR / "versions.json").read_text()):
        assert {"package", "version", "licence", "archive_sha256"} <= package.keys()
        assert any(name.startswith("LICENSE.") for name in package["files"])


def test_no_module_runs_a_text_or_shows_it_as_markup() -> None:
    found = {str(path.relative_to(STATIC)): _DANGEROUS.findall(path.read_text()) for path in MODULES}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_a_module_can_be_read_in_one_sitting_and_begins_with_a_sentence() -> None:
    for path in MODULES:
        text = path.read_text()
        assert len(text.splitlines()) <= MODULE_LINES_MAX, path
        assert re.match(r"/\*\*\s[\s*]*\S.{20}", text), path


def test_every_import_and_every_address_in_the_page_is_a_file_that_is_served() -> None:
    served = static_files()
    page = (STATIC / "index.html").read_text()
    named = {name.removeprefix("console/") for name in re.findall(r'(?:src|href)="([^"]+)"', page)}
    assert named <= served.keys()
    for path in MODULES:
        for name in map("".join, _IMPORT.findall(path.read_text())):
            target = (path.parent / name).resolve().relative_to(STATIC)
            assert str(target) in served, f"{path.name} imports {name}"


def test_the_page_preloads_exactly_what_the_first_page_imports() -> None:
    """Otherwise a module would be found only after another one has come: a further round trip."""
    page = (STATIC / "index.html").read_text()
    preloaded = set(re.findall(r'modulepreload" href="console/([^"]+)"', page))
    assert preloaded == _reached("app.js") | _reached("pages/pipeline.js") | {"pages/pipeline.js"}


def _reached(name: str) -> set[str]:
    """What a module imports, and what that imports; not what it loads later by `import()`."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        path = STATIC / waiting.pop()
        for imported in re.findall(r'^import .*?from "([^"]+)"', path.read_text(), re.MULTILINE):
            target = str((path.parent / imported).resolve().relative_to(STATIC))
            if target not in found:
                found.add(target)
                waiting += [target] if VENDOR.name not in target else []
    return found


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_has_no_syntax_error(path: Path) -> None:
    checked = subprocess.run(
        ["node", "--input-type=module", "--check"], input=path.read_text(), text=True, capture_output=True
    )
    assert checked.returncode == 0, checked.stderr
