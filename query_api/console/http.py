"""`GET /console` and the files of its page, for everybody: what they show comes from the API, with its rules.

A browser keeps a file and asks each time whether it is still the same (`no-cache` and an entity tag). Files
that are kept for long under a name of their own would be of two releases while processes are replaced.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import FastAPI, Request
from starlette.responses import Response

from query_api.console.files import PAGE, StaticFile, static_files
from query_api.http.application import AddRoutes
from query_api.http.content_coding import chosen_coding
from query_api.settings import QuerySettings
from shared.ops.http.console_page import CONSOLE_PATH, CONSOLE_POLICIES

Endpoint = Callable[[Request], Awaitable[Response]]
_METHODS = ["GET", "HEAD"]


def console_policies(settings: QuerySettings) -> Mapping[bytes, bytes]:
    """The policy of the page, for the headers of the port."""
    return CONSOLE_POLICIES if settings.console_enabled else {}


def console_routes(settings: QuerySettings) -> Sequence[AddRoutes]:
    """The page, and each of its files under `/console/`; none if it is switched off. They are no part of the
    API, so OpenAPI does not list them. The page names its files relative to `/console`, so that it works
    behind a prefix.
    """
    if not settings.console_enabled:
        return ()
    made = static_files()
    page = made.pop(PAGE)

    def add(app: FastAPI) -> None:
        app.add_route(CONSOLE_PATH, _answer(page), methods=_METHODS, include_in_schema=False)
        app.add_route(f"{CONSOLE_PATH}/", _without_slash, methods=_METHODS, include_in_schema=False)
        for name, file in made.items():
            path = f"{CONSOLE_PATH}/{name}"
            app.add_route(path, _answer(file), methods=_METHODS, include_in_schema=False)

    return (add,)


async def _without_slash(_: Request) -> Response:
    """People type the slash. The address is relative, so that it is right behind a prefix, too."""
    return Response(status_code=308, headers={"location": f"..{CONSOLE_PATH}"})


def _answer(file: StaticFile) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        coding = chosen_coding(request.headers.getlist("accept-encoding"))
        tag = f'"{file.digest}-{coding}"'
        headers = {"etag": tag, "cache-control": "no-cache", "vary": "Accept-Encoding"}
        if _has(request, tag):
            return Response(status_code=304, headers=headers)
        content = file.codings[coding]
        headers["content-length"] = str(len(content))
        if coding != "identity":
            headers["content-encoding"] = coding
        return Response(
            b"" if request.method == "HEAD" else content, 200, headers, media_type=file.media_type
        )

    return endpoint


def _has(request: Request, tag: str) -> bool:
    """Whether If-None-Match names this form of the file; a proxy may have made the tag weak."""
    given = ",".join(request.headers.getlist("if-none-match"))
    return given.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in given.split(",")}
