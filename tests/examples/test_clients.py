"""Clients that are generated from both OpenAPI documents compile, warn of nothing, and do what they say."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.end_to_end.system import System
from tests.examples.services import EXAMPLES, installed_node, why_no_node

pytestmark = [pytest.mark.servers, pytest.mark.prove]
CLIENTS = EXAMPLES / "clients"
BIN = Path(sys.executable).parent


def run(argv: Sequence[str], folder: Path, **environment: str) -> str:
    """What it printed. Its programs come from our environment first."""
    path = f"{BIN}:{os.environ['PATH']}"
    full: Mapping[str, str] = {**os.environ, **environment, "PATH": path}
    done = subprocess.run(argv, cwd=folder, env=full, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def documents(system: System) -> dict[str, str]:
    return {
        "commands": f"{system.command_url}/openapi.json",
        "reading": f"{system.query_url}/openapi.json",
    }


def test_generated_clients_in_python(system: System, tmp_path: Path) -> None:
    for name, url in documents(system).items():
        options = ["--config", str(CLIENTS / f"{name}.yml"), "--meta", "none", "--fail-on-warning"]
        target = ["--url", url, "--output-path", str(tmp_path / f"catalogue_{name}")]
        printed = run(["openapi-python-client", "generate", *target, *options], tmp_path)
        assert "warning" not in printed.lower()
    flow = CLIENTS / "python" / "flow.py"
    checked = ["mypy", "--strict", "--follow-imports=silent", "--config-file=", str(flow)]
    run(checked, tmp_path, MYPYPATH=str(tmp_path))
    told = run([sys.executable, str(flow), system.command_url, system.query_url], tmp_path, PYTHONPATH=".")
    assert "refused: sku-taken, product-not-found" in told


def test_generated_types_in_typescript(system: System, tmp_path: Path) -> None:
    reason = why_no_node()
    if reason is not None:
        pytest.skip(reason)
    folder = installed_node(CLIENTS / "typescript", tmp_path / "typescript")
    for name, url in documents(system).items():
        printed = run(["npx", "openapi-typescript", url, "-o", f"src/{name}.d.ts"], folder)
        assert "warn" not in printed.lower()
    run(["npx", "tsc"], folder)
    told = run(["node", "build/flow.js", system.command_url, system.query_url], folder)
    assert "refused: sku-taken, product-not-found" in told
