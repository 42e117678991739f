"""Reads with tokens: who sees a draft, and that nobody else can tell that it exists."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from shared.access.scopes import Scope
from shared.contract.views import ProductDocument
from tests.guards import bearer
from tests.integration.query_world import (
    Installation,
    World,
    module_installation,
    product,
    token_for,
)
from tests.integration.search_index import Index, index
from tests.servers import DatabaseDsns
from tests.tokens import ISSUER, bad_tokens, public_document
from tests.ways import Way

__all__ = ["index"]

READER = bearer(Scope.PRODUCTS_READ)
EDITOR = bearer(Scope.PRODUCTS_READ, Scope.PRODUCTS_READ_DRAFTS)
WAYS = ("served", "framework")
HIDDEN = ("draft", "archived")


@pytest_asyncio.fixture(scope="module")
async def guarded_installation(
    read_model_of_module: DatabaseDsns, redis_url_of_module: str, way_to_views: Way
) -> AsyncIterator[Installation]:
    async with module_installation(
        read_model_of_module,
        redis_url_of_module,
        way_to_views,
        auth_issuer=ISSUER,
        auth_public_keys=public_document("first").decode(),
        reads_per_second_max=0,
        failed_authentications_per_second_max=0,
        absent_ttl_seconds=0.001,
        access_lines_per_second_max=1_000_000,  # lines are counted below, after a second with many others
    ) as guarded:
        yield guarded


@pytest_asyncio.fixture
async def world(guarded_installation: Installation) -> AsyncIterator[World]:
    await guarded_installation.empty()
    async with guarded_installation.world() as one:
        yield one


def _addresses(document: ProductDocument) -> list[str]:
    sku = document.variants[0].sku
    return [
        f"/v1/products/{document.id}",
        f"/v1/products/by-sku/{sku}",
        f"/v1/products/by-slug/{document.slug}",
    ]


def _seen(answer: httpx.Response, document: ProductDocument) -> str:
    """All that a caller learns, but what names the request and the product that it asked for."""
    sku = document.variants[0].sku
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    headers.pop("content-length", None)
    body = answer.json() if answer.content else {}
    for own in ("trace_id", "request_id", "instance"):
        body.pop(own, None)
    text = str((answer.status_code, sorted(headers.items()), body))
    for name in (str(document.id), document.slug, sku):
        text = text.replace(name, "NAME")
    return text


async def _ask(client: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    return await client.get(path, headers=headers)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", HIDDEN)
@pytest.mark.parametrize("is_cached", [True, False])
async def test_a_hidden_product_is_answered_like_one_that_never_was(
    world: World, way: str, status: str, is_cached: bool
) -> None:
    hidden, absent = product(version=3, status=status), product(version=3)
    await world.store(hidden)
    if is_cached:
        await world.cache(hidden)
    client = world.client(way)
    conditions: list[dict[str, str]] = [
        {},
        {"if-none-match": '"3"'},
        {"if-none-match": "*"},
        {"if-match": '"3"'},
        {"if-match": '"7"'},
        {"if-match": "*"},
    ]
    for path, other in zip(_addresses(hidden), _addresses(absent), strict=True):
        # Once by somebody who may see it, so that pointers and documents are cached.
        assert (await _ask(client, path, **EDITOR)).json()["status"] == status
        for condition in conditions:
            for method in ("GET", "HEAD"):
                refused = await client.request(method, path, headers={**READER, **condition})
                never = await client.request(method, other, headers={**READER, **condition})
                assert refused.status_code == 404
                assert _seen(refused, hidden) == _seen(never, absent), (path, condition, method)


@pytest.mark.parametrize("way", WAYS)
async def test_an_active_product_is_served_to_every_reader_and_kept_by_no_shared_cache(
    world: World, way: str
) -> None:
    document = product(version=2)
    await world.store(document)
    await world.cache(document)
    for path in _addresses(document):
        for _ in range(2):  # the second time the token is known
            answer = await _ask(world.client(way), path, **READER)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "private, no-cache"
            assert answer.headers["vary"] == "Authorization"
        unchanged = await _ask(world.client(way), path, **READER, **{"if-none-match": '"2"'})
        assert (unchanged.status_code, unchanged.headers["vary"]) == (304, "Authorization")


async def test_a_known_token_is_answered_before_the_application(world: World) -> None:
    document, draft = product(), product(status="draft")
    for one in (document, draft):
        await world.store(one)
        await world.cache(one)
    path = f"/v1/products/{document.id}"

    async def lines(path: str, headers: dict[str, str]) -> int:
        with capture_logs() as logged:
            assert (await world.served.get(path, headers=headers)).status_code == 200
        return [line["event"] for line in logged].count("request")

    fresh = bearer(Scope.PRODUCTS_READ, sub=str(uuid4()))
    assert [await lines(path, fresh) for _ in range(3)] == [1, 0, 0]
    await world.served.get(path, headers=EDITOR)
    assert await lines(f"/v1/products/{draft.id}", EDITOR) == 0


async def test_the_hot_read_lets_nobody_in_whom_the_application_refuses(world: World) -> None:
    document = product()
    await world.store(document)
    await world.cache(document)
    path = f"/v1/products/{document.id}"
    assert (await world.served.get(path, headers=READER)).status_code == 200
    assert (await world.served.get(path)).status_code == 401
    for wrong in bad_tokens(Scope).values():
        answer = await world.served.get(path, headers={"authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
    no_right = bearer(Scope.PRODUCTS_READ_DRAFTS, Scope.OPS_READ)
    for _ in range(2):
        assert (await world.served.get(path, headers=no_right)).status_code == 403
    twice = [("authorization", READER["authorization"])] * 2
    assert (await world.served.get(path, headers=twice)).status_code == 400


@pytest.mark.parametrize("way", WAYS)
async def test_a_consistency_token_tells_nothing_of_a_hidden_product(world: World, way: str) -> None:
    hidden, absent = product(version=3, status="draft"), product(version=3)
    await world.store(hidden)
    await world.cache(hidden)
    for document in (hidden, absent):
        await world.pass_checkpoint(document.id, 9)
    tokens = {
        "of its write": lambda product_id: token_for(product_id, 9, 3),
        "made up": lambda product_id: token_for(product_id, 0, 1),
        "of a version that is not there": lambda product_id: token_for(product_id, 9, 7),
        "of a position alone": lambda product_id: token_for(product_id, 9),
    }
    for why, make in tokens.items():
        for path, other in zip(_addresses(hidden), _addresses(absent), strict=True):
            refused = await _ask(world.client(way), path, **READER, **{"consistency-token": make(hidden.id)})
            never = await _ask(world.client(way), other, **READER, **{"consistency-token": make(absent.id)})
            assert refused.status_code == 404, (why, path)
            assert _seen(refused, hidden) == _seen(never, absent), (why, path)


async def test_a_hidden_product_that_is_not_visible_yet_is_waited_for_like_an_absent_one(
    world: World,
) -> None:
    hidden, absent = product(version=3, status="draft"), product(version=3)
    await world.store(hidden)
    await world.cache(hidden)
    for document in (hidden, absent):
        headers = {"consistency-token": token_for(document.id, 9, 3), "prefer": "wait=0"}
        for path in _addresses(document):
            behind = await _ask(world.served, path, **READER, **headers)
            assert (behind.status_code, behind.json()["code"]) == (503, "read-model-behind"), path
    seen = await _ask(
        world.served, _addresses(hidden)[0], **EDITOR, **{"consistency-token": token_for(hidden.id, 9, 3)}
    )
    assert seen.status_code == 200


async def test_an_editor_still_waits_for_a_product_that_is_behind(world: World) -> None:
    document = product(version=3, status="draft")
    await world.store(document)
    await world.pass_checkpoint(document.id, 9)
    headers = {"consistency-token": token_for(document.id, 9, 4), "prefer": "wait=0"}
    behind = await _ask(world.served, _addresses(document)[0], **EDITOR, **headers)
    assert (behind.status_code, behind.json()["code"]) == (503, "read-model-behind")


async def test_lists_show_hidden_products_only_to_those_who_may_see_them(world: World, index: Index) -> None:
    shown = product(category="shirts", brand="Sea")
    hidden = [product(status=status, category="secret", brand="Secret") for status in HIDDEN]
    for document in (shown, *hidden):
        await world.store(document)
    index.apply(shown, *hidden)
    ids = ",".join(str(document.id) for document in (shown, *hidden))

    async def found(query: str, headers: dict[str, str]) -> set[UUID]:
        answer = await world.served.get(f"/v1/products?{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        return {UUID(item["id"]) for item in answer.json()["items"]}

    assert await found("", READER) == await found(f"ids={ids}", READER) == {shown.id}
    assert await found(f"sku={hidden[0].variants[0].sku}", READER) == set()
    assert await found("category=secret", READER) == await found("brand=Secret", READER) == set()
    assert await found(f"ids={ids}&status=draft,archived", EDITOR) == {one.id for one in hidden}
    assert await found("status=draft,archived", EDITOR) == {one.id for one in hidden}
    # What an editor has made the cache keep is another page.
    assert await found(f"ids={ids}", READER) == {shown.id}
    for path in ("/v1/products", "/v1/products/export", "/v1/categories", "/v1/brands"):
        for query in ("draft", "archived", "active,draft"):
            refused = await world.served.get(f"{path}?status={query}", headers=READER)
            assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-scope")
            assert 'scope="products:read-drafts"' in refused.headers["www-authenticate"]


async def test_counts_of_hidden_products_are_for_those_who_may_see_them(world: World) -> None:
    await world.database.execute(
        "INSERT INTO views.category_view_brand (brand, draft, active, archived) "
        "VALUES ('Sea', 2, 3, 4), ('Secret', 1, 0, 0)"
    )
    blind = (await world.served.get("/v1/brands", headers=READER)).json()["items"]
    seeing = (await world.served.get("/v1/brands", headers=EDITOR)).json()["items"]
    counts = {"brand": "Sea", "products": 3}
    assert blind == [{**counts, "by_status": {"draft": None, "active": 3, "archived": None}}]
    assert seeing == [{**counts, "by_status": {"draft": 2, "active": 3, "archived": 4}}]
