"""The random commands of a simulation: few products and fewer names, so that they meet."""

from collections.abc import Mapping, Sequence
from random import Random
from uuid import UUID

from tests.sharding.commands import UPSERT_KEYS, Command, Kind
from tests.sharding.operations import shard_of_product, shard_of_text

SKUS = [f"k:sku-{number}" for number in range(3)]
SLUGS = [f"s:slug-{number}" for number in range(4)]
KINDS: Sequence[Kind] = [
    "create",
    "create",
    "add",
    "add",
    "add",
    "remove",
    "remove",
    "rename",
    "delete",
    "touch",
    "upsert",
]


def next_command(
    random: Random,
    number: int,
    holders: Mapping[str, Sequence[UUID]],
    *,
    kinds: Sequence[Kind] = KINDS,
    upsert_keys: str = UPSERT_KEYS,
) -> Command:
    """A creation, or a command for a live product that gives up what it has, or wants what it may not get."""
    live = sorted({product_id for held in holders.values() for product_id in held})
    kind = random.choice(kinds) if live else "create"
    key = f"{upsert_keys if kind == 'upsert' else 'command-'}{number}"
    if kind == "upsert":
        new_ids = tuple(_new_id(random, number % 2) for _ in range(3))
        return Command(key, kind, new_ids, (random.choice(SLUGS),))
    if kind == "create":
        home = shard_of_text(key)
        ids = (*(_new_id(random, home) for _ in range(3)), _new_id(random, 1 - home))
        return Command(key, kind, ids, (random.choice(SLUGS), *random.sample(SKUS, random.randrange(2))))
    product_id = random.choice(live)
    held = sorted(name for name in holders if product_id in holders[name] and name.startswith("k:"))
    names: tuple[str, ...] = ()
    if kind == "add" or (kind == "remove" and not held):
        names = (random.choice(SKUS),)
    elif kind == "remove":
        names = (random.choice(held),)
    elif kind == "rename":
        names = (random.choice(SLUGS),)
    return Command(key, kind, (product_id,), names)


def _new_id(random: Random, shard: int) -> UUID:
    while True:
        product_id = UUID(int=random.getrandbits(128))
        if shard_of_product(product_id) == shard:
            return product_id
