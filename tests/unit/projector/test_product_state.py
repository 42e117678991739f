"""The state that is published: the document that readers see, and of a deleted product the time of that."""

from collections.abc import Sequence

from hypothesis import given

from projector.state_topic import fold as product_state
from projector.state_topic.fold import ProductState
from projector.views import product_document
from shared.contract import events as e
from shared.contract.recorded_event import RecordedEvent
from shared.contract.views import ProductDocument
from tests.unit.projector.folding import folded
from tests.unit.projector.histories import created, history, new_product_id, priced, random_history


def both(events: Sequence[RecordedEvent]) -> tuple[ProductState | None, ProductDocument | None]:
    """The state and the document after these events; every event is folded twice."""
    return folded(product_state.FOLD, events), folded(product_document.FOLD, events)


@given(random_history())
def test_its_document_is_the_one_that_readers_see_and_its_time_that_of_the_last_event(
    happened: Sequence[e.ProductEvent],
) -> None:
    events = history(new_product_id(), *happened)
    state, document = both(events)
    assert state == ProductState(document, events[-1].recorded_at)


def test_a_deleted_product_has_a_state_without_document() -> None:
    events = history(new_product_id(), created(), e.ProductDeleted())
    assert both(events)[0] == ProductState(None, events[1].recorded_at)


def test_an_event_of_unknown_type_moves_version_and_time() -> None:
    events = history(new_product_id(), created(), priced("2.00"), e.ProductDeleted(), priced("3.00"))
    state, document = both(events[:1])
    assert state is not None
    assert document is not None
    passed = product_state.skip_event(state, events[1])
    assert passed.document == product_document.skip_event(document, events[1])
    assert passed.recorded_at == events[1].recorded_at
    gone, _ = both(events[:3])
    assert gone is not None
    assert product_state.skip_event(gone, events[3]) == ProductState(None, events[3].recorded_at)
