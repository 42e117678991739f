"""`PUT /v1/imports/{import_id}`: an importer reports its run. The same report may be sent again."""

from typing import Annotated
from urllib.parse import unquote

from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.responses import Response

from command_api.http.answers import WriteApi
from command_api.http.body import parse, read_body, require_media_type
from command_api.http.given import Given
from command_api.http.headers import actor_of, import_id_of, refuse_preconditions
from command_api.http.schemas import Body
from command_api.import_runs import ImportRun

IMPORT_PATH = "/v1/imports/{import_id}"
REJECTS_MAX = 1000
_Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class RejectIn(Body):
    """A rejected product: its lines in the file, its slug if that is known, and why."""

    lines: str = Field(max_length=255)
    key: str | None = Field(None, max_length=255)
    reason: str = Field(max_length=2000)


class ImportReportIn(Body):
    """A run that has ended. Counts are of products, but `events`; null: not counted."""

    file: str = Field(min_length=1, max_length=255, description="The name, without folders.")
    started_at: AwareDatetime
    finished_at: AwareDatetime
    products: _Count
    created: _Count
    changed: _Count
    unchanged: _Count
    rejected: _Count
    events: _Count | None = None
    rejects: list[RejectIn] = Field([], max_length=REJECTS_MAX)
    rejects_left_out: _Count = 0


async def report_import(api: WriteApi, request: Request) -> Response:
    """Report an import that has ended, under the Import-Id of its requests. Repeating it changes nothing; a
    later report of the same caller replaces it.
    """
    given = Given.of(request)
    refuse_preconditions(given, ())
    import_id = import_id_of(unquote(request.path_params["import_id"]))
    require_media_type(given, "application/json")
    report = parse(ImportReportIn, await read_body(request))
    fields = report.model_dump(exclude={"rejects"})
    rejects = [one.model_dump() for one in report.rejects]
    await api.imports.keep(ImportRun(import_id=import_id, caller=actor_of(given), rejects=rejects, **fields))
    return Response(status_code=204)
