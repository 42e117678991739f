"""The Dockerfiles, read line by line: what can be known of an image without building it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "Dockerfile.command": "command_api",
    "Dockerfile.query": "query_api",
    "Dockerfile.projector": "projector",
}
EVERY = [*PACKAGES, "deploy/compose/servers/Dockerfile"]


def instructions(text: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined) if rest
    ]


def complaints(text: str, package: str | None) -> list[str]:
    """What a reviewer would refuse. Without a package: one of the servers."""
    found = instructions(text)
    ours = [] if package is None else list(_about_ours(found, package))
    return [*_about_sources(found), *_about_forms(found), *ours]


def _about_sources(found: list[tuple[str, str]]) -> Iterator[str]:
    arguments = dict(rest.partition("=")[::2] for word, rest in found if word == "ARG")
    stages: set[str] = set()
    for word, rest in found:
        if word == "FROM":
            image = rest.split()[0]
            for name, value in arguments.items():
                image = image.replace(f"${{{name}}}", value)
            if image not in stages and (":" not in image or image.endswith(":latest")):
                yield f"FROM {image} means another image every day"
            stages.update(rest.split()[2:])
        if word == "COPY" and (source := re.match(r"--from=(\S+)", rest)) and source[1] not in stages:
            yield f"COPY from the image {source[1]}"


def _about_forms(found: list[tuple[str, str]]) -> Iterator[str]:
    user = "root"
    for word, rest in found:
        if word in ("ENTRYPOINT", "CMD") and not rest.startswith("["):
            yield f"{word} in shell form: the shell would get the signals"
        if word == "ADD" or "--mount" in rest:
            yield f"not every builder does this, or not the same: {word} {rest}"
        if word in ("ARG", "ENV") and re.search(r"PASSWORD|SECRET|TOKEN", rest):
            yield f"a secret would stay in the image: {rest}"
        user = {"FROM": "root", "USER": rest}.get(word, user)
    if user in ("root", "0", "0:0"):
        yield "runs as root"


def _about_ours(found: list[tuple[str, str]], package: str) -> Iterator[str]:
    if [rest for word, rest in found if word == "USER"] != ["65532:65532"]:
        yield "USER is not 65532:65532: Kubernetes wants a number"
    if ("ENTRYPOINT", json.dumps(["python", "-m", package])) not in found:
        yield f"does not start {package}"
    syncs = [rest for word, rest in found if word == "RUN" and "uv sync" in rest]
    if (
        not all("--locked" in sync and "--no-dev" in sync for sync in syncs)
        or "--no-editable" not in syncs[-1]
    ):
        yield f"uv sync is not locked, or brings too much: {syncs}"


@pytest.mark.parametrize("name", EVERY)
def test_each_dockerfile_keeps_the_policies(name: str) -> None:
    assert list(complaints((ROOT / name).read_text(), PACKAGES.get(name))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("USER 65532:65532", "USER nobody"),
        ("USER 65532:65532", ""),
        ("python:3.13-slim-trixie", "python:latest"),
        ("python:3.13-slim-trixie", "python"),
        ('CMD ["serve"]', "CMD serve"),
        ('ENTRYPOINT ["python", "-m", "query_api"]', 'ENTRYPOINT ["query"]'),
        ("--from=build", "--from=ghcr.io/astral-sh/uv:0.8"),
        ("--locked --no-dev --no-editable", "--locked --no-editable"),
        ("--locked --no-dev --no-install-project", "--no-dev --no-install-project"),
        ("ARG SERVICE_VERSION=", "ARG INDEX_TOKEN="),
        ("COPY README.md LICENSE ./", "ADD README.md LICENSE ./"),
    ],
)
def test_a_fault_in_a_dockerfile_is_noticed(old: str, new: str) -> None:
    text = (ROOT / "Dockerfile.query").read_text()
    assert old in text
    assert list(complaints(text.replace(old, new), "query_api")) != []


def test_the_first_stage_is_the_same_in_all_three_so_that_it_is_built_once() -> None:
    texts = [(ROOT / name).read_text() for name in PACKAGES]
    stages = {text[text.index("ARG ") : text.index("FROM ${PYTHON_IMAGE}\n")] for text in texts}
    assert len(stages) == 1


def test_what_is_copied_exists_and_is_let_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [Path(line[1:]) for line in lines if line.startswith("!")]
    for name in EVERY:
        for word, rest in instructions((ROOT / name).read_text()):
            if word == "COPY" and not rest.startswith("--"):
                for source in map(Path, rest.split()[:-1]):
                    assert (ROOT / source).exists(), source
                    # Let in as it is, with the folder above it, or in part.
                    assert any(source.is_relative_to(path) or path.is_relative_to(source) for path in let_in)


@pytest.mark.parametrize(
    "command",
    [
        "command_api serve",
        "command_api relay",
        "command_api migrate",
        "query_api serve",
        "projector run",
        "projector migrate",
    ],
)
def test_each_command_that_a_container_runs_exists(command: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", *command.split(), "--help"], cwd=ROOT, capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
