"""No process with a port starts where others reach it, unless it asks who calls."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tokens import ISSUER, signing_key

SERVING = (
    ("command_api", "serve"),
    ("command_api", "relay"),
    ("projector", "run"),
    ("query_api", "serve"),
)


def _end_of(command: tuple[str, str], folder: Path, **variables: str) -> tuple[int, list[str]]:
    """Its exit code and the lines of its standard error."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AUTH_", "LISTEN_"))
    }
    module, name = command
    ended = subprocess.run(
        [sys.executable, "-m", module, name],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[3]), **variables},
        cwd=folder,  # without a .env
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, ended.stderr.splitlines()


@pytest.mark.parametrize("command", SERVING, ids=" ".join)
def test_on_every_address_without_an_issuer_it_ends_and_names_the_setting(
    command: tuple[str, str], tmp_path: Path
) -> None:
    code, lines = _end_of(command, tmp_path, LISTEN_HOST="0.0.0.0")
    assert code == 2, lines
    assert lines[0].startswith("AUTH_ISSUER: is needed, because LISTEN_HOST is 0.0.0.0")
    # Addresses for development count as little there.
    assert all("is needed, because LISTEN_HOST is 0.0.0.0" in line for line in lines), lines


@pytest.mark.parametrize("command", SERVING, ids=" ".join)
def test_with_keys_that_are_not_usable_it_ends_and_names_the_setting(
    command: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_bytes(signing_key("first").as_pem(private=True))
    code, lines = _end_of(command, tmp_path, AUTH_ISSUER=ISSUER, AUTH_KEYS_FILE="key.pem")
    assert (code, len(lines)) == (2, 1), lines
    assert lines[0].startswith("AUTH_KEYS_FILE: ")
    assert "private key" in lines[0]
