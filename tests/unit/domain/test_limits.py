"""What a product may grow to, however small the steps."""

from command_api.domain import commands as c
from command_api.domain.decide import ATTRIBUTES_BYTES_MAX
from command_api.domain.errors import ProductTooLarge
from shared.contract import events as e
from tests.unit.domain.samples import created
from tests.unit.domain.specification import given


def test_patches_within_the_limit_cannot_add_up_to_attributes_beyond_it() -> None:
    half = "x" * (ATTRIBUTES_BYTES_MAX // 2)
    history = created(attributes={"a": half})
    given(history).when(c.ChangeDetails({"attributes": {"b": half}})).then_refused(ProductTooLarge)
    given(history).when(c.ChangeDetails({"attributes": {"a": None, "b": half}})).then(
        e.ProductDetailsChanged(attributes={"b": half})
    )
