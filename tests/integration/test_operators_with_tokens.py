"""With access control an operator shows a token, and its subject is the actor in the audit log."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from deploy.local.issued_tokens import ROLES
from projector.operators.assembly import operations
from projector.operators.http.endpoints import operator_endpoints
from projector.stores import open_stores
from shared.access.caller import Caller, keep_caller
from tests.integration.projector_commands import command, command_json, run
from tests.integration.projector_world import World, world
from tests.local_issuer import LocalIssuer, local_issuer

__all__ = ["world"]
pytestmark = pytest.mark.servers
PAUSE = ("pause", "inventory", "--reason", "the warehouse counts")


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[LocalIssuer]:
    with local_issuer(tmp_path, time.time()) as issuer:
        yield issuer


def _environment(issuer: LocalIssuer, role: str | None) -> dict[str, str]:
    token = {} if role is None else {"CATALOGUE_TOKEN_FILE": str(issuer.folder / "tokens" / role)}
    return {"AUTH_ISSUER": issuer.url, **token}


async def test_the_subject_of_the_token_is_the_actor_of_a_command(world: World, issuer: LocalIssuer) -> None:
    await command(world, *PAUSE, **_environment(issuer, "operator"))
    token_file = str(issuer.folder / "tokens" / "admin")
    resume = ("resume", "inventory", "--token-file", token_file)
    await command(world, *resume, **_environment(issuer, None))
    assert "the actor is admin" in await command(
        world, *resume, "--actor", "ann", code=2, **_environment(issuer, None)
    )
    listed = await command_json(world, "audit")
    assert [(one["actor"], one["action"]) for one in listed["items"]] == [
        ("admin", "resume"), ("operator", "pause"),
    ]  # fmt: skip


async def test_a_command_without_the_right_token_does_nothing(world: World, issuer: LocalIssuer) -> None:
    nobody, reader = _environment(issuer, None), _environment(issuer, "reader")
    for arguments in (PAUSE, ("status",), ("audit",), ("dead-letters", "list"), ("verify",)):
        assert "give --token-file" in await command(world, *arguments, code=2, **nobody)
        assert "lacks the scope ops:" in await command(world, *arguments, code=1, **reader)
    rebuild = ("rebuild", "product_view")
    assert "lacks the scope ops:write" in await command(world, *rebuild, code=1, **reader)
    assert "lacks the scope ops:read" in await command(world, *rebuild, "--show", code=1, **reader)
    assert (await command_json(world, "audit"))["items"] == []


async def test_who_only_may_look_looks(world: World, issuer: LocalIssuer, tmp_path: Path) -> None:
    file = tmp_path / "looking"
    file.write_text(issuer.server.maker.token("watcher", ["ops:read"], 600))
    only_reads = {"AUTH_ISSUER": issuer.url, "CATALOGUE_TOKEN_FILE": str(file)}
    await run(world, "audit", **only_reads)
    await run(world, "rebuild", "product_view", "--show", **only_reads)
    assert "lacks the scope ops:write" in await command(world, *PAUSE, code=1, **only_reads)


@pytest_asyncio.fixture
async def port(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The operators' endpoints behind a layer that has verified a token."""
    async with AsyncExitStack() as stack:
        endpoints = operator_endpoints(operations(await open_stores(world.settings, 4, stack)))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            keep_caller(scope, Caller("ben", frozenset(ROLES["operator"]), None, 0.0))
            await endpoints[scope["method"], scope["path"]](scope, receive, send)

        transport = httpx.ASGITransport(app)
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://port"))


async def test_over_http_the_subject_is_the_actor_and_the_body_may_not_name_another(
    world: World, port: httpx.AsyncClient
) -> None:
    wanted = {"projection": "inventory", "reason": "the warehouse counts"}
    for body in (wanted, {**wanted, "actor": "ben"}):
        assert (await port.post("/projections/pause", json=body)).status_code == 200
    for path in ("/projections/pause", "/projections/resume", "/dead-letters/retry", "/dead-letters/discard"):
        choice = {"all": True} if "letters" in path else {}
        refused = await port.post(path, json={**wanted, **choice, "actor": "ann"})
        assert refused.status_code == 400
        assert "the actor is ben" in refused.json()["detail"]
    entries = (await port.get("/audit")).json()["items"]
    assert [(one["actor"], one["action"]) for one in entries] == [("ben", "pause"), ("ben", "pause")]
