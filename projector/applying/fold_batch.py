"""All products of a batch, folded from what the view holds. Nothing is written, so it may be repeated."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from projector.applying.batch import NOTHING
from projector.applying.dead_letters import DeadLetter
from projector.applying.ports import Change, Fold, Held, S
from projector.applying.records import Delivered
from projector.applying.stream_fold import Failing, StreamFold, Tally, dead_letters_of, followers
from shared.contract.recorded_event import RecordedEvent

Missing = Mapping[UUID, list[RecordedEvent]]
"""By product the events that the log has, and neither the view nor the batch."""


class Parked(NamedTuple):
    """`product_ids` are parked already; `failing` events are parked without an attempt."""

    product_ids: Collection[UUID]
    failing: Failing


NONE_PARKED = Parked((), {})


def fold_batch(
    fold: Fold[S],
    products: Mapping[UUID, Sequence[Delivered]],
    held: Mapping[UUID, Held[S]],
    missing: Missing,
    parked: Parked,
) -> tuple[Tally, list[DeadLetter], list[Change[S]]]:
    """What to count, to park and to save. Raises `LogLacksVersions`."""
    tally: Tally = Counter()
    dead_letters: list[DeadLetter] = []
    changes: list[Change[S]] = []
    if missing:
        # Products with only unreadable records in the batch may have newer events in the log.
        products = {**products, **dict.fromkeys(missing.keys() - products.keys(), ())}
    # Hashing an id costs more than checking whether the collection is empty.
    for product_id, deliveries in products.items():
        holding = held.get(product_id, NOTHING)
        if parked.product_ids and product_id in parked.product_ids:
            dead_letters += followers(deliveries, holding.stream_version, tally)
            continue
        stream = StreamFold(fold, holding, tally)
        failure = stream.run(deliveries, missing.get(product_id, ()) if missing else (), parked.failing)
        if failure is not None:
            dead_letters += dead_letters_of(failure, deliveries, tally)
        change = stream.change()
        if change is not None:
            changes.append(change)
    return tally, dead_letters, changes
