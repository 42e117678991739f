"""Ingress objects as F5's controller turns them into nginx directives."""

from collections.abc import Iterator, Sequence

from tests.edge.configuration import Front, Manifest, ServerBlock, proxied

_LOCATION = {
    "nginx.org/client-max-body-size": "client_max_body_size",
    "nginx.org/proxy-connect-timeout": "proxy_connect_timeout",
    "nginx.org/proxy-read-timeout": "proxy_read_timeout",
    "nginx.org/proxy-send-timeout": "proxy_send_timeout",
}
_SWITCHES = {"false": "off", "true": "on"}
_OTHERS = {
    "nginx.org/keepalive",
    "nginx.org/proxy-buffering",
    "nginx.org/server-snippets",
    "nginx.org/ssl-redirect",
}


def front_of_ingresses(objects: Sequence[Manifest]) -> Front:
    """Every Ingress of the class. Raises ValueError for what the controller would ignore, or we."""
    ingresses = [one for one in objects if one["kind"] == "Ingress"]
    services = {(one["metadata"]["name"], port["name"]) for one, port in _service_ports(objects)}
    upstreams, servers = {}, []
    for one in ingresses:
        annotations = one["metadata"].get("annotations", {})
        unknown = annotations.keys() - _LOCATION.keys() - _OTHERS
        if unknown or one["spec"]["ingressClassName"] != "nginx":
            raise ValueError(f"{one['metadata']['name']}: not an Ingress of F5's controller: {unknown}")
        secrets = {host: tls["secretName"] for tls in one["spec"]["tls"] for host in tls["hosts"]}
        for rule in one["spec"]["rules"]:
            (path,) = rule["http"]["paths"]
            backend = path["backend"]["service"]
            if (path["path"], path["pathType"]) != ("/", "Prefix"):
                raise ValueError(f"not a whole host: {path}")
            if (backend["name"], backend["port"]["name"]) not in services:
                raise ValueError(f"no such port of a Service: {backend}")
            upstreams[backend["name"]] = int(annotations.get("nginx.org/keepalive", "0"))
            servers.append(
                ServerBlock(
                    rule["host"],
                    secrets[rule["host"]],
                    True,
                    list(_server(annotations)),
                    [*_location(annotations), *proxied(backend["name"])],
                )
            )
    return Front([], upstreams, servers)


def _service_ports(objects: Sequence[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    for one in objects:
        if one["kind"] == "Service":
            yield from ((one, port) for port in one["spec"]["ports"])


def _server(annotations: dict[str, str]) -> Iterator[str]:
    if annotations.get("nginx.org/ssl-redirect", "true") == "true":
        yield "if ($scheme = http) { return 301 https://$host$request_uri; }"
    yield from annotations.get("nginx.org/server-snippets", "").splitlines()


def _location(annotations: dict[str, str]) -> Iterator[str]:
    for name, directive in _LOCATION.items():
        if name in annotations:
            yield f"{directive} {annotations[name]};"
    yield f"proxy_buffering {_SWITCHES[annotations.get('nginx.org/proxy-buffering', 'true')]};"
