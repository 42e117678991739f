"""What several test files use has a module of its own: the world that they share is found by its name."""

from tests.architecture.source_files import ROOT, imported, named, nobody


def test_no_module_imports_a_test_file_or_a_test() -> None:
    imports = {
        f"{named(file)} imports {name}"
        for file in (ROOT / "tests").rglob("*.py")
        for name in imported(file)
        if name.startswith(("tests.", ".")) and ".test_" in name
    }
    nobody(sorted(imports))
