"""What several test files use has a module of its own: the world that they share is found by its name."""

import ast

from tests.architecture.source_files import ROOT, imported, named, nobody

_REQUESTS = {f"httpx.{name}" for name in ("AsyncClient", "Client", "get", "post", "put", "request")}


def test_no_module_imports_a_test_file_or_a_test() -> None:
    imports = {
        f"{named(file)} imports {name}"
        for file in (ROOT / "tests").rglob("*.py")
        for name in imported(file)
        if name.startswith(("tests.", ".")) and ".test_" in name
    }
    nobody(sorted(imports))


def test_a_request_of_a_test_waits_longer_than_a_busy_machine_needs() -> None:
    """httpx gives up after 5 s, and such a test fails once in a hundred runs."""
    nobody(
        f"{named(file)}:{call.lineno} {ast.unparse(call.func)} has no timeout"
        for file in sorted((ROOT / "tests").rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in _REQUESTS
        # Without a name: `**options`. With a transport there is no network.
        if not {keyword.arg for keyword in call.keywords} & {"timeout", "transport", None}
    )
