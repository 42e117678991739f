"""The past of products over HTTP: answers, headers, odd input, and an event store that is away."""

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jsonpatch
import pytest

from query_api.history.http import schemas
from query_api.products.http.schemas import ProductModel
from shared.contract import events as e
from tests.eventually import eventually
from tests.integration.history_world import PastWorld, past, past_world
from tests.integration.query_world import product, token_for
from tests.past_events import created, past_events, priced, variant
from tests.servers import DatabaseDsns
from tests.tcp_proxy import TcpProxy

__all__ = ["past"]

pytestmark = pytest.mark.servers
SKU = "A/B é"
LIFE = (
    created(variant(SKU), variant("S-2", "5.00"), attributes={"a/b": "~1"}), e.ProductPublished(),
    priced("8.00", SKU), e.ProductDetailsChanged(name="Linen", tags=("new",)), e.VariantRemoved("S-2"),
)  # fmt: skip
HISTORY, DIFF, PRICES, LOWEST = "/history", "/diff", "/price-history", "/lowest-price"
NEEDED: dict[str, dict[str, Any]] = {HISTORY: {}, DIFF: {"from": 1}, PRICES: {}, LOWEST: {}}


async def test_a_version_has_the_bytes_and_the_etag_that_the_product_had(past: PastWorld) -> None:
    product_id = await past.happened(*LIFE)
    answer = await past.get(product_id, version=3)
    assert answer.status_code == 200
    assert (answer.headers["etag"], answer.headers["cache-control"]) == ('"3"', "max-age=86400")
    body = answer.json()
    ProductModel.model_validate(body)
    assert (body["version"], body["name"], body["variants"][0]["price"]["amount"]) == (3, "Shirt", "8.00")
    at_time = await past.get(product_id, as_of="2026-01-03T23:00:00-01:00")
    assert (at_time.status_code, at_time.json()["version"]) == (200, 4)
    assert at_time.headers["cache-control"] == "no-cache"


async def test_a_version_knows_conditions_and_head(past: PastWorld) -> None:
    product_id = await past.happened(*LIFE)
    address = f"/v1/products/{product_id}?version=2"
    kept = await past.query.served.get(address, headers={"if-none-match": '"2"'})
    assert (kept.status_code, kept.headers["etag"], kept.content) == (304, '"2"', b"")
    other = await past.query.served.get(address, headers={"if-match": '"3"'})
    assert (other.status_code, other.json()["current_version"]) == (412, 2)
    head, got = await past.query.served.head(address), await past.query.served.get(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content)) == got.headers["content-length"]


@pytest.mark.parametrize(
    ("what", "parameters", "named"),
    [
        ("", {"version": "0"}, "version"), ("", {"version": "1.5"}, "version"),
        ("", {"version": "-1"}, "version"), ("", {"version": ""}, "version"),
        ("", {"version": "\u0663"}, "version"), ("", {"version": "9" * 18}, "version"),
        ("", {"version": "1", "as_of": "2026-01-01T00:00:00Z"}, "as_of"),
        ("", {"as_of": "2026-01-01T00:00:00"}, "as_of"), ("", {"as_of": "2026-01-01"}, "as_of"),
        ("", {"as_of": "1767225600"}, "as_of"), ("", {"as_of": "2026-13-01T00:00:00Z"}, "as_of"),
        ("", {"as_of": "0001-01-01T00:00:00+14:00"}, "as_of"), ("", {"as-of": "x"}, "as-of"),
        ("", {"version": ["1", "2"]}, "version"),
        (HISTORY, {"limit": "0"}, "limit"), (HISTORY, {"limit": "201"}, "limit"),
        (HISTORY, {"cursor": "x"}, "cursor"), (HISTORY, {"version": "1"}, "version"),
        (DIFF, {}, "from"), (DIFF, {"from": "0"}, "from"), (DIFF, {"from": "1.5"}, "from"),
        (DIFF, {"from": ""}, "from"),
        (DIFF, {"from": "1", "to": "yesterday"}, "to"), (DIFF, {"from": "3", "to": "2"}, "from"),
        (DIFF, {"from": "2026-01-04T00:00:00Z", "to": "2"}, "from"), (DIFF, {"from": "9999999999"}, "from"),
        (DIFF, {"from": "0001-01-01T00:00:00+14:00"}, "from"), (DIFF, {"from": "1", "cursor": "x"}, "cursor"),
        (PRICES, {"currency": "EURO"}, "currency"), (PRICES, {"currency": "XXQ"}, "currency"),
        (PRICES, {"sku": ""}, "sku"), (PRICES, {"sku": "\0"}, "sku"), (PRICES, {"days": "1"}, "days"),
        (LOWEST, {"days": "0"}, "days"), (LOWEST, {"days": "367"}, "days"), (LOWEST, {"days": "1.5"}, "days"),
        (LOWEST, {"before": "2026-01-01"}, "before"), (LOWEST, {"before": "0001-01-02T00:00:00Z"}, "before"),
        (LOWEST, {"currency": "eur"}, "currency"), (LOWEST, {"limit": "1"}, "limit"),
    ],
)  # fmt: skip
async def test_a_bad_parameter_is_named(
    past: PastWorld, what: str, parameters: dict[str, Any], named: str
) -> None:
    product_id = await past.happened(*LIFE)
    answer = await past.get(product_id, what, **parameters)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["pointer"] == f"/{named}"


@pytest.mark.parametrize(
    ("what", "parameters"),
    [
        ("", {"version": 6}), ("", {"version": 2**31 - 1}), ("", {"as_of": "2025-12-31T23:59:59Z"}),
        (DIFF, {"from": 1, "to": 6}), (DIFF, {"from": "0001-01-01T00:00:00Z"}),
    ],
)  # fmt: skip
async def test_what_never_was_is_404(past: PastWorld, what: str, parameters: dict[str, Any]) -> None:
    product_id = await past.happened(*LIFE)
    answer = await past.get(product_id, what, **parameters)
    assert (answer.status_code, answer.json()["code"]) == (404, "product-not-found")


@pytest.mark.parametrize("what", NEEDED)
async def test_a_product_that_never_was_has_no_past(past: PastWorld, what: str) -> None:
    for product_id in (uuid4(), "no-id"):
        answer = await past.query.served.get(f"/v1/products/{product_id}{what}", params=NEEDED[what])
        assert (answer.status_code, answer.json()["code"]) == (404, "product-not-found")


async def test_history_is_walked_by_its_links(past: PastWorld) -> None:
    product_id = await past.happened(*LIFE, e.ProductDeleted())
    address, found = f"/v1/products/{product_id}/history?limit=4", []
    while True:
        answer = await past.query.served.get(address)
        assert answer.status_code == 200
        page = schemas.HistoryPageModel.model_validate(answer.json())
        found += [(one.version, one.type, one.actor) for one in page.items]
        if page.next_cursor is None:
            break
        address = answer.links["next"]["url"]
    assert found[:2] == [(6, "product-deleted", "ann"), (5, "product-variant-removed", "ann")]
    assert [version for version, _, _ in found] == [6, 5, 4, 3, 2, 1]


async def test_a_difference_is_between_versions_or_times_and_its_patch_applies(past: PastWorld) -> None:
    product_id = await past.happened(*LIFE)
    answer = await past.get(product_id, DIFF, **{"from": "2026-01-01T12:00:00Z", "to": "4"})
    body = answer.json()
    schemas.DifferenceModel.model_validate(body)
    assert (body["from"]["version"], body["to"]["version"]) == (1, 4)
    before, after = [(await past.get(product_id, version=version)).json() for version in (1, 4)]
    assert jsonpatch.apply_patch(before, body["patch"]) == after
    assert {one["field"] for one in body["changes"]} == {"status", "name", "tags", "published_at", "price"}


async def test_prices_of_a_sku_with_a_slash_and_a_space(past: PastWorld) -> None:
    product_id = await past.happened(*LIFE)
    page = (await past.get(product_id, PRICES, sku="A/B e\u0301", currency="EUR")).json()
    schemas.PricePageModel.model_validate(page)
    assert [(one["price"]["amount"], one["for_sale"]) for one in page["items"]] == [
        ("8.00", True), ("10.00", True), ("10.00", False),
    ]  # fmt: skip
    answer = await past.get(product_id, LOWEST, sku=SKU, before="2026-01-03T00:00:00Z", days=1)
    assert answer.json() == {
        "sku": SKU,
        "price": {"amount": "10.00", "currency": "EUR"},
        "at": "2026-01-02T00:00:00Z",
        "days": 1,
    }
    unknown = await past.get(product_id, LOWEST, sku="nobody's")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "price-not-found")
    assert (await past.get(product_id, PRICES, sku="nobody's")).json() == {"items": [], "next_cursor": None}


async def test_a_sku_that_is_called_like_an_address_of_the_past_is_still_a_sku(past: PastWorld) -> None:
    document = product(sku="history")
    await past.query.store(document)
    answer = await past.query.served.get("/v1/products/by-sku/history")
    assert (answer.status_code, answer.json()["id"]) == (200, str(document.id))


@pytest.mark.parametrize("what", NEEDED)
async def test_a_write_is_seen_at_once_with_its_token_and_a_later_one_is_waited_for(
    past: PastWorld, what: str
) -> None:
    events = past_events(*LIFE)
    product_id = await past.append(events)
    newest = events[-1].log_position
    address = f"/v1/products/{product_id}{what}"
    for token, status in (
        (token_for(product_id, newest, 5), 200),
        (token_for(uuid4(), newest), 200),
        (token_for(product_id, newest, 6), 503),
        (token_for(uuid4(), newest + 1_000_000), 503),
        ("x", 400),
    ):
        headers = {"consistency-token": token, "prefer": "wait=0"}
        answer = await past.query.served.get(
            address, params={**NEEDED[what], **_long_ago(what)}, headers=headers
        )
        assert answer.status_code == status, answer.text
        if status == 503:
            assert (answer.json()["code"], answer.headers["retry-after"]) == ("read-model-behind", "1")


def _long_ago(what: str) -> dict[str, str]:
    return {"before": "2026-01-06T00:00:00Z", "sku": SKU} if what == LOWEST else {}


async def test_a_write_that_comes_meanwhile_ends_the_wait(past: PastWorld) -> None:
    events = past_events(*LIFE)
    product_id = await past.append(events[:4])

    async def asked() -> int:
        headers = {"consistency-token": token_for(product_id, events[-1].log_position, 5), "prefer": "wait=0"}
        return (await past.get(product_id, HISTORY, headers=headers)).status_code

    assert await asked() == 503
    await past.append(events[4:])
    assert await asked() == 200


async def test_while_the_event_store_is_away_all_else_is_served(
    read_model_dsns: DatabaseDsns, event_store_dsns: DatabaseDsns, redis_url: str
) -> None:
    dsn = urlsplit(event_store_dsns.log_reader)
    async with TcpProxy(str(dsn.hostname), dsn.port or 0) as proxy:
        away = dsn._replace(netloc=f"{dsn.username}:{dsn.password}@127.0.0.1:{proxy.port}").geturl()
        settings = {"event_store_read_dsn": away}
        async with past_world(read_model_dsns, event_store_dsns, redis_url, **settings) as world:
            product_id = await world.happened(*LIFE)
            await world.query.store(product(id=product_id))
            assert (await world.get(product_id, HISTORY)).status_code == 200
            proxy.is_refusing = True
            proxy.cut()
            for what, parameters in (*NEEDED.items(), ("", {"version": 1})):
                answer = await world.get(product_id, what, **parameters)
                assert (answer.status_code, answer.json()["code"]) == (503, "event-log-unavailable")
                assert "detail" not in answer.json()
            assert (await world.get(product_id)).status_code == 200
            proxy.is_refusing = False

            async def is_back() -> None:
                assert (await world.get(product_id, HISTORY)).status_code == 200

            await eventually(is_back)
