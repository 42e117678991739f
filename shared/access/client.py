"""Which token a command sends: the settings and the argument for it."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from shared.access.client_tokens import (
    ISSUER_SECONDS_MAX,
    BearerAuth,
    ClientCredentials,
    GivenToken,
    NoToken,
    protected,
)
from shared.access.command import token_file
from shared.ops.secret import NO_SECRET, Secret
from shared.ops.settings import ProcessSettings

_CONNECT_SECONDS_MAX = 5.0


class ClientSettings(ProcessSettings):
    """A given token is used even if a client is set, too. Without both, no token is sent.

    Each secret may be given as a file (`..._FILE`), which is read again for each use.
    """

    catalogue_token: Secret = NO_SECRET
    client_id: str = ""
    client_secret: Secret = NO_SECRET
    auth_issuer: str = ""
    # Empty: the token endpoint that the issuer's discovery document names.
    auth_token_url: str = ""


def add_token_argument(parser: argparse.ArgumentParser) -> None:
    """`--token-file`."""
    parser.add_argument(
        "--token-file", type=token_file, metavar="FILE", dest="token",
        help="a file with the access token to send (default: CATALOGUE_TOKEN_FILE); or set CLIENT_ID, "
        "CLIENT_SECRET_FILE and AUTH_ISSUER",
    )  # fmt: skip


@asynccontextmanager
async def authentication(given: Secret | None, settings: ClientSettings) -> AsyncIterator[httpx.Auth | None]:
    """For the requests of one run; None: no token is configured. Raises `NoToken`."""
    token = given or settings.catalogue_token
    if token:
        yield BearerAuth(GivenToken(token))
        return
    if not settings.client_id:
        yield None
        return
    if not settings.client_secret:
        raise NoToken("CLIENT_ID is set, but no secret: set CLIENT_SECRET_FILE or CLIENT_SECRET")
    address = settings.auth_token_url or settings.auth_issuer
    if not address:
        raise NoToken("CLIENT_ID is set, but neither AUTH_ISSUER nor AUTH_TOKEN_URL")
    protected(address)
    timeout = httpx.Timeout(ISSUER_SECONDS_MAX, connect=_CONNECT_SECONDS_MAX)
    async with httpx.AsyncClient(timeout=timeout) as http:
        addresses = (settings.auth_issuer, settings.auth_token_url)
        yield BearerAuth(ClientCredentials(*addresses, settings.client_id, settings.client_secret, http))
