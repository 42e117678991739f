"""A batch answers as the same operations would, sent one after the other, however they run side by side."""

import asyncio
import re
from collections.abc import Iterator
from functools import reduce
from itertools import cycle
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from command_api.domain.commands import ChangePrice, DeleteProduct, UpsertProduct, VariantUpsert
from command_api.domain.product import Reservation, evolve
from command_api.executing.batch import Operation, waits
from command_api.executing.caller import Caller
from command_api.executing.ports import Append, AppendOutcome, Stream, StreamPlace
from command_api.executing.request import Request
from command_api.http.answers import render_ok
from shared.contract.events import Money
from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import PRICE, product, variant, write_client

Json = dict[str, Any]
# name -> slug and SKUs that the product begins with
BEGINNING = {"a": ["A", "B"], "b": ["X"], "c": ["C"]}


class SlowStore(InMemoryEventStore):
    """Each call takes as many turns of the event loop as the next of `delays` says."""

    def __init__(self, delays: list[int]) -> None:
        super().__init__()
        self._delays: Iterator[int] = cycle(delays)

    async def _wait(self) -> None:
        for _ in range(next(self._delays)):
            await asyncio.sleep(0)

    async def load(self, product_id: UUID, known: StreamPlace | None = None) -> Stream:
        await self._wait()
        return await super().load(product_id, known)

    async def append(self, append: Append) -> AppendOutcome:
        await self._wait()
        outcome = await super().append(append)
        await self._wait()
        return outcome

    async def find_holder(self, reservation: Reservation) -> UUID | None:
        await self._wait()
        return await super().find_holder(reservation)


SKUS = ["A", "B", "C", "X", "Y", "b-red", "b-r-ed", "d"]
SLUGS = ["a", "b", "c", "d", "first", "second"]
_skus = st.sampled_from(SKUS)
_slugs = st.sampled_from(SLUGS[:4])
_names = st.sampled_from(["first", "second", "a", "d"])
_stated = st.builds(variant, _skus)
_without_sku = st.builds(lambda colour: variant(options={"colour": colour}), st.sampled_from(["red", "r ed"]))
_variants = st.lists(
    _stated | _without_sku, min_size=1, max_size=2, unique_by=lambda each: each.get("sku") or str(each)
)
_products = st.sampled_from(list(BEGINNING))
_operations = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.just("create"),
            "product": st.fixed_dictionaries(
                {"name": _names, "variants": st.lists(_stated, min_size=1, max_size=1)},
                optional={"slug": _slugs},
            ),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("upsert"),
            "product": st.fixed_dictionaries(
                {"slug": _slugs}, optional={"name": _names, "variants": _variants}
            ),
        },
        optional={"if_version": st.sampled_from([1, 2])},
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("update"),
            "id": _products,
            "patch": st.fixed_dictionaries({}, optional={"name": _names, "slug": _slugs}),
        },
        optional={"if_version": st.sampled_from([1, 2])},
    ),
    st.fixed_dictionaries({"op": st.just("price"), "id": _products, "sku": _skus, "price": st.just(PRICE)}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["publish", "archive", "delete", "delete"]), "id": _products},
    ),
)


async def _outcomes(operations: list[Json], size: int, delays: list[int]) -> tuple[list[Json], list[Any]]:
    """What the operations are answered in batches of `size`, and what the catalogue is afterwards."""
    store = SlowStore(delays)
    async with write_client(store) as client:
        ids = {}
        for name, skus in BEGINNING.items():
            answer = await client.post("/v1/products", json=product(*skus, name=name, slug=name))
            ids[name] = answer.json()["id"]
        told: list[Json] = []
        for start in range(0, len(operations), size):
            sent = [
                {**operation, "id": ids[operation["id"]]} if "id" in operation else operation
                for operation in operations[start : start + size]
            ]
            answer = await client.post("/v1/products:batch", json=sent)
            told += [_told(result, ids) for result in answer.json()["results"]]
        names: list[Reservation] = [*(("s", slug) for slug in SLUGS), *(("k", sku) for sku in SKUS)]
        return told, [await _holder(store, name) for name in names]


async def _holder(store: InMemoryEventStore, name: Reservation) -> Any:
    """The product that this slug or SKU belongs to, and its version."""
    holder = await store.find_holder(name)
    if holder is None:
        return None
    stream = await store.load(holder)
    found = reduce(evolve, stream.events, None)
    assert found is not None
    # A made slug that was taken ends with the new product's own id.
    return replace(found, slug=re.sub("-[0-9a-f]{12}$", "", found.slug)), stream.stream_version


def _told(result: Json, ids: dict[str, str]) -> Json:
    """A result without what differs between two runs: ids of new products and of requests."""
    names = {product_id: name for name, product_id in ids.items()}
    problem = result.get("problem", {})
    return {
        "status": result["status"],
        "product": names.get(result.get("id", ""), "new"),
        "version": result.get("version"),
        "changed": result.get("changed"),
        "product_status": result.get("product_status"),
        "code": problem.get("code"),
        "current_version": problem.get("current_version"),
    }


_BY_INDEX = [
    {"op": "publish", "id": "c"},
    {"op": "upsert", "product": {"slug": "a", "name": "first", "variants": [variant("X")]}},
    {"op": "update", "id": "a", "patch": {"name": "second"}},
    {"op": "delete", "id": "b"},
]


@settings(max_examples=300, deadline=None)
@example(operations=_BY_INDEX, delays=[0])
@example(operations=_BY_INDEX[1:], delays=[0])
@example(
    operations=[
        {"op": "create", "product": {"name": "new", "variants": [variant("B")]}},
        {"op": "upsert", "product": {"slug": "a", "variants": [variant("A")]}},
    ],
    delays=[3, 0],
)
@given(st.lists(_operations, min_size=2, max_size=7), st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_a_batch_answers_as_its_operations_one_after_the_other(
    operations: list[Json], delays: list[int]
) -> None:
    side_by_side = asyncio.run(_outcomes(operations, len(operations), delays))
    one_by_one = asyncio.run(_outcomes(operations, 1, [0]))
    assert side_by_side == one_by_one


def test_the_samples_answer_as_documented() -> None:
    told, _ = asyncio.run(_outcomes(_BY_INDEX, len(_BY_INDEX), [0]))
    assert [each["status"] for each in told] == [200, 409, 200, 204]
    assert told[2]["version"] == 2
    told, _ = asyncio.run(_outcomes(_BY_INDEX[1:], 3, [0]))
    assert [each["status"] for each in told] == [409, 200, 204]


def _upsert(slug: str, *skus: str) -> Operation:
    price = Money("1.00", "USD")
    command = UpsertProduct(slug, {"name": slug}, tuple(VariantUpsert(sku, {"price": price}) for sku in skus))
    claims = frozenset([("s", slug), *(("k", sku) for sku in skus)])
    request = Request(command, UUID(int=99), Caller("x", "y"), render_ok)
    return Operation(request, claims, may_release=True, created=render_ok)


def _by_id(product_id: int, *, is_delete: bool = False) -> Operation:
    command = DeleteProduct() if is_delete else ChangePrice("S", Money("1.00", "USD"))
    request = Request(command, UUID(int=product_id), Caller("x", "y"), render_ok)
    return Operation(request, may_release=is_delete)


def test_operations_that_have_nothing_in_common_do_not_wait() -> None:
    operations = [_upsert("a", "A"), _upsert("b", "B"), _by_id(1), _by_id(2, is_delete=True), ValueError()]
    assert waits(operations, {}) == [frozenset()] * 5


def test_an_operation_waits_for_an_earlier_one_that_may_give_up_what_it_needs() -> None:
    holders: dict[Reservation, UUID] = {("s", "a"): UUID(int=1), ("k", "A"): UUID(int=1)}
    assert waits([_by_id(1, is_delete=True), _upsert("b", "A")], holders) == [frozenset(), frozenset([0])]
    assert waits([_upsert("a", "B"), _upsert("b", "A")], holders) == [frozenset(), frozenset([0])]
    assert waits([_upsert("b", "A"), _upsert("a", "B")], holders) == [frozenset(), frozenset([0])]
    assert waits([_upsert("b", "A"), _upsert("a", "B")], {}) == [frozenset(), frozenset()]


def test_a_batch_that_is_too_entangled_runs_one_after_the_other() -> None:
    operations = [_upsert("a", *(f"{n}-{m}" for m in range(9))) for n in range(6)]
    in_turn = waits(operations, {}, touched_names_max=30)
    assert in_turn[-1] == frozenset([4])
    for index, before in enumerate(in_turn):
        reached, found = set(before), set(before)
        while found:
            found = {each for one in found for each in in_turn[one]} - reached
            reached |= found
        assert reached == set(range(index))
