"""Every address as one ASGI application: observation, then the framework. Hot reads are answered before
it."""

from dataclasses import dataclass

from fastapi import FastAPI

from query_api.find import FindProduct
from query_api.http import openapi, problems
from query_api.http.consistency import WaitLimits
from query_api.http.observe import Observed
from query_api.http.report_routes import ReportReads, add_analytics_routes, add_list_routes
from query_api.http.routes import add_list_route, add_product_routes
from query_api.http.status_route import add_status_route
from query_api.lists import ListProducts
from query_api.status import TellStatus
from shared.ops.http.asgi import ASGIApp
from shared.ops.version import service_version


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the routes ask."""

    find: FindProduct
    lists: ListProducts
    reports: ReportReads
    status: TellStatus


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What the HTTP side is told by settings."""

    wait: WaitLimits
    list_ttl_seconds: int
    requests_in_progress_max: int
    slow_request_seconds: float


def http_application(use_cases: UseCases, limits: HttpLimits) -> ASGIApp:
    """The framework's routes, observed and bounded."""
    app = FastAPI(title="Product catalogue: reading", version=service_version(), redirect_slashes=False)
    add_list_route(app, use_cases.lists, limits.wait, ttl_seconds=limits.list_ttl_seconds)
    add_product_routes(app, use_cases.find, limits.wait)
    add_list_routes(app, use_cases.reports, limits.wait)
    add_analytics_routes(app, use_cases.reports, limits.wait)
    add_status_route(app, use_cases.status)
    problems.install(app)
    openapi.install(app)
    return Observed(
        app, in_progress_max=limits.requests_in_progress_max, slow_seconds=limits.slow_request_seconds
    )
