"""The stock services of examples/ as processes, one for each language."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.local.cache import cache_dir, locked, sha256_of
from deploy.local.http_answer import answer_of
from deploy.local.ports import free_port
from deploy.local.server import Command, Server
from tests.examples.java import java_argv, why_no_java

EXAMPLES = Path(__file__).parents[2] / "examples"
NODE_MAJOR_MIN = 20


@dataclass(frozen=True)
class Language:
    """`why_not`: why its programs cannot run here. `argv`: the command of its stock service, which may
    keep files in a folder.
    """

    name: str
    why_not: Callable[[], str | None]
    argv: Callable[[Path], Sequence[str]]


def why_no_node() -> str | None:
    """None: it can run."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return f"Node {NODE_MAJOR_MIN} and npm are not installed"
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    major = int(told.lstrip("v").split(".")[0])
    return None if major >= NODE_MAJOR_MIN else f"Node {told.strip()} is older than {NODE_MAJOR_MIN}"


def installed_node(example: Path, target: Path) -> Path:
    """A copy of an example in `target`, with its packages; these are installed once for each lock file."""
    packages = cache_dir() / "examples" / f"npm-{sha256_of(example / 'package-lock.json')[:16]}"
    with locked("examples-npm"):
        if not (packages / "complete").exists():
            packages.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(example / name, packages / name)
            install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(install, cwd=packages, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            (packages / "complete").touch()
    shutil.copytree(example, target, ignore=shutil.ignore_patterns("node_modules"), dirs_exist_ok=True)
    if not (target / "node_modules").exists():
        (target / "node_modules").symlink_to(packages / "node_modules")
    return target


def _node_argv(folder: Path) -> Sequence[str]:
    return ["node", str(installed_node(EXAMPLES / "node", folder / "node") / "src" / "main.js")]


LANGUAGES = [
    Language("node", why_no_node, _node_argv),
    Language("java", why_no_java, lambda _folder: java_argv(EXAMPLES / "java")),
]


class StockService(Server):
    """One process with a table of its own. Its pages answer as soon as it runs."""

    def __init__(
        self, language: Language, argv: Sequence[str], folder: Path, bootstrap_servers: str, prefix: str
    ) -> None:
        super().__init__(f"stock-{language.name}", folder / f"stock-{language.name}.log")
        self.port = free_port()
        self.options: list[str] = []
        self._argv = argv
        self._environment = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "KAFKA_TOPIC_PREFIX": prefix,
            "STOCK_FILE": str(folder / "stock"),
            "STOCK_PORT": str(self.port),
        }

    def command(self) -> Command:
        """With the options of this start."""
        return Command([*self._argv, *self.options], self._environment)

    def is_ready(self) -> bool:
        return answer_of(self.port, "/status") is not None

    def get(self, path: str) -> Any:
        """The JSON of a page. For `eventually`: AssertionError while it does not answer."""
        answer = answer_of(self.port, path)
        assert answer is not None, self.log_tail()
        return json.loads(answer[1])

    def items(self) -> dict[str, dict[str, Any]]:
        """The table, by SKU."""
        return {item["sku"]: item for item in self.get("/stock")}

    def item(self, sku: str) -> dict[str, Any]:
        """One row. For `eventually`: AssertionError while there is none."""
        item: dict[str, Any] = self.get(f"/stock/{quote(sku, safe='')}")
        assert "sku" in item, item
        return item

    def waiting(self) -> list[dict[str, Any]]:
        """The products whose states it waits for."""
        told: list[dict[str, Any]] = self.get("/status")["waiting"]
        return told

    def count(self, outcome: str) -> int:
        """How many records had that outcome since the start."""
        return int(self.get("/status")["counts"].get(outcome, 0))

    def has_ended(self, exit_code: int) -> None:
        """For `eventually`."""
        assert self.exit_code == exit_code, f"{self.exit_code} {self.log_tail()}"
