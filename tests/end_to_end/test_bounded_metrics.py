"""However callers vary what they send, no process has more series afterwards: each costs memory for ever."""

import random
import string
import uuid
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.local.ports import HOST
from tests.end_to_end.catalogue import Catalogue, unique, variant
from tests.end_to_end.system import System
from tests.eventually import eventually

pytestmark = pytest.mark.servers
REPEATS = 5
CREATIONS = 300
"""Of random ids: that one of 12 partitions gets none happens once in 20 thousand million."""
LAG, POSITION, GROUP_LAG = "projection_lag_events", "projection_position", "consumer_group_lag_events"
SECRET = "xyzzy-secret"
"""Sent as a token, in a header and in the address; no log may have it."""
SERIES_MIN = 100
"""A process has more; fewer would mean that nothing was read."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as made:
        yield made


async def test_random_requests_make_no_new_series_and_leave_no_token_in_a_log(
    system: System, catalogue: Catalogue, client: httpx.AsyncClient
) -> None:
    await _touch_every_partition(system, catalogue, client)
    await _walk(system, catalogue, client, random.Random(1))
    before = await _all_series(system, client)
    for seed in range(2, 2 + REPEATS):
        await _walk(system, catalogue, client, random.Random(seed))
    after = await _all_series(system, client)
    added = {name: sorted(after[name] - series) for name, series in before.items()}
    assert added == {name: [] for name in before}
    assert min(map(len, before.values())) > SERIES_MIN
    assert [one.name for one in system.processes if SECRET in one.log_file.read_text()] == []


async def _touch_every_partition(system: System, catalogue: Catalogue, client: httpx.AsyncClient) -> None:
    """A projection's gauges of a partition begin with the partition's first event, those of a consumer group
    when the relay asks the broker again.
    """
    creations = [
        {"op": "create", "product": {"name": unique("warm"), "variants": [variant(unique("SKU"))]}}
        for _ in range(CREATIONS)
    ]
    assert (await catalogue.write("POST", "/v1/products:batch", creations)).status_code == 207

    async def touched() -> None:
        series = await _all_series(system, client)
        lags, positions = _labels(series["projector"], LAG), _labels(series["projector"], POSITION)
        assert lags == positions != set()
        projections = {labels.rpartition("projection=")[2] for labels in positions}
        assert len(_labels(series["relay"], GROUP_LAG)) == len(projections)

    await eventually(touched)


async def _walk(system: System, catalogue: Catalogue, client: httpx.AsyncClient, dice: random.Random) -> None:
    """The same kinds of requests each time, with other values in every place that a caller can fill."""
    product = await _written(catalogue, dice)
    for base in (system.command_url, system.query_url):
        for method, path in _requests(product, dice):
            await client.request(method, base + path, headers=_headers(dice), content=_word(dice))
    for process in system.processes:
        for path in (f"/{_word(dice)}", "/projections/pause", "/dead-letters/retry"):
            wanted = {"projection": _word(dice), "reason": _word(dice), "all": True}
            await client.post(f"http://{HOST}:{process.ops_port}{path}", json=wanted)
        await client.get(f"http://{HOST}:{process.ops_port}/dead-letters?projection={_word(dice)}")


async def _written(catalogue: Catalogue, dice: random.Random) -> str:
    """A product of its own, written and read in every way."""
    slug, sku, key = (f"{kind}-{_word(dice)}" for kind in ("slug", "sku", "key"))
    body = {
        "name": _word(dice), "slug": slug, "brand": _word(dice), "category": f"{_word(dice)}/{_word(dice)}",
        "attributes": {_word(dice): _word(dice)}, "variants": [variant(sku)],
    }  # fmt: skip
    for _ in range(2):
        answer = await catalogue.write("POST", "/v1/products", body, idempotency_key=key)
    product_id = str(answer.json()["id"])
    price = {"amount": "1", "currency": "USD"}
    await catalogue.write("PUT", f"/v1/products/{product_id}/variants/{sku}/price", price)
    for path in (product_id, product_id, f"by-sku/{sku}", f"by-slug/{slug}"):
        await catalogue.read(f"/v1/products/{path}")
    return product_id


def _requests(product_id: str, dice: random.Random) -> Iterator[tuple[str, str]]:
    unknown = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        yield method, f"/{_word(dice)}"
        yield method, f"/v1/{_word(dice)}/{_word(dice)}"
        yield method, f"/v1/products/{unknown}"
        yield method, f"/v1/products/{unknown}/variants/{_word(dice)}"
        yield method, f"/v1/products/by-sku/{_word(dice)}"
        yield method, f"/v1/products?{_word(dice)}={_word(dice)}&access_token={SECRET}"
        yield method, f"/v1/products/{product_id}/{_word(dice)}"
        yield method, f"/v1/analytics/{_word(dice)}"
        yield method, f"/v1/products:{_word(dice)}"


def _headers(dice: random.Random) -> dict[str, str]:
    return {
        "X-Request-Id": _word(dice),
        "X-Tenant": _word(dice),
        "X-Forwarded-For": f"10.{dice.randrange(256)}.{dice.randrange(256)}.1",
        "Authorization": f"Bearer {SECRET}{_word(dice)}",
        "Idempotency-Key": _word(dice),
        "User-Agent": _word(dice),
        _word(dice): _word(dice),
    }


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(string.ascii_lowercase, k=12))


async def _all_series(system: System, client: httpx.AsyncClient) -> dict[str, set[str]]:
    return {
        process.name: _series((await client.get(f"http://{HOST}:{process.ops_port}/metrics")).text)
        for process in system.processes
    }


def _labels(series: set[str], metric: str) -> set[str]:
    return {one.removeprefix(metric) for one in series if one.startswith(f"{metric}{{")}


def _series(text: str) -> set[str]:
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
