"""SKUs that products of one file hand to each other: one run is enough, and a second changes nothing."""

import asyncio
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_api.importer.answers import ItemAnswer
from command_api.importer.cli import load
from command_api.importer.client import BatchClient
from command_api.importer.ndjson import NdjsonFile
from command_api.importer.source import Rejection
from command_api.importer.summary import Summary
from command_api.importer.swaps import Waiting, holders_first, hopeful
from tests.unit.importer.batch_stand_in import BatchStandIn, served
from tests.unit.importer.import_runs import imported, summary_of

SKUS = [f"S{number}" for number in range(8)]
SLUGS = ["a", "b", "c", "d", "e"]
Assigned = dict[str, list[str]]


@pytest.fixture(scope="module")
def server() -> Iterator[BatchStandIn]:
    with served(BatchStandIn()) as stand_in:
        yield stand_in


@pytest.fixture
def api(server: BatchStandIn) -> BatchStandIn:
    forget(server)
    return server


def forget(api: BatchStandIn) -> None:
    api.products.clear()
    api.requests.clear()


def product(slug: str, skus: Sequence[str], **members: Any) -> dict[str, Any]:
    """One variant a SKU; the place is the option, so that a variant is the same under another SKU."""
    variants = [
        {"sku": sku, "options": {"Place": str(place)}, "price": {"amount": "1.00", "currency": "USD"}}
        for place, sku in enumerate(skus)
    ]
    return {"slug": slug, "name": slug.upper(), "variants": variants, **members}


def run(
    api: BatchStandIn, folder: Path, products: Sequence[Mapping[str, Any]]
) -> tuple[Summary, list[Rejection]]:
    file = folder / "products.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in products))
    summary, rejected = Summary(), list[Rejection]()
    source = NdjsonFile(file)
    asyncio.run(load(source, BatchClient(api.url), summary, rejected.append, lambda _: None, source.line_of))
    return summary, rejected


def held(api: BatchStandIn) -> Assigned:
    return {
        slug: [variant["sku"] for variant in each["body"]["variants"]] for slug, each in api.products.items()
    }


def test_a_taker_on_the_first_row_gets_the_sku_in_the_first_run(api: BatchStandIn, tmp_path: Path) -> None:
    run(api, tmp_path, [product("b", ["Y"]), product("a", ["X"])])
    handed_over = [product("b", ["X"]), product("a", ["Z"])]
    _, rejected = run(api, tmp_path, handed_over)
    assert (rejected, held(api)) == ([], {"b": ["X"], "a": ["Z"]})
    events = api.events
    assert run(api, tmp_path, handed_over)[0].unchanged == 2
    assert api.events == events


def test_two_products_swap_their_skus_and_keep_what_the_file_does_not_state(
    api: BatchStandIn, tmp_path: Path
) -> None:
    run(api, tmp_path, [product("a", ["X"]), product("b", ["Y"])])
    for each in api.products.values():
        each["body"]["variants"][0]["barcode"] = f"barcode of {each['slug']}"
    summary, rejected = run(api, tmp_path, [product("a", ["Y"]), product("b", ["X"])])
    assert (rejected, held(api), summary.changed) == ([], {"a": ["Y"], "b": ["X"]}, 2)
    barcodes = {slug: each["body"]["variants"][0]["barcode"] for slug, each in api.products.items()}
    assert barcodes == {"a": "barcode of a", "b": "barcode of b"}


def test_a_long_chain_in_the_worst_order_takes_few_requests(api: BatchStandIn, tmp_path: Path) -> None:
    count = 900
    run(api, tmp_path, [product(f"p{number}", [f"C{number}"]) for number in range(count)])
    api.requests.clear()
    moved = [product(f"p{number}", [f"C{number + 1}"]) for number in range(count)]
    summary, rejected = run(api, tmp_path, moved)
    assert (rejected, summary.changed) == ([], count)
    assert len(api.requests) <= 12


def test_many_circles_are_cut_together(api: BatchStandIn, tmp_path: Path) -> None:
    count = 300
    run(api, tmp_path, [product(f"p{number}", [f"C{number}"]) for number in range(count)])
    api.requests.clear()
    swapped = [product(f"p{number}", [f"C{number ^ 1}"]) for number in range(count)]
    summary, rejected = run(api, tmp_path, swapped)
    assert (rejected, summary.changed) == ([], count)
    assert len(api.requests) <= 12


def permuted() -> st.SearchStrategy[tuple[Assigned, Assigned]]:
    """Who has which SKU before and after: nobody outside the file has one."""

    def assigned(skus: Sequence[str], owners: Sequence[str]) -> Assigned:
        found: Assigned = {}
        for sku, owner in zip(skus, owners, strict=True):
            found.setdefault(owner, []).append(sku)
        return found

    owners = st.lists(st.sampled_from(SLUGS), min_size=len(SKUS), max_size=len(SKUS))
    return st.tuples(owners, st.permutations(SKUS)).flatmap(
        lambda drawn: st.permutations(drawn[0]).map(
            lambda turned: (assigned(SKUS, drawn[0]), assigned(drawn[1], turned))
        )
    )


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=permuted())
def test_any_permutation_of_skus_is_reached_in_one_run_and_a_second_changes_nothing(
    api: BatchStandIn, tmp_path: Path, states: tuple[Assigned, Assigned]
) -> None:
    forget(api)
    before, after = states
    run(api, tmp_path, [product(slug, skus) for slug, skus in before.items()])
    wanted = [product(slug, skus) for slug, skus in after.items()]
    _, rejected = run(api, tmp_path, wanted)
    assert (rejected, held(api)) == ([], {slug: after[slug] for slug in held(api)})
    events = api.events
    assert run(api, tmp_path, wanted)[0].unchanged == len(after)
    assert api.events == events


def reachable(before: Assigned, after: Assigned) -> set[str]:
    """By trial: whoever wants what another holds or wants for good falls away, until nobody does."""
    hope = set(after)
    while True:
        blocked = {
            sku for slug, skus in before.items() for sku in skus if slug not in hope or sku in after[slug]
        }
        lost = {
            slug for slug in hope if any(sku in blocked - set(before.get(slug, ())) for sku in after[slug])
        }
        if not lost:
            return hope
        hope -= lost


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.sampled_from(SLUGS), min_size=len(SKUS), max_size=len(SKUS)),
    after=st.lists(st.sampled_from([*SLUGS, ""]), min_size=len(SKUS), max_size=len(SKUS)),
)
def test_whoever_cannot_be_helped_stays_as_it_was_and_all_others_are_loaded(
    api: BatchStandIn, tmp_path: Path, before: list[str], after: list[str]
) -> None:
    forget(api)
    old: Assigned = {}
    new: Assigned = {}
    for sku, owner, next_owner in zip(SKUS, before, after, strict=True):
        old.setdefault(owner, []).append(sku)
        if next_owner:
            new.setdefault(next_owner, []).append(sku)
    run(api, tmp_path, [product(slug, skus) for slug, skus in old.items()])
    wanted = [product(slug, skus) for slug, skus in new.items()]
    _, rejected = run(api, tmp_path, wanted)
    loaded = reachable(old, new)
    assert {each.original["slug"] for each in rejected} == new.keys() - loaded
    assert held(api) == old | {slug: new[slug] for slug in loaded}
    events = api.events
    _, rejected_again = run(api, tmp_path, wanted)
    assert {each.reason for each in rejected_again} == {each.reason for each in rejected}
    assert api.events == events


def test_a_sku_of_a_product_that_keeps_it_is_refused_with_its_holder_and_both_lines(
    api: BatchStandIn, tmp_path: Path
) -> None:
    run(api, tmp_path, [product("outside", ["O"]), product("a", ["X"])])
    _, rejected = run(
        api, tmp_path, [product("a", ["X"]), product("b", ["X"]), product("c", ["O"]), product("d", ["D"])]
    )
    assert [each.reason for each in sorted(rejected, key=lambda each: each.line)] == [
        "sku-taken: line 2: SKU 'X' belongs to the product 'a' (line 1 of this file)",
        "sku-taken: line 3: SKU 'O' belongs to the product 'outside' (not in this file)",
    ]
    assert held(api)["d"] == ["D"]


def test_a_variant_without_a_sku_may_keep_the_one_that_is_wanted_so_nobody_stands_aside_for_it(
    api: BatchStandIn, tmp_path: Path
) -> None:
    """The giver's SKU stays with its variant: the two are refused, and neither has lost anything."""
    run(api, tmp_path, [product("a", ["X"]), product("b", ["Y"])])
    a, b = product("a", ["Y", "Z"]), product("b", ["X", "W"])
    a["variants"][1].pop("sku")
    _, rejected = run(api, tmp_path, [a, b])
    assert len(rejected) == 2
    assert held(api) == {"a": ["X"], "b": ["Y"]}


def test_skus_are_handed_over_in_a_csv_and_statuses_are_settled_afterwards(
    api: BatchStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.csv"

    def write(*rows: Sequence[str]) -> None:
        with file.open("w", newline="", encoding="utf-8") as text:
            csv.writer(text).writerows([("Handle", "Title", "Variant SKU", "Variant Price", "Status"), *rows])

    write(("b", "B", "Y", "5", "active"), ("a", "A", "X", "5", "draft"))
    assert imported(file, "--url", api.url, "--json") == 0
    write(("b", "B", "X", "5", "active"), ("a", "A", "Y", "6", "active"), ("c", "C", "N", "1", "active"))
    summary_of(capsys)
    assert imported(file, "--url", api.url, "--json") == 0
    summary = summary_of(capsys)
    assert (summary["created"], summary["changed"], summary["rejected"]) == (1, 2, 0)
    assert held(api) == {"b": ["X"], "a": ["Y"], "c": ["N"]}
    assert {each["status"] for each in api.products.values()} == {"active"}
    events = api.events
    assert imported(file, "--url", api.url, "--json") == 0
    assert summary_of(capsys)["unchanged"] == 3
    assert api.events == events


def test_a_conflict_without_a_holder_cannot_be_solved_inside_the_file() -> None:
    answer = ItemAnswer(409, code="sku-taken", problem={"conflicts": [{"sku": "X"}]})
    waiting = {"a": Waiting(0, 1, frozenset("X"), True, answer)}
    assert hopeful(waiting) == set()
    assert holders_first(waiting) == (["a"], [])
