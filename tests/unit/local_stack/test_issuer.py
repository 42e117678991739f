"""The local issuer gives tokens that our verifier accepts, to clients that know their secret."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.issued_tokens import AUDIENCE, ROLES, TOKEN_FILE_SECONDS
from shared.access.errors import InvalidToken
from shared.access.given_keys import GivenKeys
from shared.access.keys import read_keys
from shared.access.scopes import Scope
from shared.access.tokens import TokenRules, TokenVerifier
from tests.local_issuer import LocalIssuer, local_issuer

NOW = 1_800_000_000.0
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[LocalIssuer]:
    with local_issuer(tmp_path, NOW) as issuer:
        yield issuer


def _verifier(issuer: LocalIssuer, now: float = NOW) -> TokenVerifier:
    rules = TokenRules(issuer.url, AUDIENCE, ("ES256",), 0, 8192)
    keys = GivenKeys(read_keys(httpx.get(f"{issuer.url}/jwks", timeout=30).content))
    return TokenVerifier(keys, rules, lambda: now)


def _ask(issuer: LocalIssuer, form: dict[str, str], auth: tuple[str, str] | None = None) -> httpx.Response:
    return httpx.post(f"{issuer.url}/token", data=form, auth=auth or httpx.USE_CLIENT_DEFAULT, timeout=30)


async def test_each_role_gets_a_token_with_its_scopes_that_our_verifier_accepts(issuer: LocalIssuer) -> None:
    verifier = _verifier(issuer)
    for role, scopes in ROLES.items():
        answer = _ask(issuer, GRANT, (role, issuer.secret(role)))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        given = answer.json()
        caller = await verifier.verify(given["access_token"].encode())
        assert (caller.subject, caller.client_id, caller.scopes) == (role, role, frozenset(scopes))
        assert caller.expires_at == NOW + given["expires_in"]
    assert set(ROLES["admin"]) == set(Scope)
    assert {scope for scopes in ROLES.values() for scope in scopes} == set(Scope)


async def test_a_token_of_each_role_is_in_a_file_that_nobody_else_can_read(issuer: LocalIssuer) -> None:
    for role, scopes in ROLES.items():
        file = issuer.folder / "tokens" / role
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        issuer.server.maker.write_tokens(issuer.folder / "tokens")
        caller = await _verifier(issuer).verify(file.read_bytes())
        assert caller.scopes == frozenset(scopes)
        assert caller.expires_at == NOW + TOKEN_FILE_SECONDS
    with pytest.raises(InvalidToken, match="expired"):
        await _verifier(issuer, NOW + TOKEN_FILE_SECONDS + 1).verify(file.read_bytes())
    for kept in ("key.json", "clients.json"):
        assert stat.S_IMODE((issuer.folder / "issuer" / kept).stat().st_mode) == 0o600


async def test_keys_and_secrets_outlive_a_restart(issuer: LocalIssuer) -> None:
    secret = issuer.secret("editor")
    token = _ask(issuer, GRANT, ("editor", secret)).json()["access_token"].encode()
    issuer.stop()
    issuer.start()
    assert issuer.secret("editor") == secret
    assert (await _verifier(issuer).verify(token)).subject == "editor"


def test_no_private_key_is_given_away(issuer: LocalIssuer) -> None:
    (key,) = httpx.get(f"{issuer.url}/jwks", timeout=30).json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_the_discovery_document_is_of_this_issuer_and_names_its_endpoints(issuer: LocalIssuer) -> None:
    for path in ("openid-configuration", "oauth-authorization-server"):
        document = httpx.get(f"{issuer.url}/.well-known/{path}", timeout=30).json()
        assert document["issuer"] == issuer.url
        assert document["token_endpoint"] == f"{issuer.url}/token"
        assert document["jwks_uri"] == f"{issuer.url}/jwks"
    assert httpx.get(f"{issuer.url}/else", timeout=30).status_code == 404


def test_a_secret_may_be_in_the_form_and_fewer_scopes_may_be_asked_for(issuer: LocalIssuer) -> None:
    form = {**GRANT, "client_id": "admin", "client_secret": issuer.secret("admin"), "scope": "ops:read"}
    assert _ask(issuer, form).json()["scope"] == "ops:read"


def test_what_is_not_allowed_gets_the_error_of_the_standard(issuer: LocalIssuer) -> None:
    right = ("editor", issuer.secret("editor"))
    wrong: list[tuple[dict[str, str], tuple[str, str] | None, int, str]] = [
        (GRANT, ("editor", "wrong"), 401, "invalid_client"),
        (GRANT, ("nobody", ""), 401, "invalid_client"),
        (GRANT, None, 401, "invalid_client"),
        ({"grant_type": "password"}, right, 400, "unsupported_grant_type"),
        ({}, right, 400, "unsupported_grant_type"),
        ({**GRANT, "scope": "ops:write"}, right, 400, "invalid_scope"),
        ({**GRANT, "x": "y" * 20_000}, right, 400, "invalid_request"),
    ]
    for form, auth, status, error in wrong:
        answer = _ask(issuer, form, auth)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert ("www-authenticate" in answer.headers) == (status == 401)
    broken = httpx.post(f"{issuer.url}/token", data=GRANT, headers={"authorization": "Basic %%%"}, timeout=30)
    assert broken.status_code == 401
    assert json.loads(broken.content)["error"] == "invalid_client"
