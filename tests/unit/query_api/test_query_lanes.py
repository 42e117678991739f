"""Which reads take turns with each other, and how many places each kind gets at most."""

import pytest

from query_api.http.lanes import lane_of, lanes


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/v1/products/01920000-0000-7000-8000-000000000000", "products"),
        ("/v1/products/by-sku/a/b", "products"),
        ("/v1/products/by-slug/shirt", "products"),
        ("/v1/products", "lists"),
        ("/v1/products/export", "lists"),
        ("/v1/products/01920000-0000-7000-8000-000000000000?version=1", "reports"),
        ("/v1/products/01920000-0000-7000-8000-000000000000/history", "reports"),
        ("/v1/products/01920000-0000-7000-8000-000000000000/lowest-price?days=7", "reports"),
        ("/v1/categories", "reports"),
        ("/v1/brands", "reports"),
        ("/v1/inventory", "reports"),
        ("/v1/analytics/prices", "reports"),
        ("/v1/status", "reports"),
        ("/nothing", "reports"),
    ],
)
def test_each_address_has_a_lane(address: str, expected: str) -> None:
    path, _, query = address.partition("?")
    assert lane_of({"path": path, "query_string": query.encode()}) == expected


@pytest.mark.parametrize(("places", "expected"), [(64, (None, 32, 16)), (3, (None, 1, 1)), (1, (None, 1, 1))])
def test_lists_and_reports_leave_places_to_products(
    places: int, expected: tuple[int | None, int, int]
) -> None:
    assert tuple(lane.places_max for lane in lanes(places)) == expected
