"""The Dockerfiles against every policy, and every policy against a fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.dockerfile_rules import EVERY, PACKAGES, ROOT, VERSION, complaints, instructions


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
        ("FROM scratch", "FROM ${PYTHON_IMAGE}"),
        ('CMD ["serve"]', "CMD serve"),
        ('ENTRYPOINT ["python", "-m", "query_api"]', 'ENTRYPOINT ["query"]'),
        ("COPY --from=build /code/LICENSE", "COPY --from=ghcr.io/astral-sh/uv:0.8 /code/LICENSE"),
        ("--locked --no-dev", "--no-dev"),
        ("--locked --no-dev", "--locked"),
        ("--require-hashes", ""),
        ("ARG BUILD_TIME=unknown", "ARG INDEX_TOKEN="),
        ("COPY LICENSE /code/", "ADD LICENSE /code/"),
        ("COPY --from=build /code/query_api /app/code/query_api", "COPY --from=build /code /app/code"),
        ("COPY --from=build /query-api/app /app", "COPY --from=build /projector/app /app"),
        (f"ARG SERVICE_VERSION={VERSION}", "ARG SERVICE_VERSION=0.0.1"),
        (f"ARG SERVICE_VERSION={VERSION}", "ARG SERVICE_VERSION="),
        ('image.version="${SERVICE_VERSION}"', 'image.version=""'),
        ("org.opencontainers.image.source", "source"),
        ("FROM scratch\n", "FROM scratch\nARG SERVICE_REVISION=unknown\n"),
    ],
)
def test_a_fault_in_a_dockerfile_is_noticed(old: str, new: str) -> None:
    text = (ROOT / "Dockerfile.query").read_text()
    assert old in text
    assert list(complaints(text.replace(old, new), "query_api")) != []


def test_the_first_stage_is_the_same_in_all_three_so_that_it_is_built_once() -> None:
    texts = [(ROOT / name).read_text() for name in PACKAGES]
    stages = {text[text.index("ARG ") : text.index("FROM scratch\n")] for text in texts}
    assert len(stages) == 1


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "hadolint"
    answer = subprocess.run(
        [program, *EVERY], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (answer.returncode, answer.stdout) == (0, "")


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
        "projector verify",
    ],
)
def test_each_command_that_a_container_runs_exists(command: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", *command.split(), "--help"], cwd=ROOT, capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
