"""Every address as one ASGI application: observation, then the framework. Hot reads are answered before
it."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from query_api.http import openapi, problems
from query_api.http.observe import Observed
from shared.ops.http.asgi import ASGIApp
from shared.ops.version import service_version

AddRoutes = Callable[[FastAPI], None]
"""A capability's routes: it knows what they ask."""


def http_application(
    routes: Sequence[AddRoutes], *, requests_in_progress_max: int, slow_request_seconds: float
) -> ASGIApp:
    """The framework's routes, observed and bounded."""
    app = FastAPI(title="Product catalogue: reading", version=service_version(), redirect_slashes=False)
    for add_routes in routes:
        add_routes(app)
    problems.install(app)
    openapi.install(app)
    return Observed(app, in_progress_max=requests_in_progress_max, slow_seconds=slow_request_seconds)
