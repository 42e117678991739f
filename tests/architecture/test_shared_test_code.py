"""What several test files use has a module of its own: the world that they share is found by its name."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_files import ROOT, named, nobody


def _imported(file: Path) -> Iterator[str]:
    """Dotted names, imports inside functions included; `from a import b` may mean a module of that name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_no_module_imports_a_test_file_or_a_test() -> None:
    imports = {
        f"{named(file)} imports {name}"
        for file in (ROOT / "tests").rglob("*.py")
        for name in _imported(file)
        if name.startswith(("tests.", ".")) and ".test_" in name
    }
    nobody(sorted(imports))
