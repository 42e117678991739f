"""What OpenAPI says is what happens: schemathesis plays a careless client of a real server."""

from pathlib import Path

import httpx
import pytest

from command_api.http.answers import WriteApi
from command_api.http.app import write_port
from shared.ops.http.server import HttpServer
from tests.executing import execute_command
from tests.in_memory_import_runs import InMemoryImportRuns
from tests.integration.careless_client import must_find_no_fault
from tests.integration.event_store_world import open_store
from tests.servers import DatabaseDsns

pytestmark = pytest.mark.servers
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "negative_data_rejection",
)
EVERYTHING = ("--max-examples", "10", "--phases", "examples,coverage,fuzzing")
A_FEW = ("--max-examples", "2", "--phases", "fuzzing")
# A bad operation is that item's problem in a 207.
REFUSALS = """
[checks]
negative_data_rejection.expected-statuses = [400, 404, 405, 409, 412, 413, 415, 422, 207]
"""


@pytest.mark.prove
@pytest.mark.parametrize("known", [True, False], ids=["a product that is there", "any product"])
async def test_what_openapi_says_is_what_happens(
    event_store_dsns: DatabaseDsns, tmp_path: Path, known: bool
) -> None:
    await must_happen_as_said(event_store_dsns, known, tmp_path, EVERYTHING)


async def test_what_openapi_says_is_what_happens_in_a_few_examples(
    event_store_dsns: DatabaseDsns, tmp_path: Path
) -> None:
    await must_happen_as_said(event_store_dsns, True, tmp_path, A_FEW)


async def must_happen_as_said(
    event_store_dsns: DatabaseDsns, known: bool, folder: Path, extent: tuple[str, ...]
) -> None:
    """Of a product that is there, or of random ids."""
    store = await open_store(event_store_dsns.writer)
    api = write_port(
        WriteApi(execute_command(store), "http://127.0.0.1:8001", 12, InMemoryImportRuns()), None
    )
    server = HttpServer(
        api.application, host="127.0.0.1", port=0, port_setting="COMMAND_PORT", protocol=api.protocol
    )
    await server.start()
    try:
        url = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            body = {
                "name": "Shirt",
                "variants": [{"sku": "OBS-M", "price": {"amount": "1", "currency": "EUR"}}],
            }
            product_id = (await client.post("/v1/products", json=body)).json()["id"]
        parameters = f'[parameters]\nproduct_id = "{product_id}"\nsku = "OBS-M"\n' if known else ""
        await must_find_no_fault(url, folder, parameters + REFUSALS, "--checks", ",".join(CHECKS), *extent)
    finally:
        await server.stop(5)
        await store.close()
