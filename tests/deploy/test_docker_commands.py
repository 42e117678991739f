"""Each command that our pages tell an operator to type is typed into the containers of compose: opt-in.

The images have no shell and no user names, and the file system is read-only: a command that looks for one of
them fails here, and only here. The commands are read from the pages (tests/deploy/documented_commands.py).
"""

import json
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from deploy.development_token import token as development_token
from tests.deploy.composed import CALLER, Composed, engine_is_missing
from tests.deploy.documented_commands import Documented, commands, filled_in

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(bool(engine_is_missing()), reason=engine_is_missing() or ""),
]
_SERVICES = {"projector": "projector", "command_api": "command-api"}
_TOKEN, _FILE = "/tmp/token", "/tmp/products.ndjson"
_SCOPES = "ops:read ops:write products:import products:read products:read-drafts products:write"
_PRODUCTS = "".join(
    json.dumps(
        {
            "name": f"Shirt {n}",
            "variants": [{"sku": f"S-{n}", "price": {"amount": "5.00", "currency": "USD"}}],
        }
    )
    + "\n"
    for n in range(3)
)
# Of operations.md. A page may name a dead letter that is not there (2), but never an option that is not.
_EXIT_CODES = {0, 1, 2, 3, 4, 5}
_SHOULD_WORK = {
    "projector status", "projector verify", "projector audit", "projector dead-letters list",
    "projector rebuild product_view", "command_api import FILE",
}  # fmt: skip
_WRITE = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"


class _Here(NamedTuple):
    system: Composed
    product_id: str


@pytest.fixture(scope="module")
def here() -> Iterator[_Here]:
    """The system with one product, and with a token and a file in the containers' /tmp."""
    composed = Composed()
    composed.compose("build", seconds_max=900)
    try:
        composed.compose("up", "--wait", "--wait-timeout", "300", seconds_max=400)
        for service in _SERVICES.values():
            _put(composed, service, _TOKEN, development_token(_SCOPES))
        _put(composed, "command-api", _FILE, _PRODUCTS)
        location, token = composed.write()
        yield _Here(composed, composed.read(location, token, **CALLER)["id"])
    finally:
        composed.compose("down", "--volumes", "--remove-orphans")


def _put(system: Composed, service: str, path: str, text: str) -> None:
    done = _run(system, service, ["python", "-c", _WRITE, path], given=text)
    assert done.returncode == 0, done.stderr


def _run(
    system: Composed,
    service: str,
    words: list[str],
    *,
    given: str = "",
    variables: tuple[str, ...] = (),
    user: str = "",
) -> subprocess.CompletedProcess[str]:
    options = [word for variable in variables for word in ("-e", variable)]
    options += ["--user", user] if user else []
    return system.run("exec", "-T", *options, service, *words, given=given)


def _typed(here: _Here, one: Documented) -> subprocess.CompletedProcess[str]:
    words = filled_in(one.words, here.product_id, _FILE, _TOKEN)
    return _run(
        here.system, _SERVICES[one.package], ["python", "-m", one.package, *words],
        variables=(f"CATALOGUE_TOKEN_FILE={_TOKEN}", *one.variables),
    )  # fmt: skip


@pytest.mark.parametrize("one", commands(), ids=lambda one: f"{one!s} {' '.join(one.variables)}"[:90])
def test_a_command_of_our_pages_runs_in_its_container(here: _Here, one: Documented) -> None:
    done = _typed(here, one)
    said = f"{one.page}: {one}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, said
    assert not done.stderr.startswith("usage:"), said
    assert done.returncode in ({0} if str(one) in _SHOULD_WORK else _EXIT_CODES), f"{done.returncode}: {said}"
    assert done.stdout + done.stderr, "it says nothing"
