"""The pages of both APIs, made by Swagger UI from their OpenAPI documents, which are part of the site."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from command_api.http.answers import WriteApi
from command_api.http.app import write_app
from docs.generate.access import framework_in
from query_api.assembly import query_api
from query_api.settings import QuerySettings

_PROGRAM = ("swagger-ui-bundle.js", "swagger-ui.css")
_PAGE = """# {title}

Made from the [OpenAPI document]({name}.json) of this release. While `make up` runs, `{address}` shows the
same, and sends requests. Recipes with `curl` are in the [cookbook](../api.md).

<link rel="stylesheet" href="swagger-ui.css">
<div class="api" id="{name}"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="{name}.js"></script>
"""
# Nothing can be sent from the site, so no button offers it.
_START = """SwaggerUIBundle({{spec: {document}, dom_id: "#{name}", deepLinking: false,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout", validatorUrl: null,
  supportedSubmitMethods: []}});
"""
_ADDRESSES = {"command-api": "http://127.0.0.1:8000/docs", "query-api": "http://127.0.0.1:8001/docs"}


async def documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of each API, as it gives it itself."""
    commands = write_app(WriteApi(None, "", 1, None), None)  # type: ignore[arg-type]  # no request is answered
    with capture_logs():
        async with query_api(QuerySettings(_env_file=None)) as queries:  # type: ignore[call-arg]
            return {
                "command-api": framework_in(commands).openapi(),
                "query-api": framework_in(queries.application).openapi(),
            }


def write_api_pages(folder: Path, described: dict[str, dict[str, Any]]) -> None:
    """A page for each API, beside the program that shows it."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in _PROGRAM:
        (folder / file).write_bytes((files("fastapi_offline") / "static" / file).read_bytes())
    for name, document in described.items():
        text = json.dumps(document, ensure_ascii=False)
        title, address = document["info"]["title"], _ADDRESSES[name]
        (folder / f"{name}.json").write_text(text)
        (folder / f"{name}.js").write_text(_START.format(document=text, name=name))
        (folder / f"{name}.md").write_text(_PAGE.format(title=title, name=name, address=address))
