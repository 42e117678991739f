"""The OpenAPI document is valid and names every route, header and status of the contract."""

import re
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from tests.in_memory_event_store import InMemoryEventStore
from tests.unit.command_http.write_client import problem_of, write_client

ROUTES = {
    ("POST", "/v1/products"): {201, 400, 409, 413, 415, 422, 503},
    ("POST", "/v1/products:batch"): {207, 400, 413, 415, 422, 503},
    ("PATCH", "/v1/products/{product_id}"): {200, 400, 404, 409, 412, 413, 415, 422, 503},
    ("DELETE", "/v1/products/{product_id}"): {204, 400, 404, 409, 412, 422, 503},
    ("PUT", "/v1/products/{product_id}/variants/{sku}"): {200, 201, 400, 404, 409, 412, 413, 415, 422, 503},
    ("DELETE", "/v1/products/{product_id}/variants/{sku}"): {204, 400, 404, 409, 412, 422, 503},
    ("PUT", "/v1/products/{product_id}/variants/{sku}/price"): {200, 400, 404, 409, 412, 413, 415, 422, 503},
    ("POST", "/v1/products/{product_id}/publish"): {200, 400, 404, 409, 412, 422, 503},
    ("POST", "/v1/products/{product_id}/archive"): {200, 400, 404, 409, 412, 422, 503},
    ("POST", "/v1/products/{product_id}/restore"): {200, 400, 404, 409, 412, 422, 503},
}
# What the server refuses before the application sees it, on every address; it has no request id.
BEFORE_ALL = {408, 414, 431}
ON_ALL = {*BEFORE_ALL, 429}
REPORT = {("PUT", "/v1/imports/{import_id}"): {204, 400, 409, 413, 415, 422, 503}}


async def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await client.get("/openapi.json")).json()
    return document


async def test_the_document_is_valid_openapi_and_complete(client: httpx.AsyncClient) -> None:
    document = await _document(client)
    validate(document)
    described = {
        (method.upper(), path): {int(status) for status in operation["responses"]}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {route: statuses | ON_ALL for route, statuses in {**ROUTES, **REPORT}.items()}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_each_route_names_its_headers_and_problem_documents(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    operation = (await _document(client))["paths"][path][method.lower()]
    asked = {parameter["name"] for parameter in operation["parameters"]}
    assert {"Idempotency-Key", "Import-Id", "X-Request-Id"} <= asked
    assert ("If-Match" in asked) == ("412" in operation["responses"])
    for status, response in operation["responses"].items():
        assert ("X-Request-Id" in response.get("headers", {})) == (int(status) not in BEFORE_ALL)
        if int(status) >= 400:
            assert list(response["content"]) == ["application/problem+json"]
            assert ("Retry-After" in response.get("headers", {})) == (status in ("429", "503"))
        else:
            assert "Consistency-Token" in response["headers"]
            assert ("ETag" in response["headers"]) == (status != "207")
            assert ("Location" in response["headers"]) == (path == "/v1/products")


async def test_the_report_of_an_import_is_no_command(client: httpx.AsyncClient) -> None:
    """It has no version, no events and no key."""
    ((method, path),) = REPORT
    operation = (await _document(client))["paths"][path][method.lower()]
    assert {parameter["name"] for parameter in operation["parameters"]} == {"import_id", "X-Request-Id"}
    assert set(operation["responses"]["204"]["headers"]) == {"X-Request-Id"}


async def test_the_page_for_people_needs_no_other_server(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) == 4
    for file in files:
        answer = await client.get(f"/{file}")
        assert (answer.status_code, len(answer.content) > 0) == (200, True), file
        assert (await client.head(f"/{file}")).headers["content-length"] == str(len(answer.content))
    assert "<script>" not in page
    assert "style=" not in page


async def test_documentation_can_be_switched_off(store: InMemoryEventStore) -> None:
    async with write_client(store, docs_enabled=False) as client:
        for path in ("/docs", "/docs/start.js", "/openapi.json", "/redoc"):
            problem_of(await client.get(path), 404, "not-found")
