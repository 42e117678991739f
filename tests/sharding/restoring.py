"""One shard restored to an earlier point, in memory: what contradicts the other logs, and how it is mended.

The processes of before are gone: in a real log its new `log_id` refuses them.
"""

from uuid import UUID

from tests.sharding import operations as o
from tests.sharding.checker import holders_now
from tests.sharding.memory_shards import K, Map, Shards, V, execute
from tests.sharding.stored_form import found_in

RECONCILED = "reconciled"


def restored(now: Shards, before: Shards, shard: int) -> Shards:
    """`now`, with one shard as it was. Its positions go on above those that the topics have seen."""
    return now._replace(
        rows=_chosen(now.rows, before.rows, shard),
        streams=_chosen(now.streams, before.streams, shard),
        fences=_chosen(now.fences, before.fences, shard),
        keys=frozenset(
            [key for key in now.keys if key[0] != shard] + [key for key in before.keys if key[0] == shard]
        ),
    )


def contradictions(shards: Shards) -> list[str]:
    """Names that two products hold now."""
    return sorted(name for name, held in holders_now(found_in(shards.streams)).items() if len(held) > 1)


def reconciled(shards: Shards, shard: int) -> Shards:
    """Products of the restored shard give up what others hold; then all rows are made of the logs."""
    for name in contradictions(shards):
        holders = holders_now(found_in(shards.streams))[name]
        loser = next(each for each in holders if o.shard_of_product(each) == shard)
        shards = _without_name(shards, loser, name)
    rows = tuple(
        (name, o.Row(holder, RECONCILED, True))
        for name, (holder,) in sorted(holders_now(found_in(shards.streams)).items())
    )
    fences = tuple((fence, product) for fence, product in shards.fences if product is None)
    return shards._replace(rows=rows, fences=fences)


def _without_name(shards: Shards, product_id: UUID, name: str) -> Shards:
    """A SKU is removed; a slug is replaced by one that nobody has."""
    is_slug = name.startswith("s:")
    given = (f"s:{product_id}",) if is_slug else ()
    event = o.Event("rename" if is_slug else "remove", given, (name,), RECONCILED, f"{product_id} {name}")
    version = len(shards.stream(product_id).events)
    after, outcome = execute(shards, o.Append(product_id, version, (event,), event.key, None, 0))
    assert isinstance(outcome, o.Appended)
    return after


def _chosen(now: Map[K, V], before: Map[K, V], shard: int) -> Map[K, V]:
    others = [entry for entry in now if _shard_of(entry[0]) != shard]
    old = [entry for entry in before if _shard_of(entry[0]) == shard]
    return tuple(sorted(others + old, key=repr))


def _shard_of(key: object) -> int:
    if isinstance(key, UUID):
        return o.shard_of_product(key)
    if isinstance(key, str):
        return o.shard_of_text(key)
    assert isinstance(key, tuple)
    shard: int = key[0]
    return shard
