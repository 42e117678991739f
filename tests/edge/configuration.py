"""An nginx configuration from rendered objects, in the form that F5's controller 5.4 writes.

What a controller would not do for us is not done here either: an annotation, a match or a field that is not
known raises ValueError. The `nginx.org` defaults are those of the controller's documentation.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Manifest = dict[str, Any]

# Of nginx, and not changed by the controller: how long it keeps an idle connection to a pod.
UPSTREAM_KEEPALIVE_SECONDS = 60


class Ports(NamedTuple):
    """Where nginx listens on this machine."""

    http: int
    https: int


class ServerBlock(NamedTuple):
    """One host: its certificate (a Secret's name), directives for the server and for its only location."""

    host: str
    secret: str
    listens_in_the_clear: bool
    directives: Sequence[str]
    location: Sequence[str]


class Front(NamedTuple):
    """All that one nginx does."""

    maps: Sequence[str]
    upstreams: Mapping[str, int]
    """Service -> idle connections to its pods that are kept."""
    servers: Sequence[ServerBlock]


def proxied(upstream: str) -> list[str]:
    """What every location has. X-Forwarded-For gets the client's address at its end; the others are ours."""
    return [
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        "proxy_set_header Host $host;",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header X-Forwarded-Host $host;",
        "proxy_set_header X-Forwarded-Port $server_port;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        f"proxy_pass http://{upstream};",
    ]


def configuration(
    front: Front,
    pods: Mapping[str, Sequence[str]],
    ports: Ports,
    certificates: Mapping[str, Path],
    folder: Path,
) -> str:
    """The whole file. `pods` has the addresses (`host:port`) behind each Service, `certificates` the PEM
    file, key included, of each Secret.
    """
    lines = [
        f"pid {folder}/nginx.pid;",
        "daemon off;",
        "worker_processes 1;",
        "error_log stderr warn;",
        "events { worker_connections 2048; }",
        "http {",
        "  access_log off;",
        "  server_tokens off;",
        *(f"  {kind}_temp_path {folder}/{kind};" for kind in _TEMPORARY),
        *(f"  {line}" for line in front.maps),
    ]
    for service, idle in front.upstreams.items():
        servers = [f"server {address} max_fails=1 fail_timeout=10s;" for address in pods[service]]
        lines += _block(f"upstream {service}", [*servers, f"keepalive {idle};"])
    lines += _block("server", [f"listen {ports.http} default_server;", "return 404;"])
    rejecting = [f"listen {ports.https} ssl http2 default_server;", "ssl_reject_handshake on;"]
    lines += _block("server", rejecting)
    for server in front.servers:
        pem = certificates[server.secret]
        head = [f"listen {ports.http};"] if server.listens_in_the_clear else []
        lines += _block(
            "server",
            [
                *head,
                f"listen {ports.https} ssl http2;",
                f"server_name {server.host};",
                f"ssl_certificate {pem};",
                f"ssl_certificate_key {pem};",
                "ssl_protocols TLSv1.2 TLSv1.3;",
                *server.directives,
                "location / {",
                *server.location,
                "}",
            ],
        )
    return "\n".join([*lines, "}", ""])


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _block(name: str, directives: Sequence[str]) -> list[str]:
    return [f"  {name} {{", *(f"    {line}" for line in directives), "  }"]
