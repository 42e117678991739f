"""The changes that onboarding shows can be made to the code as it is, and the tests that it names pass."""

import pytest

from tests.documents.fresh_copy import FreshCopy
from tests.documents.reading import read_tour
from tests.documents.tours import CHANGES


@pytest.mark.prove
def test_the_field_of_the_page_can_be_added_to_a_copy_of_the_code(fresh_copy: FreshCopy) -> None:
    read_tour(CHANGES, fresh_copy)
