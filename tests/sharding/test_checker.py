"""The checker finds what is wrong, and nothing where all is well."""

from uuid import UUID

from tests.sharding.checker import (
    Found,
    broken_histories,
    holders_now,
    lost_names,
    shared_names,
    wrong_answers,
)

FIRST, SECOND = UUID(int=1), UUID(int=2)
SHARDS = {FIRST: 0, SECOND: 1}


def _made(product_id: UUID, position: int, slug: str, *skus: str) -> Found:
    variants = [{"sku": sku} for sku in skus]
    data = {"slug": slug, "variants": variants}
    return Found(SHARDS[product_id], position, product_id, 1, "product-created", data, f"make {product_id}")


def _next(
    product_id: UUID, position: int, version: int, event_type: str, data: dict[str, str] | None = None
) -> Found:
    return Found(SHARDS[product_id], position, product_id, version, event_type, data or {}, f"key-{position}")


MOVED = [
    _made(FIRST, 1, "red", "sku"),
    _next(FIRST, 2, 2, "product-variant-removed", {"sku": "sku"}),
    _made(SECOND, 3, "blue", "sku"),
]


def test_a_sku_that_moved_is_no_fault() -> None:
    assert broken_histories(MOVED, SHARDS) == []
    assert shared_names(MOVED) == []
    assert holders_now(MOVED) == {"s:red": [FIRST], "s:blue": [SECOND], "k:sku": [SECOND]}


def test_a_sku_that_moved_too_early_by_its_position_is_found() -> None:
    early = [MOVED[0], MOVED[1], MOVED[2]._replace(position=1)]
    assert shared_names(early) == [f"k:sku is given to {SECOND} while {FIRST} has it"]


def test_two_holders_now_are_found() -> None:
    both = [MOVED[0], MOVED[2]]
    assert holders_now(both)["k:sku"] == [FIRST, SECOND]
    assert len(shared_names(both)) == 1


def test_a_new_slug_and_a_deletion_free_the_names_of_before() -> None:
    renamed = [MOVED[0], _next(FIRST, 2, 2, "product-details-changed", {"slug": "green"})]
    assert holders_now(renamed) == {"s:green": [FIRST], "k:sku": [FIRST]}
    deleted = [*renamed, _next(FIRST, 3, 3, "product-deleted")]
    assert holders_now(deleted) == {}
    assert shared_names([*deleted, _made(SECOND, 4, "green", "sku")]) == []


def test_a_gap_in_the_versions_a_foreign_shard_and_a_position_twice_are_found() -> None:
    gap = [MOVED[0], MOVED[1]._replace(stream_version=3)]
    assert broken_histories(gap, SHARDS) == [f"{FIRST} has version 3, not 2"]
    foreign = [MOVED[0]._replace(shard=1)]
    assert broken_histories(foreign, SHARDS) == [f"{FIRST} has an event on shard 1"]
    twice = [MOVED[0], MOVED[1]._replace(position=1)]
    assert broken_histories(twice, SHARDS) == ["position 1 of shard 0 is there twice"]


def test_rows_and_claims_that_nobody_will_finish_are_found() -> None:
    holders = {"k:sku": [FIRST]}
    assert lost_names(holders, {"k:sku": (FIRST, True)}, []) == []
    assert lost_names(holders, {"k:sku": (FIRST, False)}, []) == ["k:sku is still pending"]
    assert lost_names(holders, {}, ["claim"]) == [
        "claim claim is still open",
        f"k:sku of {[FIRST]} has no row",
    ]
    assert len(lost_names(holders, {"k:sku": (SECOND, True)}, [])) == 1
    assert len(lost_names({}, {"k:sku": (FIRST, True)}, [])) == 1


def test_answers_that_the_logs_contradict_are_found() -> None:
    key = MOVED[1].key
    for answer in ("done", "unknown"):
        assert wrong_answers([(key, answer)], MOVED) == []
    for answer in ("unavailable", "taken", "refused"):
        assert len(wrong_answers([(key, answer)], MOVED)) == 1
    assert len(wrong_answers([("another", "done")], MOVED)) == 1
    assert len(wrong_answers([(key, "done")], [*MOVED, MOVED[1]])) == 1
