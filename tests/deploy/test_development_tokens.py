"""The tokens of deploy/development_token.py open what is started from images, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml
from joserfc import jwt

from deploy.development_token import public_keys, signing_key, token
from shared.access.errors import InvalidToken
from shared.access.scopes import Scope
from shared.access.settings import AccessSettings
from shared.access.source import token_verifier
from tests.deploy.config_rules import environments
from tests.deploy.kustomization import render
from tests.deploy.processes import SERVICES
from tests.tokens import token as another_token

ROOT = Path(__file__).parents[2]


def _environments() -> Iterator[Mapping[str, str]]:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    rendered = environments(render(ROOT / "deploy" / "kustomize" / "overlays" / "local"))
    for name in SERVICES:
        yield compose["services"][name]["environment"]
        yield rendered[name]


async def test_each_process_of_compose_and_of_the_local_overlay_accepts_them() -> None:
    for environment in _environments():
        settings = AccessSettings(
            _env_file=None,  # type: ignore[call-arg]
            auth_issuer=environment["AUTH_ISSUER"],
            auth_public_keys=environment["AUTH_PUBLIC_KEYS"],
        )
        assert settings.auth_public_keys == public_keys()
        async with AsyncExitStack() as stack:
            verifier = await token_verifier(settings, stack)
            caller = await verifier.verify(token("products:read ops:write").encode())
            assert caller.scopes == {Scope.PRODUCTS_READ, Scope.OPS_WRITE}
            with pytest.raises(InvalidToken):
                await verifier.verify(another_token(kid="development-only").encode())


def test_without_arguments_the_command_prints_a_token_with_every_scope() -> None:
    script = ROOT / "deploy" / "development_token.py"
    # As in a container: from standard input, without the rest of the project.
    made = subprocess.run(
        [sys.executable, "-I", "-"], input=script.read_text(), capture_output=True, text=True, check=True
    )
    assert made.stdout.count(".") == 2
    claims = jwt.decode(made.stdout.strip(), signing_key(), ["Ed25519"]).claims
    assert set(claims["scope"].split()) == set(Scope)
