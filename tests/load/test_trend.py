"""The verdict of a soak on time series of which it is known whether they grow."""

from random import Random

from tests.load.trend import increments, trend_of


def verdict(values: list[float], *, growth_min: float = 1.0) -> str:
    points = [(10.0 * place, value) for place, value in enumerate(values)]
    return trend_of("memory", points, share_max=0.1, growth_min=growth_min).verdict


def test_a_value_that_stays_is_flat() -> None:
    assert verdict([100.0] * 50) == "flat"


def test_a_steady_leak_is_seen() -> None:
    assert verdict([100.0 + place for place in range(50)]) == "GROWS"


def test_a_leak_is_seen_through_noise() -> None:
    noise = Random(1)
    assert verdict([100 + place * 0.8 + noise.uniform(-10, 10) for place in range(100)]) == "GROWS"


def test_noise_alone_is_flat() -> None:
    noise = Random(2)
    assert verdict([100 + noise.uniform(-10, 10) for _ in range(100)]) == "flat"


def test_a_few_peaks_are_not_growth() -> None:
    values = [100.0] * 50
    values[30], values[47], values[49] = 900.0, 900.0, 900.0
    assert verdict(values) == "flat"


def test_the_first_minutes_do_not_count() -> None:
    assert verdict([10.0 * place for place in range(9)] + [100.0] * 50) == "flat"


def test_growth_below_what_matters_is_flat() -> None:
    assert verdict([1.0 + place * 0.1 for place in range(50)], growth_min=10) == "flat"


def test_a_value_that_falls_is_flat() -> None:
    assert verdict([100.0 - place for place in range(50)]) == "flat"


def test_with_few_samples_there_is_no_verdict() -> None:
    assert verdict([1.0, 2.0, 3.0]) == "too few samples"
    assert verdict([]) == "too few samples"


def test_the_line_goes_from_the_begin_to_the_end_of_the_kept_samples() -> None:
    points = [(float(place), 2.0 * place) for place in range(101)]
    trend = trend_of("memory", points, share_max=0.1, growth_min=1)
    assert (trend.begin, trend.end, trend.greatest) == (40.0, 200.0, 200.0)


def test_a_total_becomes_its_growth_per_second() -> None:
    assert increments([(0.0, 100.0), (10.0, 200.0), (20.0, 500.0)]) == [(10.0, 10.0), (20.0, 30.0)]
