"""Every port of the system as its process opens it; its routes are those that the code makes."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from command_api.http.answers import WriteApi
from command_api.http.app import write_app
from docs.generate.access import framework_in
from projector.errors import Unavailable
from projector.operators.http.endpoints import OPERATOR_SCOPES, operator_endpoints
from query_api.assembly import query_api
from query_api.search import http as search
from query_api.settings import QuerySettings
from shared.access.http.framework import table_of
from shared.access.http.layer import Row
from shared.access.http.operations import operations_table, protect_operations
from shared.access.scopes import Scope
from shared.access.source import open_guard
from shared.ops.health import Health
from shared.ops.http.asgi import ASGIApp, Handler
from shared.ops.http.operations import Route, operations_app
from tests.executing import execute_command
from tests.guards import LOG_REPEATS_SECONDS
from tests.in_memory_event_store import InMemoryEventStore
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.tokens import ISSUER, public_document


class Port(NamedTuple):
    """Its application behind access control, and its table."""

    app: ASGIApp
    rows: list[Row]

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://port.test")


def address_of(row: Row) -> str:
    """An address of this route; whatever it names does not exist."""
    return re.sub(r"\{(\w+)\}", "019a0000-0000-7000-8000-000000000000", row.path)


@asynccontextmanager
async def all_ports(folder: Path, **more: Any) -> AsyncIterator[dict[str, Port]]:
    """Two APIs and four operations ports, with the keys in a file. No server is there behind them."""
    keys = folder / "keys.json"
    keys.write_bytes(public_document("first"))
    settings = QuerySettings(
        _env_file=None,  # type: ignore[call-arg]
        read_model_dsn="postgresql://nobody@127.0.0.1:1/nothing",
        redis_url="redis://127.0.0.1:1/0",
        auth_issuer=ISSUER,
        auth_keys_file=keys,
        reads_per_second_max=0,
        failed_authentications_per_second_max=0,
        log_repeats_seconds=LOG_REPEATS_SECONDS,
        **more,
    )
    async with AsyncExitStack() as stack, query_api(settings) as queries:
        guard = await open_guard(settings, stack)
        execute = execute_command(InMemoryEventStore())
        commands = write_app(WriteApi(execute, "http://read.test", 12, InMemoryImportRuns()), guard)

        def operations(extra: Mapping[Route, Handler], needs: Mapping[Route, Scope]) -> Port:
            app = operations_app(Health("any"), extra)
            return Port(protect_operations(app, needs, guard), list(operations_table(app, needs).values()))

        yield {
            "command API": Port(commands, table_of(framework_in(commands))),
            "query API": Port(queries.application, table_of(framework_in(queries.application))),
            "operations of the command API": operations({}, {}),
            "operations of the query API": operations(
                search.operator_endpoints(search.OFF), search.OPERATOR_SCOPES
            ),
            "operations of the relay": operations({}, {}),
            "operations of the projector": operations(operator_endpoints(_Absent()), OPERATOR_SCOPES),
        }


class _Absent:
    """Stands for everything behind the operators' endpoints: whatever is asked of it fails as an outage."""

    def __getattr__(self, name: str) -> Any:
        return _Absent()

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise Unavailable("nothing is behind this port")
