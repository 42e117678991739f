"""Puts the operators' actions together, for the command line and the operations port."""

from functools import partial
from typing import NamedTuple

from projector.audit.postgres import PostgresAuditLog
from projector.control.postgres import PostgresControl
from projector.operators.auditing import Auditing
from projector.operators.pausing import Pausing
from projector.parking.dead_letters import DeadLetters
from projector.parking.postgres.dead_letters import PostgresDeadLetters
from projector.parking.retry import Retrying
from projector.parking.traced_retrying import TracedRetrying
from projector.projection import Projection
from projector.projections import CONTROLLED, PROJECTIONS
from projector.stores import Stores


class Operations(NamedTuple):
    """The actions that change something, and the audit log; `status.py` reads the rest."""

    dead_letters: DeadLetters
    pausing: Pausing
    auditing: Auditing


def operations(stores: Stores) -> Operations:
    """The actions on all projections, over the same stores."""
    retrying = {one.name: partial(_retrying, one, stores) for one in PROJECTIONS}
    audit = PostgresAuditLog(stores.read_model)
    return Operations(
        DeadLetters(
            PostgresDeadLetters(stores.read_model),
            audit,
            retrying,
            stores.topic,
            stores.settings.partition_count,
        ),
        Pausing(PostgresControl(stores.read_model), CONTROLLED),
        Auditing(audit, CONTROLLED),
    )


def _retrying(projection: Projection, stores: Stores) -> Retrying:
    return TracedRetrying(projection.name, projection.retrying(stores))
