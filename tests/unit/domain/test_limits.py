"""What a product may grow to, however small the steps."""

from functools import reduce

import pytest

from command_api.domain.errors import ProductTooLarge
from command_api.domain.limits import ATTRIBUTES_BYTES_MAX, ENCODED_BYTES_MAX, check_sizes
from command_api.domain.product import evolve
from shared.contract import events as e
from shared.contract.events import ProductEvent
from tests.unit.domain.samples import added, created


def _check(*history: ProductEvent, event_bytes_largest: int = 0) -> None:
    product = reduce(evolve, history, None)
    assert product is not None
    check_sizes(product, event_bytes_largest)


def test_attributes_are_measured_as_json() -> None:
    around = len(b'{"a":""}')
    _check(created(attributes={"a": "x" * (ATTRIBUTES_BYTES_MAX - around)}))
    with pytest.raises(ProductTooLarge):
        _check(created(attributes={"a": "x" * (ATTRIBUTES_BYTES_MAX - around + 1)}))


def test_small_additions_are_refused_once_their_sum_is_too_large() -> None:
    variants = [
        added(e.Variant(f"S-{number}", {"size": "x" * 100_000}, e.Money("1.00", "USD")))
        for number in range(6)
    ]
    _check(created(), *variants[:5])
    with pytest.raises(ProductTooLarge):
        _check(created(), *variants)


def test_an_event_that_cannot_be_published_is_refused_even_if_the_product_could_be() -> None:
    _check(created(), event_bytes_largest=ENCODED_BYTES_MAX)
    with pytest.raises(ProductTooLarge):
        _check(created(), event_bytes_largest=ENCODED_BYTES_MAX + 1)
