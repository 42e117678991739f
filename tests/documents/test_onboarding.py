"""The changes that onboarding shows can be made to the code as it is, and the tests that it names pass."""

import pytest

from tests.documents.fresh_copy import FreshCopy
from tests.documents.reading import read_tour
from tests.documents.tours import CHANGES, WORKING, Tour

pytestmark = [pytest.mark.prove, pytest.mark.servers]


@pytest.mark.parametrize("tour", CHANGES, ids=str)
def test_the_change_of_a_page_can_be_made_to_a_copy_of_the_code(tour: Tour, fresh_copy: FreshCopy) -> None:
    read_tour(tour, fresh_copy)


def test_what_the_pages_for_developers_type_works(fresh_copy: FreshCopy) -> None:
    read_tour(WORKING, fresh_copy)
