"""Every route and every error of the query API: each answer has the headers for browsers."""

from uuid import uuid4

import pytest

from query_api.status.postgres.projection_states import PostgresProjectionStates
from tests.answer_headers import must_be_protected
from tests.integration.query_world import World, installation, product, shared_installation, token_for, world
from tests.integration.wire import wire
from tests.servers import DatabaseDsns

__all__ = ["shared_installation", "world"]

pytestmark = pytest.mark.servers
# Names of tests must be the same in each worker, so it is no new id.
ABSENT = "01920000-0000-7000-8000-000000000000"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


async def test_every_route_answers_every_method_with_them(world: World) -> None:
    document = product(sku="S-1", slug="shirt")
    await world.store(document)
    await world.cache(document)
    paths = (await world.served.get("/openapi.json")).json()["paths"]
    assert len(paths) > 5
    ids = {"{product_id}": str(document.id), "{sku}": "S-1", "{slug}": "shirt"}
    for address in ["/openapi.json", "/docs/swagger-ui.css", "/nothing", *paths]:
        for name, value in ids.items():
            address = address.replace(name, value)
        for method in METHODS:
            for more in ({}, {"if-none-match": '"1"'}, {"if-match": '"7"'}, {"consistency-token": "junk"}):
                # A stream of events has no end.
                async with world.served.stream(method, address, headers=more) as answer:
                    must_be_protected(answer.status_code, answer.headers)
    must_be_protected(200, (await world.served.get("/docs")).headers, is_page=True)


@pytest.mark.parametrize(
    ("status", "path", "headers"),
    [
        (400, "/v1/products?limit=0", {}),
        (400, "/v1/products?a=%FF", {}),
        (404, f"/v1/products/{ABSENT}", {}),
        (412, "/v1/products", {"if-match": '"1"'}),
        (503, f"/v1/products/{ABSENT}", {"consistency-token": token_for(uuid4(), 10), "prefer": "wait=0"}),
    ],
)
async def test_every_error_has_them(world: World, status: int, path: str, headers: dict[str, str]) -> None:
    answer = await world.served.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    must_be_protected(status, answer.headers)


async def test_a_bug_has_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(PostgresProjectionStates, "states", fails)
    answer = await world.served.get("/v1/status")
    assert answer.status_code == 500, answer.text
    must_be_protected(500, answer.headers)


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, "junk"),
        (400, "GET /v1/products HTTP/1.1"),
        (414, f"GET /{'a' * 40_000} HTTP/1.1\nhost: localhost"),
    ],
)
async def test_what_is_refused_before_the_application_has_them(world: World, status: int, sent: str) -> None:
    async with wire(world) as to:
        to.ask(sent)
        answered, headers, _ = await to.answer()
    assert answered == status
    must_be_protected(status, headers)


async def test_refusals_of_limits_have_them(read_model_dsns: DatabaseDsns, redis_url: str) -> None:
    limits = {"reads_per_second_max": 1 / 3600, "reads_burst_max": 1, "rate_limit_seconds_max": 30.0}
    async with installation(read_model_dsns, redis_url, **limits) as own, own.world() as limited:
        document = product()
        await limited.cache(document)
        path = f"/v1/products/{document.id}"
        for status in (200, 429):
            answer = await limited.served.get(path)
            assert answer.status_code == status
            must_be_protected(status, answer.headers)
