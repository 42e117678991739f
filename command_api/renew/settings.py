"""Every environment variable that `python -m command_api renew-log-id` reads."""

from pydantic import Field

from shared.access.command import OperatorSettings
from shared.ops.development import DevelopmentDefault
from shared.ops.secret import Secret
from shared.postgres.dsn import PostgresDsn


class RenewSettings(OperatorSettings):
    """It connects as the owner of the database, because no other role may change the id."""

    event_store_migrate_dsn: DevelopmentDefault[PostgresDsn] = Secret(
        "postgresql://catalogue_migrate:catalogue_migrate@127.0.0.1:15432/event_store"
    )
    renew_statement_seconds_max: float = Field(default=10.0, gt=0)
