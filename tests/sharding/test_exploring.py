"""The exhaustive search: the protocol holds in each state, and each planted fault is found."""

import pytest

from tests.sharding.faults import Faults
from tests.sharding.scenarios import AGAIN, AT_ONCE, BACK, CREATIONS, MOVE, TWICE, UPSERT_AGAIN, Scenario

STATES_MAX = 3_000_000
_SOON = [(MOVE, 0), (AT_ONCE, 0), (AGAIN, 2), (UPSERT_AGAIN, 0)]
_LATER = [(MOVE, 1), (AT_ONCE, 1), (BACK, 0), (TWICE, 0), (AGAIN, 4), (UPSERT_AGAIN, 1)]
FOUND_BY = {
    Faults.RELEASES_BY_TIME_ALONE: (CREATIONS, 0),
    Faults.LOOKS_BEFORE_IT_FENCES: (CREATIONS, 0),
    Faults.APPENDS_WITHOUT_ITS_CLAIM: (CREATIONS, 0),
    Faults.CONFIRMS_BEFORE_THE_APPEND: (CREATIONS, 0),
    Faults.LOOKS_BEFORE_IT_READS_THE_ROW: (BACK, 0),
    Faults.ABANDONS_WITHOUT_LOOKING: (TWICE, 0),
    Faults.NO_OPEN_CLAIM_FOR_A_RELEASE: (MOVE, 0),
    Faults.POSITIONS_ARE_NOT_RAISED: (MOVE, 0),
    Faults.ANSWERS_WITHOUT_LOOKING: (MOVE, 1),
    Faults.A_KEY_HAS_NO_HOME: (AGAIN, 2),
    Faults.REFUSES_ITS_OWN_COMMAND: (AGAIN, 2),
    Faults.LEAVES_A_PENDING_ROW_TO_OTHERS: (AT_ONCE, 0),
    Faults.THE_KEY_OF_AN_UPSERT_IS_NO_NAME: (UPSERT_AGAIN, 1),
}


def _holds(scenario: Scenario, losses_max: int) -> frozenset[tuple[str, ...]]:
    explored = scenario.explore(losses_max=losses_max, states_max=STATES_MAX)
    print(f"{scenario.name}, {losses_max} lost calls: {explored.states} states")
    print(sorted(explored.endings))
    assert explored.violation is None, "\n".join((explored.violation, *explored.steps))
    return explored.endings


@pytest.mark.parametrize(
    ("scenario", "losses_max"), _SOON, ids=lambda value: getattr(value, "name", str(value))
)
def test_the_protocol_holds_in_each_interleaving(scenario: Scenario, losses_max: int) -> None:
    endings = _holds(scenario, losses_max)
    assert any("done" in answers for answers in endings)


@pytest.mark.prove
@pytest.mark.parametrize(
    ("scenario", "losses_max"), _LATER, ids=lambda value: getattr(value, "name", str(value))
)
def test_the_protocol_holds_in_more_interleavings(scenario: Scenario, losses_max: int) -> None:
    endings = _holds(scenario, losses_max)
    assert any("done" in answers for answers in endings)


def test_one_of_two_creations_gets_the_slug_whoever_is_first() -> None:
    endings = _holds(CREATIONS, 0)
    assert {("done", "taken"), ("taken", "done")} <= endings
    assert ("done", "done") not in endings


def test_every_fault_has_a_scenario() -> None:
    assert set(FOUND_BY) == set(Faults)


@pytest.mark.parametrize("fault", Faults, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Faults) -> None:
    scenario, losses_max = FOUND_BY[fault]
    explored = scenario.explore(fault, losses_max=losses_max, states_max=STATES_MAX)
    print(f"{fault.name}: {explored.violation}, after {explored.states} states")
    assert explored.violation is not None
    assert explored.steps
