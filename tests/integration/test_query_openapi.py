"""What OpenAPI says is what happens: schemathesis plays a careless client, against both ways."""

from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from shared.contract.events import ProductDetailsChanged, ProductPublished
from shared.ops.http.server import HttpServer
from tests.integration.careless_client import must_find_no_fault
from tests.integration.history_world import append
from tests.integration.query_world import World, product, shared_installation, world
from tests.integration.search_index import Index, index
from tests.past_events import created, past_events, priced, variant
from tests.servers import DatabaseDsns

__all__ = ["index", "shared_installation", "world"]

# A token is opaque and a cursor is signed, and prices need a currency: no schema can say which ones are good.
NOT_EXPRESSIBLE = "positive_data_acceptance"
EVERYTHING = ("--max-examples", "15")
# A stream has no end (test_event_streams.py), and a wait takes as long as it says.
ENDLESS = ("--exclude-path", "/v1/events/stream")
NO_WAIT = "[parameters]\nwait = 0\n"
A_FEW = ("--max-examples", "3", "--phases", "fuzzing")


@pytest.mark.prove
@pytest.mark.parametrize(
    ("way", "known"), [("served", True), ("served", False), ("framework", True)], ids=lambda value: str(value)
)
async def test_what_openapi_says_is_what_happens(
    world: World,
    index: Index,
    event_store_of_module: DatabaseDsns,
    way: str,
    known: bool,
    tmp_path: Path,
) -> None:
    behind = Behind(index, event_store_of_module)
    await must_happen_as_said(world, behind, way, known, tmp_path, EVERYTHING)


@pytest.mark.parametrize("way", ["served", "framework"])
async def test_what_openapi_says_is_what_happens_in_a_few_examples(
    world: World, index: Index, event_store_of_module: DatabaseDsns, way: str, tmp_path: Path
) -> None:
    await must_happen_as_said(world, Behind(index, event_store_of_module), way, True, tmp_path, A_FEW)


class Behind(NamedTuple):
    """What is behind the query API, beside views and cache."""

    index: Index
    event_store: DatabaseDsns


async def must_happen_as_said(
    world: World, behind: Behind, way: str, known: bool, folder: Path, extent: tuple[str, ...]
) -> None:
    """Random ids find nothing, so most runs are told of a product that is there."""
    events = past_events(
        created(variant("OBS-M")),
        ProductPublished(),
        priced("8.00", "OBS-M"),
        ProductDetailsChanged(name="New"),
    )
    log = await asyncpg.connect(behind.event_store.owner)
    await append(log, events)
    await log.close()
    document = product(
        id=events[0].product_id, sku="OBS-M", slug="ocean-blue-shirt", category="apparel/shirts", version=4
    )
    await world.store(document)
    await world.cache(document)
    behind.index.apply(document)
    names = f'{NO_WAIT}product_id = "{document.id}"\nsku = "OBS-M"\nslug = "ocean-blue-shirt"\n'
    server = (
        world.api.server(host="127.0.0.1", port=0)
        if way == "served"
        else HttpServer(world.api.application, host="127.0.0.1", port=0, port_setting="QUERY_PORT")
    )
    await server.start()
    try:
        await must_find_no_fault(
            f"http://127.0.0.1:{server.port}", folder, names if known else NO_WAIT,
            "--checks", "all", "--exclude-checks", NOT_EXPRESSIBLE, *ENDLESS, *extent,
        )  # fmt: skip
    finally:
        await server.stop(5)


async def test_the_document_describes_every_answer(world: World) -> None:
    document = (await world.served.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        assert set(operations) == {"get", "head"}, path
        for operation in operations.values():
            assert "422" not in operation["responses"]
            assert {"200", "400", "503"} <= set(operation["responses"])
    by_id = document["paths"]["/v1/products/{product_id}"]["get"]
    assert {"304", "404"} <= set(by_id["responses"])
    assert {"ETag", "Cache-Control", "Cache-Status", "X-Request-Id"} <= set(
        by_id["responses"]["200"]["headers"]
    )


async def test_the_interactive_documentation_is_served(world: World) -> None:
    answer = await world.served.get("/docs")
    assert answer.status_code == 200
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "openapi.json" in (await world.served.get("/docs/start.js")).text


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/products/", "/v1/products/a/b", "/v1/products/by-sku/a/b"])
async def test_an_unknown_address_is_a_404_problem(world: World, path: str) -> None:
    answer = await world.served.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert answer.headers["content-type"] == "application/problem+json"
