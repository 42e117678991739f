"""Which token an import sends: the settings and the argument for it."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import Field, SecretStr

from command_api.importer.errors import ApiRefused
from command_api.importer.tokens import BearerAuth, ClientCredentials, FileToken
from shared.access.key_fetch import is_protected
from shared.ops.settings import ProcessSettings

_CONNECT_SECONDS_MAX = 5.0


class ClientSettings(ProcessSettings):
    """The token file is used if both it and a client are set. Without both, no token is sent."""

    catalogue_token_file: Path | None = None
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    # Read for each new token, so that a new secret needs no restart.
    client_secret_file: Path | None = None
    auth_issuer: str = ""
    # Empty: the token endpoint that the issuer's discovery document names.
    auth_token_url: str = Field(default="")


def add_token_argument(parser: argparse.ArgumentParser) -> None:
    """`--token-file`."""
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE",
        help="a file with the access token to send (default: CATALOGUE_TOKEN_FILE); or set CLIENT_ID, "
        "CLIENT_SECRET_FILE and AUTH_ISSUER",
    )  # fmt: skip


@asynccontextmanager
async def authentication(
    token_file: Path | None, settings: ClientSettings
) -> AsyncIterator[httpx.Auth | None]:
    """For the requests of one run; None: no token is configured. Raises `ApiRefused`."""
    file = token_file or settings.catalogue_token_file
    if file is not None:
        yield BearerAuth(FileToken(file))
        return
    if not settings.client_id:
        yield None
        return
    address = settings.auth_token_url or settings.auth_issuer
    if not address:
        raise ApiRefused("CLIENT_ID is set, but neither AUTH_ISSUER nor AUTH_TOKEN_URL")
    if not is_protected(address):
        raise ApiRefused(f"the secret is sent to an https address only (http on loopback), not to {address}")
    async with httpx.AsyncClient(timeout=httpx.Timeout(10.0, connect=_CONNECT_SECONDS_MAX)) as http:
        client = (settings.client_id, _secret(settings))
        yield BearerAuth(ClientCredentials(settings.auth_issuer, settings.auth_token_url, client, http))


def _secret(settings: ClientSettings) -> str:
    file = settings.client_secret_file
    try:
        secret = settings.client_secret.get_secret_value() if file is None else file.read_text().strip()
    except OSError as error:
        raise ApiRefused(f"CLIENT_SECRET_FILE: {file} cannot be read: {error.strerror}") from error
    if not secret:
        raise ApiRefused("CLIENT_ID is set, but no secret: set CLIENT_SECRET_FILE or CLIENT_SECRET")
    return secret
