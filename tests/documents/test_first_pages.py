"""The pages that a newcomer types first: README, quickstart and the cookbook of the APIs."""

import pytest

from tests.documents.fresh_copy import FreshClone, FreshCopy
from tests.documents.reading import read_tour
from tests.documents.tours import CALLS, FIRST_STEPS, Tour

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("tour", [FIRST_STEPS, CALLS], ids=str)
def test_every_command_of_the_first_pages_prints_what_they_show(tour: Tour, fresh_copy: FreshCopy) -> None:
    read_tour(tour, fresh_copy)


@pytest.mark.prove
def test_a_new_user_comes_through_the_quickstart_with_a_clone_and_nothing_else(
    fresh_clone: FreshClone,
) -> None:
    """The first `make up` makes `.venv` and installs all packages."""
    assert not (fresh_clone.folder / ".venv").exists()
    read_tour(FIRST_STEPS, fresh_clone)
    assert fresh_clone.changed_files() == []
