"""`python -m deploy.local.issuer PORT FOLDER`: an OAuth2 issuer for development, on this machine only.

It answers discovery (OpenID Connect, RFC 8414), public keys (RFC 7517), and the token endpoint with client
credentials (RFC 6749, 4.4). It has no users, no consent and no revocation: never use it for anything real.
"""

import base64
import binascii
import json
import signal
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from deploy.local.issued_tokens import ROLES, TokenMaker, token_maker
from deploy.local.ports import HOST

TOKEN_SECONDS = 3600
"""How long a token from the token endpoint lives."""
_FILES_SECONDS = 3600.0
_BODY_BYTES_MAX = 16_384
_DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


class TokenRefused(Exception):
    """RFC 6749, 5.2: `error` is one of its codes."""

    def __init__(self, status: HTTPStatus, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error


class IssuerServer(ThreadingHTTPServer):
    """Listens at once; `serve_forever` answers. Port 0: a free one."""

    daemon_threads = True

    def __init__(self, port: int, folder: Path, token_seconds: int = TOKEN_SECONDS) -> None:
        super().__init__((HOST, port), _Answers)
        self.url = f"http://{HOST}:{self.server_port}"
        self.maker: TokenMaker = token_maker(self.url, folder / "issuer")
        self.token_seconds = token_seconds
        self.tokens = folder / "tokens"
        self.maker.write_tokens(self.tokens)


class _Answers(BaseHTTPRequestHandler):
    server: IssuerServer
    timeout = 10  # seconds for a request, so that a client that stops sending holds no thread

    def log_message(self, *_: Any) -> None:
        """Nothing: `make up` asks for the keys every two seconds."""

    def do_GET(self) -> None:
        if self.path in _DISCOVERY:
            self._answer(HTTPStatus.OK, _discovery(self.server.url))
        elif self.path == "/jwks":
            self._answer(HTTPStatus.OK, self.server.maker.public_keys())
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "not_found"})

    def do_POST(self) -> None:
        try:
            self._answer(HTTPStatus.OK, self._issued())
        except TokenRefused as refused:
            described = {"error": refused.error, "error_description": str(refused)}
            self._answer(refused.status, described)

    def _issued(self) -> dict[str, Any]:
        form = self._form()
        if self.path != "/token":
            raise TokenRefused(HTTPStatus.NOT_FOUND, "invalid_request", "the token endpoint is /token")
        client_id, secret = self._client(form)
        if not self.server.maker.knows(client_id, secret):
            raise TokenRefused(HTTPStatus.UNAUTHORIZED, "invalid_client", "wrong client id or secret")
        if form.get("grant_type") != "client_credentials":
            raise _bad_request("unsupported_grant_type", "only client_credentials is supported")
        may = ROLES[client_id]
        wanted = tuple(form.get("scope", "").split()) or may
        if not set(wanted) <= set(may):
            raise _bad_request("invalid_scope", f"{client_id} may ask for {' '.join(may)}")
        seconds = self.server.token_seconds
        return {
            "access_token": self.server.maker.token(client_id, wanted, seconds),
            "token_type": "Bearer",
            "expires_in": seconds,
            "scope": " ".join(wanted),
        }

    def _form(self) -> dict[str, str]:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            self.close_connection = True
            raise _bad_request("invalid_request", "a form of known, small length is needed")
        fields = parse_qs(self.rfile.read(int(length)).decode("utf-8", "replace"), max_num_fields=20)
        if any(len(values) > 1 for values in fields.values()):
            raise _bad_request("invalid_request", "a field occurs twice")
        return {name: values[0] for name, values in fields.items()}

    def _client(self, form: dict[str, str]) -> tuple[str, str]:
        """By HTTP Basic, whose two parts are form-encoded (RFC 6749, 2.3.1), or in the form."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if not scheme:
            return form.get("client_id", ""), form.get("client_secret", "")
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote_plus(client_id), unquote_plus(secret)

    def _answer(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("cache-control", "no-store")
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("www-authenticate", 'Basic realm="issuer"')
        self.end_headers()
        self.wfile.write(body)


def _bad_request(error: str, description: str) -> TokenRefused:
    return TokenRefused(HTTPStatus.BAD_REQUEST, error, description)


def _discovery(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "jwks_uri": f"{url}/jwks",
        "token_endpoint": f"{url}/token",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "response_types_supported": [],
        "scopes_supported": sorted({scope for scopes in ROLES.values() for scope in scopes}),
    }


def serve(port: int, folder: Path) -> None:
    """Serve until SIGTERM; the tokens in files are new every hour."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with IssuerServer(port, folder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        while not stop.wait(_FILES_SECONDS):
            server.maker.write_tokens(server.tokens)
        server.shutdown()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
