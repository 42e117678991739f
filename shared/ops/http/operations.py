"""The operations port: a second port for Kubernetes, Prometheus and operators.

A plain ASGI app without a framework, because it must answer while the framework's port is overloaded, and
because the relay and the projector have no other HTTP.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from shared.ops.health import Health
from shared.ops.http.asgi import Handler, Receive, Scope, Send, respond
from shared.ops.http.problem import Problem
from shared.ops.http.problem_answer import send_problem
from shared.ops.version import service_revision, service_version

Route = tuple[str, str]
_NOTHING: Mapping[Route, Handler] = MappingProxyType({})
_NOT_FOUND = Problem(404, "not-found", "There is nothing at this address.")
_NOT_ALLOWED = Problem(405, "method-not-allowed", "Not with this method.")
_encode = msgspec.json.Encoder().encode


class OperationsApp:
    """ASGI: exact paths. `public` are the routes for probes and scrapes, which ask for no token."""

    def __init__(self, public: Mapping[Route, Handler], extra: Mapping[Route, Handler]) -> None:
        self.public = tuple(public)
        self.routes = frozenset({*public, *extra})
        for method, path in public.keys() & extra.keys():
            raise ValueError(f"{method} {path} is routed twice")
        self._handlers: dict[str, dict[str, Handler]] = {}
        for (method, path), handler in {**public, **extra}.items():
            self._handlers.setdefault(path, {})[method] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            raise NotImplementedError(f"the operations port speaks HTTP only, not {scope['type']}")
        methods = self._handlers.get(scope["path"])
        if methods is None:
            await send_problem(scope, send, _NOT_FOUND)
        elif scope["method"] not in methods:
            allow = (b"allow", ", ".join(sorted(methods)).encode())
            await send_problem(scope, send, _NOT_ALLOWED, (allow,))
        else:
            await methods[scope["method"]](scope, receive, send)


def operations_app(health: Health, extra: Mapping[Route, Handler] = _NOTHING) -> OperationsApp:
    """GET and HEAD of /livez, /readyz, /metrics, /version; `extra` adds operator endpoints by (METHOD, exact
    path).

    /livez and /readyz answer 200 or 503 with `{"process", "status", "checks": {name: "ok" or the reason}}`;
    /readyz also with `degraded`, the names of failing checks that do not prevent readiness.
    """
    built_in = {
        "/livez": _livez(health),
        "/readyz": _readyz(health),
        "/metrics": _metrics,
        "/version": _version(health.process),
    }
    public = {(method, path): handler for path, handler in built_in.items() for method in ("GET", "HEAD")}
    return OperationsApp(public, extra)


def _livez(health: Health) -> Handler:
    async def livez(scope: Scope, _: Receive, send: Send) -> None:
        alive, checks = health.liveness()
        await _state(scope, send, alive, health.process, "alive" if alive else "stuck", checks)

    return livez


def _readyz(health: Health) -> Handler:
    async def readyz(scope: Scope, _: Receive, send: Send) -> None:
        ready, checks, degraded = health.readiness()
        status = "ready" if ready else "not ready"
        await _state(scope, send, ready, health.process, status, checks, degraded=degraded)

    return readyz


async def _state(
    scope: Scope,
    send: Send,
    is_good: bool,
    process: str,
    status: str,
    checks: Mapping[str, str],
    **more: Sequence[str],
) -> None:
    body = _encode({"process": process, "status": status, "checks": checks, **more})
    await respond(scope, send, 200 if is_good else 503, "application/json", body)


async def _metrics(scope: Scope, _: Receive, send: Send) -> None:
    await respond(scope, send, 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))


def _version(process: str) -> Handler:
    async def version(scope: Scope, _: Receive, send: Send) -> None:
        body = _encode({"process": process, "version": service_version(), "revision": service_revision()})
        await respond(scope, send, 200, "application/json", body)

    return version
