"""Puts together what operators do, for the command line and the HTTP port."""

from functools import partial

from projector.control.postgres import PostgresControl
from projector.operators.operations import Operations
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.projections import PROJECTIONS
from projector.stores import Stores


def operations(stores: Stores) -> Operations:
    """Of all projections, over the same stores."""
    return Operations(
        PostgresDeadLetters(stores.read_model),
        PostgresControl(stores.read_model),
        {one.name: partial(one.draining, stores) for one in PROJECTIONS},
        stores.topic,
    )
