"""The pages of operators: operations, all runbooks, and what needs access control or a stack of its own."""

import pytest

from tests.documents.fresh_copy import FreshCopy
from tests.documents.reading import read_tour
from tests.documents.tours import MAILS, OPERATING, RUNBOOKS, SECURED, STACKS, Tour

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(
    "tour",
    [
        OPERATING,
        SECURED,
        pytest.param(RUNBOOKS, marks=pytest.mark.prove),
        pytest.param(MAILS, marks=pytest.mark.prove),
        pytest.param(STACKS, marks=pytest.mark.prove),
    ],
    ids=str,
)
def test_every_command_of_the_operators_pages_prints_what_they_show(
    tour: Tour, fresh_copy: FreshCopy
) -> None:
    read_tour(tour, fresh_copy)
