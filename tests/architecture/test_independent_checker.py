"""A mistake must not be able to hide itself: whoever checks the product uses none of its code."""

from pathlib import Path

import pytest

from projector.projections import REBUILDABLE
from tests.architecture.source_files import ROOT, imported
from tests.end_to_end.checks.views import VIEWS

PRODUCT = {"command_api", "projector", "query_api", "shared"}
# What gathers and judges; all that they import, directly or not, is looked at.
WITNESSES = ["tests.end_to_end.checker", "tests.end_to_end.evidence", "tests.end_to_end.workload"]


def _file_of(module: str) -> Path | None:
    """None: not a module of this repository."""
    path = ROOT.joinpath(*module.split("."))
    found = [each for each in (path.with_suffix(".py"), path / "__init__.py") if each.exists()]
    return found[0] if found else None


def reached_from(module: str) -> dict[str, str]:
    """Every module of the repository that is imported, directly or not -> who imports it."""
    reached: dict[str, str] = {module: module}
    todo = [module]
    while todo:
        importer = todo.pop()
        file = _file_of(importer)
        for name in imported(file) if file is not None else ():
            if name not in reached and _file_of(name) is not None:
                reached[name] = importer
                todo.append(name)
    return reached


@pytest.mark.parametrize("module", WITNESSES)
def test_what_judges_the_product_uses_none_of_its_code(module: str) -> None:
    used = {name: by for name, by in reached_from(module).items() if name.split(".")[0] in PRODUCT}
    assert used == {}


def test_an_import_of_an_import_is_seen() -> None:
    reached = reached_from("tests.integration.relay_world")
    assert "shared.contract.recorded_event" in reached
    assert "command_api.relay.relay" in reached


def test_every_view_that_can_be_rebuilt_has_a_check_of_its_own() -> None:
    unchecked = REBUILDABLE.keys() - VIEWS.keys()
    assert not unchecked, f"add a file to tests/end_to_end/checks/views/ for {', '.join(sorted(unchecked))}"
