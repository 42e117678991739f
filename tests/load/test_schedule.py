"""The schedule is an open model: made before any answer, in order, at the stated rates."""

from collections import Counter
from itertools import islice, pairwise
from random import Random

from tests.load.plan import COMMAND_SHARES, READ_SHARES, rates
from tests.load.schedule import Zipf, arrivals


def test_arrivals_are_in_order_and_within_the_run() -> None:
    times = [arrival.at_seconds for arrival in arrivals({"a": 50, "b": 20}, 10, Random(1))]
    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 10


def test_each_kind_arrives_at_its_rate() -> None:
    counted = Counter(arrival.kind for arrival in arrivals({"a": 100, "b": 10}, 1000, Random(2)))
    assert abs(counted["a"] - 100_000) < 1_600  # five standard deviations of a Poisson count
    assert abs(counted["b"] - 10_000) < 500


def test_the_waits_between_arrivals_spread_as_those_of_independent_callers() -> None:
    """Of exponential waits, 1/e are longer than the mean; of equal waits none would be."""
    times = [arrival.at_seconds for arrival in arrivals({"a": 10}, 2000, Random(3))]
    waits = [later - earlier for earlier, later in pairwise(times)]
    longer = sum(wait > 0.1 for wait in waits) / len(waits)
    assert abs(longer - 0.368) < 0.02


def test_the_same_seed_makes_the_same_schedule() -> None:
    def some(seed: int) -> list[object]:
        return list(islice(arrivals({"a": 5, "b": 5}, 100, Random(seed)), 50))

    assert some(4) == some(4)
    assert some(4) != some(5)


def test_the_rates_of_the_kinds_add_up_to_what_was_asked_for() -> None:
    by_kind = rates(commands=50, reads=400, imports=0.1)
    assert abs(sum(by_kind[kind] for kind in COMMAND_SHARES) - 50) < 1e-9
    assert abs(sum(by_kind[kind] for kind in READ_SHARES) - 400) < 1e-9
    assert by_kind["import"] == 0.1


def test_a_kind_without_a_rate_is_not_in_the_plan() -> None:
    assert set(rates(commands=0, reads=10, imports=0)) == set(READ_SHARES)


def test_a_popular_product_is_read_much_more_often_than_others() -> None:
    zipf = Zipf(1000, Random(6))
    counted = Counter(zipf.rank(100) for _ in range(20_000))
    assert set(counted) <= set(range(100))
    # The weights 1, 1/2 ... 1/100 have the sum 5.19.
    assert abs(counted[0] / 20_000 - 1 / 5.187) < 0.02
    assert counted[0] > counted[1] > counted[9] > counted[99]


def test_more_products_than_ranks_leave_the_ranks_as_they_are() -> None:
    zipf = Zipf(3, Random(7))
    assert {zipf.rank(50) for _ in range(1000)} == {0, 1, 2}
