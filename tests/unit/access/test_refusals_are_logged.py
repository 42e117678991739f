"""A refused request is a line of log that says why and who, without the token; a flood is counted."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.access.scopes import Scope
from tests.counters import counted
from tests.tokens import bad_tokens, token
from tests.unit.access.ports import Port, all_ports

ROUTE = "/v1/products/{product_id}"
PATH = "/v1/products/019a0000-0000-7000-8000-000000000000"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[Port]:
    async with all_ports(tmp_path) as made:
        yield next(port for port in made.values() if any(row.path == "/v1/categories" for row in port.rows))


async def _lines(port: Port, *tokens: str | None) -> list[Mapping[str, Any]]:
    with capture_logs() as lines:
        async with port.client() as client:
            for made in tokens:
                await client.get(PATH, headers={"authorization": f"Bearer {made}"} if made else {})
    return [line for line in lines if line["event"] == "access refused"]


async def test_each_kind_of_refusal_is_a_warning_with_its_reason_and_never_the_token(port: Port) -> None:
    bad = bad_tokens()["expired"]
    weak = token([Scope.OPS_READ], sub="ann")
    lines = await _lines(port, None, bad, weak)
    assert [(line["reason"], line["actor"]) for line in lines] == [
        ("token-required", None),
        ("invalid-token", None),
        ("insufficient-scope", "ann"),
    ]
    assert {(line["log_level"], line["method"], line["route"]) for line in lines} == {
        ("warning", "GET", ROUTE)
    }
    assert all(line["client_address"] for line in lines)
    assert bad not in str(lines)
    assert weak not in str(lines)


async def test_behind_a_trusted_proxy_the_line_names_the_client_and_not_the_proxy(tmp_path: Path) -> None:
    forwarded = {"x-forwarded-for": "192.0.2.66, 203.0.113.9"}
    for proxies, named in (("", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.9")):
        async with (
            all_ports(tmp_path, trusted_proxies=proxies) as ports,
            ports["query API"].client() as client,
        ):
            with capture_logs() as lines:
                await client.get(PATH, headers=forwarded)
        assert [line["client_address"] for line in lines if line["event"] == "access refused"] == [named]


async def test_a_flood_of_refusals_is_counted_and_does_not_fill_the_log(port: Port) -> None:
    before = counted("access_refusals_total", reason="token-required")
    lines = await _lines(port, *[None] * 100)
    assert len(lines) == 5
    assert counted("access_refusals_total", reason="token-required") - before == 100


async def test_a_good_request_is_no_refusal(port: Port) -> None:
    assert await _lines(port, token([Scope.PRODUCTS_READ])) == []
