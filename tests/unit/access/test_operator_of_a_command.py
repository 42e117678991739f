"""Who runs an operator's command: the subject of the token, or without access control the system's user."""

import getpass
import io
import json
from pathlib import Path

import pytest

from deploy.local.issued_tokens import ROLES, TokenMaker, token_maker
from shared.access.command import NotAllowed, OperatorSettings, operator_of, token_file
from shared.access.scopes import Scope
from shared.ops.secret import Secret
from shared.ops.settings import load_settings

ISSUER = "http://127.0.0.1:9"


@pytest.fixture
def maker(tmp_path: Path) -> TokenMaker:
    return token_maker(ISSUER, tmp_path)


@pytest.fixture
def settings(maker: TokenMaker, tmp_path: Path) -> OperatorSettings:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(maker.public_keys()))
    return OperatorSettings(_env_file=None, auth_issuer=ISSUER, auth_keys_file=keys)


def _token(maker: TokenMaker, role: str, seconds: int = 600) -> Secret:
    return Secret(maker.token(role, ROLES[role], seconds))


async def test_with_access_control_the_actor_is_the_subject_of_the_token(
    maker: TokenMaker, settings: OperatorSettings
) -> None:
    token = _token(maker, "operator")
    assert await operator_of(settings, token, None, Scope.OPS_WRITE) == "operator"
    assert await operator_of(settings, token, "operator", Scope.OPS_READ) == "operator"
    from_settings = settings.model_copy(update={"catalogue_token": token})
    assert await operator_of(from_settings, None, None, Scope.OPS_WRITE) == "operator"


async def test_nobody_acts_in_the_name_of_another(maker: TokenMaker, settings: OperatorSettings) -> None:
    with pytest.raises(NotAllowed, match="the actor is operator") as refused:
        await operator_of(settings, _token(maker, "operator"), "ann", Scope.OPS_WRITE)
    assert refused.value.is_usage


async def test_a_command_without_a_good_token_or_the_right_scope_is_refused(
    maker: TokenMaker, settings: OperatorSettings
) -> None:
    with pytest.raises(NotAllowed, match="give --token-file") as lacking:
        await operator_of(settings, None, None, Scope.OPS_READ)
    assert lacking.value.is_usage
    with pytest.raises(NotAllowed, match="lacks the scope ops:write"):
        await operator_of(settings, _token(maker, "editor"), None, Scope.OPS_WRITE)
    with pytest.raises(NotAllowed, match="expired"):
        await operator_of(settings, _token(maker, "operator", -600), None, Scope.OPS_WRITE)
    with pytest.raises(NotAllowed, match="not a JWT"):
        await operator_of(settings, Secret("nonsense"), None, Scope.OPS_WRITE)


async def test_an_issuer_that_is_away_is_told_apart_from_a_wrong_token(maker: TokenMaker) -> None:
    settings = OperatorSettings(_env_file=None, auth_issuer=ISSUER)
    with pytest.raises(NotAllowed, match="cannot be checked now"):
        await operator_of(settings, _token(maker, "operator"), None, Scope.OPS_WRITE)


async def test_while_the_issuer_is_away_an_operator_clears_the_settings_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the operator's guide says; what the command line clears wins over the settings of the container."""
    for name in ("AUTH_ISSUER", "AUTH_JWKS_URL", "AUTH_KEYS_FILE", "AUTH_PUBLIC_KEYS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("LISTEN_HOST", "0.0.0.0")
    assert await operator_of(load_settings(OperatorSettings), None, "anna", Scope.OPS_WRITE) == "anna"


async def test_without_access_control_the_actor_is_named_or_the_user_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = OperatorSettings(_env_file=None)
    assert await operator_of(settings, None, None, Scope.OPS_WRITE) == getpass.getuser()
    assert await operator_of(settings, None, "ann", Scope.OPS_WRITE) == "ann"

    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert (await operator_of(settings, None, None, Scope.OPS_WRITE)).startswith("uid ")


def test_a_token_may_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"abc\n")))
    assert token_file("-").read() == "abc"
