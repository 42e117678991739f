"""Which requests take turns as batches: the one address of batches, and no other that looks like it."""

import pytest

from command_api.http.lanes import lane_of, lanes


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/products:batch", "batches"),
        ("/v1/products", "commands"),
        ("/v1/products/0192/variants/S-1:batch", "commands"),
        ("/v1/products/0192/variants/S-1/price", "commands"),
        ("/nothing", "commands"),
    ],
)
def test_only_the_address_of_batches_has_their_lane(path: str, expected: str) -> None:
    assert lane_of({"path": path}) == expected
    assert expected in {lane.name for lane in lanes(8)}
