"""Databases of tests: copies of one that was migrated once. The next copy is made while a test runs, and what
tests are done with is dropped beside the next one.
"""

from concurrent.futures import Future, ThreadPoolExecutor

from deploy.local.postgres import OWNER, PostgresServer
from tests.servers import DatabaseDsns, dsns_of
from tests.superuser import superuser_of

# PostgreSQL copies every right of a template but those on the database itself.
_CONNECT_AS_IN_TEMPLATE = """
DO $$
DECLARE
    granted text;
BEGIN
    REVOKE ALL ON DATABASE "{database}" FROM PUBLIC;
    FOR granted IN
        SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, '{database}',
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
        FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
        WHERE datname = '{template}' AND grantee <> datdba
    LOOP
        EXECUTE granted;
    END LOOP;
END
$$
"""


def create_database(server: PostgresServer, name: str, template: str) -> DatabaseDsns:
    """A copy that belongs to the role which migrates. A copy through the WAL takes three times as long."""
    superuser_of(server).run(
        f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER {OWNER} STRATEGY file_copy'
    )
    superuser_of(server).run(_CONNECT_AS_IN_TEMPLATE.format(database=name, template=template))
    return dsns_of(server, name)


def drop_database(server: PostgresServer, name: str) -> None:
    """Whoever is still connected to it."""
    superuser_of(server).run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class DatabaseStock:
    """Copies of one template, one of them always ready or in the making."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._made = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"copies-of-{template}")
        self._next = self._begin()

    def take(self) -> DatabaseDsns:
        """A fresh copy, for one test alone; PostgreSQL is up."""
        try:
            taken = self._next.result()
        except Exception:  # the test before has killed or paused the server meanwhile
            taken = self._begin().result()
        self._next = self._begin()
        return taken

    def give_back(self, taken: DatabaseDsns) -> None:
        """It is dropped soon, or with the server where that fails."""
        self._worker.submit(drop_database, self._server, taken.name)

    def close(self) -> None:
        """Make no more."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> "Future[DatabaseDsns]":
        self._made += 1
        name = f"{self._template.removesuffix('_template')}_{self._made}"
        return self._worker.submit(create_database, self._server, name, self._template)
