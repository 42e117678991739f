"""What is written beside the examples for people is what the tests use; their own tests pass."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.examples.java import COORDINATES
from tests.examples.services import EXAMPLES, installed_node, why_no_node


def test_maven_builds_with_the_libraries_of_the_tests() -> None:
    pom = (EXAMPLES / "java" / "pom.xml").read_text()
    named = re.findall(
        r"<dependency>\s*<groupId>(.+?)</groupId>\s*<artifactId>(.+?)</artifactId>\s*<version>(.+?)</version>",
        pom,
    )
    assert sorted(":".join(one) for one in named) == sorted(COORDINATES.split("+"))


@pytest.mark.prove
def test_the_unit_tests_in_node_pass(tmp_path: Path) -> None:
    reason = why_no_node()
    if reason is not None:
        pytest.skip(reason)
    folder = installed_node(EXAMPLES / "node", tmp_path / "node")
    done = subprocess.run(["npm", "test"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass [1-9]", done.stdout, flags=re.MULTILINE), done.stdout
