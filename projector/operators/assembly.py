"""Puts together what operators do, for the command line and the HTTP port."""

from functools import partial
from typing import NamedTuple

from projector.control.postgres import PostgresControl
from projector.operators.pausing import Pausing
from projector.parking.dead_letters import DeadLetters
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.projections import NAMES, PROJECTIONS
from projector.stores import Stores


class Operations(NamedTuple):
    """All that changes something; `status.py` only looks."""

    dead_letters: DeadLetters
    pausing: Pausing


def operations(stores: Stores) -> Operations:
    """Of all projections, over the same stores."""
    drains = {one.name: partial(one.retrying, stores) for one in PROJECTIONS}
    return Operations(
        DeadLetters(PostgresDeadLetters(stores.read_model), drains, stores.topic),
        Pausing(PostgresControl(stores.read_model), NAMES),
    )
