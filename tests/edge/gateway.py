"""Gateway and HTTPRoute as an nginx that chooses the pods by method and header."""

import re
from collections.abc import Iterator, Sequence

from tests.edge.configuration import Front, Manifest, ServerBlock, proxied

# As README.md of the components tells to set it, because a Gateway has no field for it.
BODY_BYTES_MAX = "17m"
_IDLE_CONNECTIONS = 32
_WHOLE_HOST = {"type": "PathPrefix", "value": "/"}


class Match:
    """One match of a rule: a method or any, one header or any."""

    def __init__(self, match: Manifest, service: str) -> None:
        if match.keys() - {"path", "method", "headers"} or match.get("path", _WHOLE_HOST) != _WHOLE_HOST:
            raise ValueError(f"not known here: {match}")
        self.method: str | None = match.get("method")
        headers = match.get("headers", [])
        if len(headers) > 1 or any(one.get("type", "Exact") != "Exact" for one in headers):
            raise ValueError(f"not known here: {headers}")
        self.header: tuple[str, str] | None = (headers[0]["name"], headers[0]["value"]) if headers else None
        self.service = service

    @property
    def weight(self) -> tuple[bool, bool]:
        """Which match wins, as the Gateway API says for equal paths: a method, then more headers."""
        return (self.method is not None, self.header is not None)


def front_of_route(objects: Sequence[Manifest]) -> Front:
    """The one Gateway with its one route. Raises ValueError for what is not known here."""
    (gateway,) = (one for one in objects if one["kind"] == "Gateway")
    (route,) = (one for one in objects if one["kind"] == "HTTPRoute")
    (listener,) = gateway["spec"]["listeners"]
    (parent,) = route["spec"]["parentRefs"]
    if (parent["name"], parent["sectionName"]) != (gateway["metadata"]["name"], listener["name"]):
        raise ValueError(f"the route belongs to no listener: {parent}")
    if (listener["protocol"], route["spec"]["hostnames"]) != ("HTTPS", [listener["hostname"]]):
        raise ValueError(f"another host, or not by TLS: {listener}")
    ports = {
        (one["metadata"]["name"], port["port"])
        for one in objects
        if one["kind"] == "Service"
        for port in one["spec"]["ports"]
        if port["name"] == "http"
    }
    matches = list(_matches(route, ports))
    (header,) = {match.header[0] for match in matches if match.header}
    variable = f"$http_{header.lower().replace('-', '_')}"
    choice = [f'map "$request_method {variable}" $service {{', *_choices(matches), "}"]
    (secret,) = listener["tls"]["certificateRefs"]
    server = ServerBlock(
        listener["hostname"],
        secret["name"],
        False,
        ["large_client_header_buffers 4 64k;", f"client_max_body_size {BODY_BYTES_MAX};"],
        # `timeouts: 0s` of every rule: no limit of the gateway's own.
        ["proxy_read_timeout 1d;", *proxied("$service")],
    )
    return Front(choice, {match.service: _IDLE_CONNECTIONS for match in matches}, [server])


def _matches(route: Manifest, ports: set[tuple[str, int]]) -> Iterator[Match]:
    for rule in route["spec"]["rules"]:
        (backend,) = rule["backendRefs"]
        if (backend["name"], backend["port"]) not in ports:
            raise ValueError(f"no such port of a Service: {backend}")
        if rule.get("timeouts") != {"request": "0s"}:
            raise ValueError(f"another limit of time: {rule}")
        yield from (Match(match, backend["name"]) for match in rule["matches"])


def _choices(matches: Sequence[Match]) -> Iterator[str]:
    """nginx takes the first expression that fits."""
    for match in sorted(matches, key=lambda one: one.weight, reverse=True):
        method = re.escape(match.method) if match.method else "[A-Z]+"
        value = re.escape(match.header[1]) if match.header else ".*"
        yield f'  "~^{method} {value}$" {match.service};'
