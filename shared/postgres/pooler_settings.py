"""Whether a pooler stands between a process and PostgreSQL."""

from typing import Literal

from shared.ops.settings import ProcessSettings

Pooler = Literal["none", "transaction"]
"""`transaction`: each transaction may run in another session of the server, as with PgBouncer in transaction
mode. So nothing may outlive a transaction: no session setting, no lock, no LISTEN.
"""


class PoolerSettings(ProcessSettings):
    """Settings of the processes that may work behind a pooler; docs/postgresql.md has what it must do."""

    postgres_pooler: Pooler = "none"
