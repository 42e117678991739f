"""The ways on which a process reaches PostgreSQL: directly or through a pooler, to the primary or a replica.

A suite that takes its addresses from a `Way` runs on each of them. `make test` takes the direct one.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.local.ports import HOST, free_port
from deploy.local.postgres import READER, WRITER, PostgresServer
from shared.postgres.pooler_settings import Pooler
from tests.pooler import PgBouncer, pgbouncer_program
from tests.replica import PostgresReplica
from tests.superuser import close_superuser, superuser_of

DIRECT, POOLED, POOLED_REPLICAS = "direct", "pooled", "pooled-replicas"
PRIMARY_WAYS = [DIRECT, pytest.param(POOLED, marks=pytest.mark.prove)]
ALL_WAYS = [*PRIMARY_WAYS, pytest.param(POOLED_REPLICAS, marks=pytest.mark.prove)]
_REPLICAS = 2
# As docs/postgresql.md has them; in one database, because other tests use the same roles.
_ROLE_SETTINGS = {
    READER: {
        "statement_timeout": "3s", "idle_in_transaction_session_timeout": "3s",
        "plan_cache_mode": "force_custom_plan",
    },
    WRITER: {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "30s"},
}  # fmt: skip


@dataclass
class Way:
    """`pooler` is the setting POSTGRES_POOLER."""

    primary: PostgresServer | None = None
    bouncer: PgBouncer | None = None
    replicas: list[PostgresReplica] = field(default_factory=list)

    @property
    def pooler(self) -> Pooler:
        return "none" if self.bouncer is None else "transaction"

    def lead(self, dsn: str) -> str:
        """The same database as the same role, on this way."""
        return dsn if self.bouncer is None else self.bouncer.through(dsn)

    def prepare(self, database: str) -> None:
        """Set what the roles need behind a pooler in this database."""
        if self.primary is None:
            return
        for role, settings in _ROLE_SETTINGS.items():
            for name, value in settings.items():
                superuser_of(self.primary).run(
                    f"ALTER ROLE {role} IN DATABASE \"{database}\" SET {name} = '{value}'"
                )

    @property
    def writers_settings(self) -> dict[str, str]:
        """Start-up settings of who writes: a commit waits until every replica shows it."""
        return {"synchronous_commit": "remote_apply"} if self.replicas else {}


DIRECT_WAY = Way()


@contextmanager
def opened(name: str, primary: PostgresServer, folder: Path) -> Iterator[Way]:
    """A way by its name, with what it needs. Skips the test where PgBouncer is missing."""
    with ExitStack() as stack:
        if name == DIRECT:
            yield DIRECT_WAY
            return
        program = pgbouncer_program()
        primary.ensure_running()
        replicas = []
        if name == POOLED_REPLICAS:
            replicas = stack.enter_context(opened_replicas(primary))
            stack.enter_context(_synchronous(primary))
        hosts = [one.host for one in replicas] or [HOST]
        to_port = replicas[0].port if replicas else primary.port
        bouncer = PgBouncer(folder / "pooler", free_port(), to_port, hosts=hosts, program=program)
        stack.callback(bouncer.stop)
        bouncer.start()
        yield Way(primary, bouncer, replicas)


@contextmanager
def opened_replicas(
    primary: PostgresServer, settings: dict[str, str] | None = None, number: int = _REPLICAS
) -> Iterator[list[PostgresReplica]]:
    """Replicas on one port, each with a loopback address of its own."""
    port = free_port()
    replicas = [PostgresReplica(primary, f"127.0.0.{1 + at}", port, settings) for at in range(number)]
    try:
        for one in replicas:
            one.start()
        yield replicas
    finally:
        for one in replicas:
            close_superuser(one)
            one.stop()


@contextmanager
def _synchronous(primary: PostgresServer) -> Iterator[None]:
    """Whoever commits may wait for all replicas; see `Way.writers_settings`. Others do not wait."""
    for setting in (f"synchronous_standby_names = 'FIRST {_REPLICAS} (*)'", "synchronous_commit = 'local'"):
        superuser_of(primary).run(f"ALTER SYSTEM SET {setting}")
    superuser_of(primary).run("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        primary.ensure_running()
        for name in ("synchronous_standby_names", "synchronous_commit"):
            superuser_of(primary).run(f"ALTER SYSTEM RESET {name}")
        superuser_of(primary).run("SELECT pg_reload_conf()")


@pytest.fixture(scope="module", params=ALL_WAYS)
def way_to_views(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Way]:
    """Each way to the read model; in `make test` the direct one alone."""
    with opened(request.param, postgres_server, tmp_path_factory.mktemp("way")) as one:
        yield one


@pytest.fixture(scope="module", params=PRIMARY_WAYS)
def way_to_primary(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Way]:
    """The same for tests that write, break the primary, or look at its sessions."""
    with opened(request.param, postgres_server, tmp_path_factory.mktemp("way")) as one:
        yield one
