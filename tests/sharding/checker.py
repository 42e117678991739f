"""The independent checker: it knows the events as they are stored, and nothing of the protocol.

Names of its own (`p.7 held s:red`) stand in what it finds, for a reader of a failed run.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID


class Found(NamedTuple):
    """One event of the log of a shard. `data`: its JSON."""

    shard: int
    position: int
    product_id: UUID
    stream_version: int
    event_type: str
    data: Mapping[str, Any]
    key: str


def broken_histories(events: Iterable[Found], shard_of: Mapping[UUID, int]) -> list[str]:
    """What is wrong in the logs themselves."""
    faults: list[str] = []
    newest: dict[int, int] = {}
    versions: dict[UUID, int] = {}
    for one in sorted(events, key=lambda each: (each.shard, each.position)):
        if one.position <= newest.get(one.shard, 0):
            faults.append(f"position {one.position} of shard {one.shard} is there twice")
        newest[one.shard] = one.position
        expected = versions.get(one.product_id, 0) + 1
        if one.stream_version != expected:
            faults.append(f"{one.product_id} has version {one.stream_version}, not {expected}")
        versions[one.product_id] = one.stream_version
        if shard_of[one.product_id] != one.shard:
            faults.append(f"{one.product_id} has an event on shard {one.shard}")
    return faults


def shared_names(events: Iterable[Found]) -> list[str]:
    """Names that two live products hold at any moment of the order by position, over all shards."""
    faults: list[str] = []
    holders: dict[str, UUID] = {}
    slugs: dict[UUID, str] = {}
    for one in sorted(events, key=lambda each: (each.position, each.shard)):
        given, taken = _names(one, slugs.get(one.product_id))
        if one.event_type == "product-deleted":
            taken = {name for name, holder in holders.items() if holder == one.product_id and name[0] != "i"}
        for name in taken:
            if holders.get(name) == one.product_id:
                del holders[name]
        for name in sorted(given):
            holder = holders.setdefault(name, one.product_id)
            if holder != one.product_id:
                faults.append(f"{name} is given to {one.product_id} while {holder} has it")
            if name.startswith("s:"):
                slugs[one.product_id] = name
    return faults


def holders_now(events: Iterable[Found]) -> dict[str, list[UUID]]:
    """The live products that hold each name after all events; each product is folded alone."""
    held: dict[UUID, set[str]] = {}
    slugs: dict[UUID, str] = {}
    for one in sorted(events, key=lambda each: (each.product_id, each.stream_version)):
        given, taken = _names(one, slugs.get(one.product_id))
        names = held.setdefault(one.product_id, set())
        if one.event_type == "product-deleted":
            names -= {name for name in names if name[0] != "i"}
        names -= taken
        names |= given
        for slug in given:
            if slug.startswith("s:"):
                slugs[one.product_id] = slug
    found: dict[str, list[UUID]] = {}
    for product_id, names in held.items():
        for name in names:
            found.setdefault(name, []).append(product_id)
    return found


def lost_names(
    holders: Mapping[str, list[UUID]], rows: Mapping[str, tuple[UUID, bool]], open_claims: Iterable[str]
) -> list[str]:
    """After the last sweep: rows without a holder, holders without a row, claims that nobody will finish."""
    faults = [f"claim {claim} is still open" for claim in open_claims]
    for name, (product_id, is_held) in rows.items():
        if holders.get(name) != [product_id]:
            faults.append(f"{name} is reserved for {product_id} for ever, and held by {holders.get(name)}")
        if not is_held:
            faults.append(f"{name} is still pending")
    return faults + [f"{name} of {holder} has no row" for name, holder in holders.items() if name not in rows]


def wrong_answers(answers: Iterable[tuple[str, str]], events: Iterable[Found]) -> list[str]:
    """`answers`: (key of the command, last answer). Done: written once. Unknown: once at most. All others:
    never.
    """
    written: dict[str, int] = {}
    for one in events:
        written[one.key] = written.get(one.key, 0) + 1
    allowed = {"done": (1,), "unknown": (0, 1)}
    return [
        f"{key} was answered {answer}, and is written {written.get(key, 0)} times"
        for key, answer in answers
        if written.get(key, 0) not in allowed.get(answer, (0,))
    ]


def _names(one: Found, slug: str | None) -> tuple[set[str], set[str]]:
    """(given, taken) by one event; a deletion takes what the caller knows. The key of an upsert is a name,
    too.
    """
    given, taken = _slug_and_skus(one, slug)
    return given | ({f"i:{one.key}"} if one.key.startswith("upsert-") else set()), taken


def _slug_and_skus(one: Found, slug: str | None) -> tuple[set[str], set[str]]:
    if one.event_type == "product-created":
        return {f"s:{one.data['slug']}", *(f"k:{each['sku']}" for each in one.data["variants"])}, set()
    if one.event_type == "product-variant-added":
        return {f"k:{one.data['sku']}"}, set()
    if one.event_type == "product-variant-removed":
        return set(), {f"k:{one.data['sku']}"}
    if one.event_type == "product-details-changed" and "slug" in one.data:
        return {f"s:{one.data['slug']}"}, {slug} if slug else set()
    return set(), set()
