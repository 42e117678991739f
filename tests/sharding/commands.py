"""The commands of the model: what the rules of a product say about its slug and its SKUs, no more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tests.sharding.operations import Event

Kind = Literal["create", "add", "remove", "rename", "delete", "touch", "upsert"]


UPSERT_KEYS = "upsert-"
"""With which the keys of upserts begin, in a log, too. Such a key is a name: one product has it, for ever."""


class Impossible(Exception):
    """The product's own state refuses the command."""


@dataclass(frozen=True, slots=True)
class Command:
    """`names`: the slug and the SKUs that it gives to the product or takes from it. `product_ids`: the
    product. For a creation or an upsert, which gets a new id each time that it is sent, one for each run, all
    on the shard of its key; and last, for a planted fault, one that is on another shard.
    """

    key: str
    kind: Kind
    product_ids: tuple[UUID, ...]
    names: tuple[str, ...] = ()

    def product_id(self, run: int, *, has_home: bool) -> UUID:
        """The product in this run, from 0."""
        if run and not has_home:
            return self.product_ids[-1]
        return self.product_ids[min(run, len(self.product_ids) - 1)]


def decide(command: Command, events: tuple[Event, ...], claim: str) -> tuple[Event, ...]:
    """The new events. Raises `Impossible`."""
    held = names_of(events)
    is_live = bool(events) and events[-1].kind != "delete"
    if command.kind != "upsert" and is_live == (command.kind == "create"):
        raise Impossible("it exists" if is_live else "there is no such product")
    given: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    if command.kind == "upsert":
        return (_upserted(command, held, events, claim),)
    if command.kind in ("create", "add"):
        given = command.names
    elif command.kind == "remove":
        taken = command.names
    elif command.kind == "rename":
        given, taken = command.names, tuple(sorted(name for name in held if name.startswith("s:")))
    elif command.kind == "delete":
        taken = names_to_give_up(held)
    if held & set(given) or not held >= set(taken):
        raise Impossible("it has that already, or does not have it")
    return (Event(command.kind, given, taken, claim, command.key),)


def key_names(key: str) -> tuple[str, ...]:
    """The name that the key of an upsert is; none for other commands."""
    return (f"i:{key}",) if key.startswith(UPSERT_KEYS) else ()


def names_to_give_up(held: Iterable[str]) -> tuple[str, ...]:
    """By a deletion: its keys stay."""
    return tuple(sorted(name for name in held if not name.startswith("i:")))


def _upserted(command: Command, held: frozenset[str], events: tuple[Event, ...], claim: str) -> Event:
    """A change of the product that has the slug, or a creation."""
    key = key_names(command.key)
    if command.names[0] in held:
        return Event("touch", key, (), claim, command.key)
    if events:
        raise Impossible("the product has another slug, or is deleted")
    return Event("create", (*command.names, *key), (), claim, command.key)


def names_of(events: Iterable[Event]) -> frozenset[str]:
    """The fold: the names that the product holds after these events."""
    held: set[str] = set()
    for event in events:
        held.difference_update(event.taken)
        held.update(event.given)
    return frozenset(held)
