"""The commands of the quickstart work with a token, and not without, on a stack that asks for one."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from deploy.local.settings import DEFAULT_PORTS
from tests.documents.console_blocks import commands, shell_blocks
from tests.eventually import eventually_blocking

pytestmark = pytest.mark.servers
REPOSITORY = Path(__file__).parents[2]
_START_SECONDS_MAX = 180
# How long a read waits for its write. On a busy machine the first write of a stack takes its time.
_PATIENCE = {"WAIT_SECONDS_DEFAULT": "60", "WAIT_SECONDS_MAX": "60"}
_CURL_OF_A_READ = "http://127.0.0.1:8001/v1/products/by-sku/OBS-M"


def commands_of_the_quickstart() -> list[str]:
    """In order, each on one line."""
    page = REPOSITORY / "docs" / "quickstart.md"
    typed = [command.text for block in shell_blocks(page) for command in commands(block)]
    return [re.sub(r"\\\n\s*", "", text) for text in typed]


class Installation:
    """A stack in a folder of its own, with the real processes, on free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in DEFAULT_PORTS}
        (folder / "tests").symlink_to(REPOSITORY / "tests")
        self.environment = {
            **os.environ,
            **{name: str(port) for name, port in self.ports.items()},
            "PYTHONPATH": str(REPOSITORY),
            "SHELL": "/bin/sh",
            **_PATIENCE,
        }
        self._up: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        said = self.folder / "up.log"
        said.write_bytes(b"")
        with said.open("ab") as log:
            up = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "up", *options], cwd=self.folder,
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._up = up

        def is_ready() -> None:
            if up.poll() is not None:
                raise RuntimeError(said.read_text())
            assert "Ready after" in said.read_text()

        eventually_blocking(is_ready, seconds_max=_START_SECONDS_MAX)

    def stop(self) -> None:
        if self._up is not None:
            self._up.terminate()
            self._up.wait(60)
            self._up = None

    def run(self, command: str, variables: Mapping[str, str] = {}) -> str:
        """What it prints; it must succeed."""
        for name, port in DEFAULT_PORTS.items():
            command = command.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{self.ports[name]}/")
        command = command.replace(".venv/bin/python", sys.executable).replace("$ID", variables.get("ID", ""))
        ended = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env={**self.environment, **variables},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ended.returncode == 0, command + ended.stdout + ended.stderr
        return ended.stdout

    def operate(self, command: str, variables: Mapping[str, str] = {}) -> str:
        return self.run(f".venv/bin/python -m deploy.local shell -c '{command}'", variables)


@pytest.fixture
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("the commands of the page need curl and bash")
    installation = Installation(tmp_path_factory.mktemp("quickstart"))
    yield installation
    installation.stop()


def with_token(command: str) -> str:
    return command.replace("curl ", 'curl -H "Authorization: Bearer $TOKEN" ', 1)


def status_of(answer: str) -> int:
    return int(answer.split()[1])


def test_the_commands_of_the_quickstart_work_with_a_token_and_not_without_and_the_data_stays(
    installation: Installation,
) -> None:
    installation.start("--secure")
    _, posting, reading, _, pricing, *others = commands_of_the_quickstart()
    (importing, again) = (text for text in others if "import" in text)
    operating = [text for text in others if text.startswith("python -m projector")]
    export = "export TOKEN=$(cat .local/tokens/editor) CATALOGUE_TOKEN_FILE=.local/tokens/importer"
    exported = installation.run(f'{export}; echo "$TOKEN $CATALOGUE_TOKEN_FILE"').split()
    variables = dict(zip(("TOKEN", "CATALOGUE_TOKEN_FILE"), exported, strict=True))

    assert status_of(installation.run(posting)) == 401
    answer = installation.run(with_token(posting), variables)
    assert status_of(answer) == 201
    variables["ID"] = json.loads(answer.split("\n\n", 1)[1])["id"]
    (token,) = re.findall(r"(?m)^consistency-token: (\S+)$", answer)
    reading = re.sub(r"(?<=Consistency-Token: )[^']+", token, reading)
    assert status_of(installation.run(reading)) == 401
    answer = installation.run(with_token(reading), variables)
    assert (status_of(answer), variables["ID"] in answer) == (200, True)
    assert json.loads(installation.run(with_token(pricing), variables))["version"] == 2
    assert "accepted: 8 (7 created, 1 changed, 0 unchanged)" in installation.run(importing, variables)
    assert "accepted: 8 (0 created, 0 changed, 8 unchanged)" in installation.run(again, variables)
    assert "accepted: 5 (5 created" in installation.operate("python -m command_api seed --count 5", variables)

    assert [command.split()[3] for command in operating] == ["status", "verify", "rebuild"]
    for command in operating:
        assert "product_view" in installation.operate(command, variables)
    acted = json.loads(installation.operate("python -m projector audit --json", variables))["items"]
    assert [(one["actor"], one["action"]) for one in acted] == [("admin", "rebuild")] * 2

    installation.stop()
    installation.start()
    anonymous = f"curl -s -o /dev/null -w '%{{http_code}}' {_CURL_OF_A_READ}"
    assert installation.run(anonymous) == "200"
    installation.stop()
    installation.start("--secure")
    assert installation.run(anonymous) == "401"
    assert installation.run(with_token(anonymous), variables) == "200"
