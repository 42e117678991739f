"""The table of an operations port: probes and metrics are public, operators' endpoints need their scope."""

from collections.abc import Mapping

from shared.access.guard import Guard
from shared.access.http.layer import AccessLayer, FindRow, Row
from shared.access.scopes import Scope as Right
from shared.ops.http.asgi import ASGIApp, Scope
from shared.ops.http.operations import OperationsApp

Route = tuple[str, str]


def operations_table(app: OperationsApp, needs: Mapping[Route, Right]) -> dict[Route, Row]:
    """Every route of the port. Raises `ValueError` for a route without a scope, and for the opposite."""
    public = {route: Row(*route, None) for route in app.public}
    table = {**public, **{route: Row(*route, right) for route, right in needs.items()}}
    if unlike := table.keys() ^ app.routes or public.keys() & needs.keys():
        raise ValueError(f"the operations port and its table of scopes differ: {sorted(unlike)}")
    return table


def protect_operations(app: OperationsApp, needs: Mapping[Route, Right], guard: Guard | None) -> ASGIApp:
    """The port behind access control; as it is if that is off. Raises `ValueError` in either case."""
    find_row = _rows(operations_table(app, needs))
    return app if guard is None else AccessLayer(app, find_row, guard)


def _rows(table: Mapping[Route, Row]) -> FindRow:

    def find(scope: Scope) -> Row | None:
        return table.get((scope["method"], scope["path"]))

    return find
