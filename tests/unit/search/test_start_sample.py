"""Which terms a walk along an order takes: the longest whose rounding does not cost more than they save."""

import pytest

from query_api.search.tantivy.start_sample import StartSample

COUNT, EACH_OF = 1_000_000, 500
APART = 1 << 10


def _sample(products_of_a_number: int) -> StartSample:
    """One product in 500 of a million; so many share a number, and the numbers are `APART`."""
    starts = [place // products_of_a_number * APART for place in range(0, COUNT, EACH_OF)]

    def products_of(start: int, digits: int) -> int:
        numbers = max(1, (1 << 4 * (16 - digits)) // APART)
        return products_of_a_number * numbers

    return StartSample(starts, EACH_OF, products_of)


@pytest.mark.parametrize(
    ("products_of_a_number", "walked", "digits"),
    [
        # 64 products share a term of 12 digits, 16,384 one of 10.
        (1, 2_000, 12),
        (1, 98_000, 10),
        # A term of 12 digits has 64 of these numbers, and each number has enough.
        (500, 20_000, 16),
    ],
)
def test_a_walk_takes_the_longest_strides_that_pay(
    products_of_a_number: int, walked: int, digits: int
) -> None:
    sample = _sample(products_of_a_number)
    end = walked // products_of_a_number * APART
    assert min(sample.digits, key=lambda each: sample.costs(None, end, each)) == digits


@pytest.mark.parametrize(("lowest", "highest"), [(None, None), (0, None), (None, 1 << 63), (5, 1 << 63)])
def test_the_costs_are_those_of_all_products_on_the_way_and_of_all_terms(
    lowest: int | None, highest: int | None
) -> None:
    sample = _sample(1)
    on_the_way = COUNT if lowest != 5 else COUNT - EACH_OF
    assert sample.costs(lowest, highest, 16) == pytest.approx(on_the_way * (0.6 + 8))
    assert sample.costs(None, highest, 12) == pytest.approx(COUNT * (0.6 + 8 / 64))


def test_a_walk_that_meets_no_product_of_the_sample_costs_nothing() -> None:
    assert _sample(1).costs(None, -1, 16) == 0
    assert StartSample([], EACH_OF, lambda start, digits: 1).costs(None, None, 12) == 0
