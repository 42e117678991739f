"""The pages that a newcomer types first: README, quickstart and the cookbook of the APIs."""

import pytest

from tests.documents.fresh_copy import FreshCopy
from tests.documents.reading import read_tour
from tests.documents.tours import CALLS, FIRST_STEPS, Tour

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("tour", [FIRST_STEPS, CALLS], ids=str)
def test_every_command_of_the_first_pages_prints_what_they_show(tour: Tour, fresh_copy: FreshCopy) -> None:
    read_tour(tour, fresh_copy)
