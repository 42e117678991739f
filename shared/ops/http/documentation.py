"""The /docs page of an API: Swagger UI, served from here, so that it works without a network.

FastAPI's own page loads its scripts from another server and has a script in its text; a strict
Content-Security-Policy allows neither. The scripts come from the package fastapi-offline.
"""

from collections.abc import Awaitable, Callable
from html import escape
from importlib.resources import files

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from shared.ops.version import service_version

OPENAPI_PATH = "/openapi.json"
DOCS_PATH = "/docs"
_KEPT = {"cache-control": "max-age=3600"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = b"""SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout", validatorUrl: null});
"""
_TYPES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.png": "image/png",
}


def documented(title: str, description: str = "", *, docs_enabled: bool) -> FastAPI:
    """The framework's application of an API, without routes; with /docs and /openapi.json if enabled."""
    app = FastAPI(
        title=title,
        version=service_version(),
        description=description,
        redirect_slashes=False,
        openapi_url=OPENAPI_PATH if docs_enabled else None,
        docs_url=None,
        redoc_url=None,
    )
    if docs_enabled:
        _add_page(app)
    return app


def _add_page(app: FastAPI) -> None:
    """/docs and its files. They are no part of the API, so OpenAPI does not list them."""
    page = _PAGE.format(title=escape(app.title)).encode()
    answers = {
        DOCS_PATH: (page, "text/html; charset=utf-8"),
        f"{DOCS_PATH}/start.js": (_START, _TYPES["swagger-ui-bundle.js"]),
    }
    folder = files("fastapi_offline") / "static"
    for name, media_type in _TYPES.items():
        answers[f"{DOCS_PATH}/{name}"] = ((folder / name).read_bytes(), media_type)
    for path, (content, media_type) in answers.items():
        app.add_route(path, _file(content, media_type), methods=["GET", "HEAD"], include_in_schema=False)


def _file(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = b"" if request.method == "HEAD" else content
        headers = {**_KEPT, "content-length": str(len(content))}
        return Response(body, 200, headers, media_type=media_type)

    return endpoint
