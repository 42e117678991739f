"""Settings that both `migrate` commands have."""

from pydantic import Field

from shared.ops.settings import ProcessSettings
from shared.postgres.migrations import LOCK_SECONDS_MAX


class PatientMigrateSettings(ProcessSettings):
    """How long they wait; their work has no limit."""

    # For PostgreSQL, for a long query that holds a table, and for another migration.
    migrate_wait_seconds_max: float = Field(default=60.0, ge=0)
    # For one lock, before it is given up and tried again: who waits for it holds up all later queries.
    migrate_lock_seconds_max: float = Field(default=LOCK_SECONDS_MAX, gt=0)
