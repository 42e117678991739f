"""Folds a history as the projector does: types that a fold does not use are skipped undecoded."""

from collections.abc import Sequence
from typing import Any

from projector.applying.ports import Fold
from shared.contract import events as e
from shared.contract.codec import decode_event
from shared.contract.recorded_event import RecordedEvent
from tests.unit.projector.histories import history, new_product_id


def folded(fold: Fold[Any], events: Sequence[RecordedEvent], state: Any = None) -> Any:
    """The state after these events; every event is fed twice, and must give the same each time."""
    for one in events:
        if one.event_type not in fold.event_types:
            state = None if state is None else fold.skip(state, one)
            continue
        event = decode_event(one.event_type, one.schema_version, one.data)
        after = fold.apply(state, event, one)
        assert fold.apply(state, event, one) == after, "the same input gave another state"
        state = after
    return state


def seen(fold: Fold[Any], *happened: e.ProductEvent) -> Any:
    """The state after these events, the n-th being version n."""
    return folded(fold, history(new_product_id(), *happened, first_position=1))
