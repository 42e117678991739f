"""Who runs an operator's command, from an access token, and whether they may.

A command works on the databases themselves, with the credentials of its process. So the token is no wall
against somebody who has those: it says who acts, for the audit log, and keeps a colleague without the right
from acting by mistake.
"""

import argparse
import getpass
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from shared.access.errors import InvalidToken, KeysUnavailable
from shared.access.scopes import Scope
from shared.access.settings import AccessSettings
from shared.access.source import token_verifier
from shared.ops.secret import NO_SECRET, Secret

_TOKEN_CHARACTERS_MAX = 32_768


class OperatorSettings(AccessSettings):
    """The settings of a process that has operators' commands."""

    # Of an operator's command: the access token. CATALOGUE_TOKEN_FILE names a file with it.
    catalogue_token: Secret = NO_SECRET


class NotAllowed(Exception):
    """Nothing was done. `is_usage`: the command lacks its token, or names somebody else as the actor."""

    def __init__(self, reason: str, *, is_usage: bool = False) -> None:
        super().__init__(reason)
        self.is_usage = is_usage


def token_file(path: str) -> Secret:
    """An argument that names a file with a token; `-` is standard input. Raises `ArgumentTypeError`."""
    try:
        return Secret(_from_standard_input()) if path == "-" else Secret.from_file(Path(path))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_token_argument(parser: argparse.ArgumentParser) -> None:
    """`--token-file`."""
    parser.add_argument(
        "--token-file", dest="token", type=token_file, metavar="FILE",
        help="a file with your access token, - for standard input (default: CATALOGUE_TOKEN_FILE); "
        "needed with access control",
    )  # fmt: skip


async def operator_of(
    settings: OperatorSettings, token: Secret | None, actor: str | None, scope: Scope
) -> str:
    """The subject of the token, if it may use `scope`. Without access control the given actor, or the user of
    the operating system. `token` None: the one in the settings. Raises `NotAllowed`.
    """
    if not settings.has_access_control:
        return actor or system_user()
    given = token or settings.catalogue_token
    if not given:
        raise NotAllowed(
            "access control is on: give --token-file, or set CATALOGUE_TOKEN_FILE", is_usage=True
        )
    async with AsyncExitStack() as stack:
        verifier = await token_verifier(settings, stack)
        try:
            caller = await verifier.verify(given.read().strip().encode())
        except InvalidToken as error:
            raise NotAllowed(f"the access token is not accepted: {error.reason}") from error
        except KeysUnavailable as error:
            raise NotAllowed(f"the access token cannot be checked now: {error}") from error
    if not caller.may(scope):
        raise NotAllowed(f"the access token lacks the scope {scope}")
    if actor is not None and actor != caller.subject:
        raise NotAllowed(
            f"the actor is {caller.subject}, the subject of the access token: leave --actor out",
            is_usage=True,
        )
    return caller.subject


def _from_standard_input() -> str:
    token = sys.stdin.read(_TOKEN_CHARACTERS_MAX).strip()
    if not token:
        raise ValueError("standard input is empty")
    return token


def system_user() -> str:
    """The user of this shell. A container may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
