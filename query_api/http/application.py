"""All addresses as one ASGI application: logs and metrics, limits, then the framework. Hot reads bypass
it.
"""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from query_api.http import document, problems
from query_api.http.admission import Admission
from shared.access.guard import Guard
from shared.access.http.framework import protection
from shared.access.http.layer import FindCaller
from shared.ops.http.asgi import ASGIApp
from shared.ops.http.documentation import documented
from shared.ops.http.request_layer import RequestLayer
from shared.ops.log_limits import LINES_PER_SECOND_MAX
from shared.rate_limits.api_limits import ApiLimits

AddRoutes = Callable[[FastAPI], None]
"""Builds the routes of one capability."""


def http_application(
    routes: Sequence[AddRoutes],
    guard: Guard | None,
    *,
    requests_in_progress_max: int,
    slow_request_seconds: float,
    docs_enabled: bool,
    limits: ApiLimits,
    caller_by_ticket: FindCaller | None = None,
    lines_per_second_max: int = LINES_PER_SECOND_MAX,
) -> ASGIApp:
    """The framework's routes behind logs, metrics, access control and limits. Without a guard, everybody may
    do everything.
    """
    app = documented("Product catalogue: reading", docs_enabled=docs_enabled)
    for add_routes in routes:
        add_routes(app)
    problems.install(app)
    document.install(app, is_guarded=guard is not None)
    admission = Admission(app, in_progress_max=requests_in_progress_max)
    layers = limits.around(admission, protection(app, guard, caller_by_ticket), guard)
    return RequestLayer(layers, slow_seconds=slow_request_seconds, lines_per_second_max=lines_per_second_max)
