"""No route of any port lets a request through without a token that has the scope of its row."""

import httpx
import pytest

from shared.access.http.layer import Row
from shared.access.scopes import Scope
from tests.tokens import bad_tokens, token
from tests.unit.access.ports import Port, address_of

PUBLIC_OF_OPERATIONS = {"/livez", "/readyz", "/metrics", "/version"}


async def _ask(client: httpx.AsyncClient, row: Row, made: str | None) -> httpx.Response:
    headers = {} if made is None else {"authorization": f"Bearer {made}"}
    return await client.request(row.method, address_of(row), headers=headers)


def _is_refused(answer: httpx.Response, status: int, code: str) -> bool:
    """With the problem document that every error has; a HEAD has only its headers."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert "cache-control" in answer.headers
    if answer.request.method != "HEAD":
        assert answer.json()["code"] == code
        assert answer.json()["trace_id"]
        assert answer.json()["request_id"]
    return answer.status_code == status


def _guarded(ports: dict[str, Port]) -> list[tuple[str, Row]]:
    return [(name, row) for name, port in ports.items() for row in port.rows if row.needs is not None]


async def test_without_a_token_no_route_lets_a_request_through(ports: dict[str, Port]) -> None:
    assert len(_guarded(ports)) > 30
    for name, row in _guarded(ports):
        async with ports[name].client() as client:
            answer = await _ask(client, row, None)
        assert _is_refused(answer, 401, "token-required"), (name, row)
        assert answer.headers["www-authenticate"] == 'Bearer realm="product-catalogue"', (name, row)


@pytest.mark.parametrize("wrong", sorted(bad_tokens()))
async def test_a_bad_token_opens_no_route(ports: dict[str, Port], wrong: str) -> None:
    made = bad_tokens(Scope)[wrong]
    for name, row in _guarded(ports):
        async with ports[name].client() as client:
            answer = await _ask(client, row, made)
        assert _is_refused(answer, 401, "invalid-token"), (name, row)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"], (name, row)
        assert made not in answer.text + str(answer.headers), (name, row)


@pytest.mark.parametrize("scope", Scope)
async def test_each_scope_opens_its_routes_and_no_other(ports: dict[str, Port], scope: Scope) -> None:
    made = token([scope])
    for name, row in _guarded(ports):
        async with ports[name].client() as client:
            answer = await _ask(client, row, made)
        if scope is row.needs:
            assert answer.status_code not in (401, 403), (name, row)
            assert answer.headers["vary"].split(", ")[-1] == "Authorization", (name, row)
            continue
        assert _is_refused(answer, 403, "insufficient-scope"), (name, row)
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_scope"' in challenge, (name, row)
        assert f'scope="{row.needs}"' in challenge, (name, row)


async def test_all_other_scopes_together_open_no_route(ports: dict[str, Port]) -> None:
    for name, row in _guarded(ports):
        async with ports[name].client() as client:
            answer = await _ask(client, row, token([each for each in Scope if each is not row.needs]))
        assert _is_refused(answer, 403, "insufficient-scope"), (name, row)


async def test_what_is_public_is_only_the_description_of_an_api_its_console_and_what_probes_and_scrapes_ask(
    ports: dict[str, Port],
) -> None:
    for name, port in ports.items():
        public = {row.path for row in port.rows if row.needs is None}
        if name.startswith("operations"):
            assert public == PUBLIC_OF_OPERATIONS
        else:
            pages = {path for path in public if path.startswith(("/docs", "/console"))}
            assert public - pages == {"/openapi.json"}
        for row in port.rows:
            if row.needs is None:
                async with port.client() as client:
                    answer = await _ask(client, row, None)
                    # 308: the console's address with a slash leads to the one without.
                    assert answer.status_code == (308 if row.path == "/console/" else 200), (name, row)


async def test_an_unknown_address_or_method_is_told_without_a_token(ports: dict[str, Port]) -> None:
    for port in ports.values():
        async with port.client() as client:
            assert (await client.get("/no/such/address")).status_code == 404
            row = port.rows[0]
            wrong = await client.request("TRACE", row.path)
        assert wrong.status_code == 405
        assert row.method in wrong.headers["allow"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ([("authorization", "Bearer A"), ("authorization", "Bearer A")], 400, "malformed-authorization"),
        ([("authorization", "Bearer")], 400, "malformed-authorization"),
        ([("authorization", "Bearer ")], 400, "malformed-authorization"),
        ([("authorization", "Bearer a b")], 400, "malformed-authorization"),
        ([("authorization", "Bearer ä")], 400, "malformed-authorization"),
        ([("authorization", "Basic YTpi")], 401, "token-required"),
        ([("authorization", "")], 401, "token-required"),
    ],
)
async def test_an_authorization_header_of_another_form_is_no_token(
    ports: dict[str, Port], headers: list[tuple[str, str]], status: int, code: str
) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    for name, row in _guarded(ports):
        async with ports[name].client() as client:
            answer = await client.request(row.method, row.path, headers=raw)
        assert _is_refused(answer, status, code), (name, row)


@pytest.mark.parametrize("query", ["access_token={}", "a=b&access_token={}", "access%5Ftoken={}"])
async def test_a_token_in_the_address_is_refused_even_beside_a_good_one(
    ports: dict[str, Port], query: str
) -> None:
    good = token(Scope)
    for name, row in _guarded(ports):
        async with ports[name].client() as client:
            answer = await client.request(
                row.method, f"{row.path}?{query.format(good)}", headers={"authorization": f"Bearer {good}"}
            )
        assert _is_refused(answer, 400, "malformed-authorization"), (name, row)


async def test_the_scheme_is_compared_without_case(ports: dict[str, Port]) -> None:
    (row,) = [row for row in ports["query API"].rows if row.path == "/v1/status" and row.method == "GET"]
    async with ports["query API"].client() as client:
        for scheme in ("bearer", "BEARER"):
            headers = {"authorization": f"{scheme} {token([Scope.OPS_READ])}"}
            assert (await client.get(row.path, headers=headers)).status_code == 503


async def test_the_openapi_document_says_what_is_asked(ports: dict[str, Port]) -> None:
    for name in ("command API", "query API"):
        async with ports[name].client() as client:
            document = (await client.get("/openapi.json")).json()
        assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
        described = {
            (method.upper(), path): operation["security"]
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        asked = {(row.method, row.path): [{"bearer": [row.needs]}] for row in ports[name].rows if row.needs}
        assert described == asked
